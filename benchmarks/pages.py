"""Reverie's local pages, served by its commands, and Chromium to look at them."""

import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

from playwright.sync_api import Browser, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 120_000
"""Milliseconds that Chromium may take to start."""


@contextlib.contextmanager
def served(words: Sequence[str]) -> Iterator[str]:
    """The address that `reverie WORDS` prints; the server ends with the block."""
    command = [sys.executable, "-m", "reverie", *words, "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert server.stdout is not None
    try:
        found = None
        while found is None:
            line = server.stdout.readline()
            if not line:
                raise SystemExit(f"reverie {words[0]} ended before it printed an address.")
            found = re.search(r"http://\S+", line)
        yield found[0]
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as found:
        browser = found.chromium.launch(
            executable_path=program, args=["--no-sandbox"], timeout=PATIENCE
        )
        yield browser
        browser.close()
