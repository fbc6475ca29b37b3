"""A page in Chromium, watched for errors; and how to wait for what it says."""

import contextlib
import time

PATIENCE = 60_000
"""Milliseconds that a page gets to reach a state: programs are compiled meanwhile."""


@contextlib.contextmanager
def quiet_page(browser, allowed):
    """A new page. Raises AssertionError at the end where it met an error, but for messages of the
    console in which the words `allowed` stand."""
    made = browser.new_page()
    made.set_default_timeout(PATIENCE)
    said = []
    made.on("console", lambda m: said.append(m.text) if is_error(m, allowed) else None)
    made.on("pageerror", lambda error: said.append(str(error)))
    yield made
    made.close()
    assert said == []


def is_error(message, allowed):
    return message.type == "error" and allowed not in message.text


def until(page, ask, expected=True):
    """Wait for an expression of the page (its policy forbids what Playwright would do)."""
    end = time.monotonic() + PATIENCE / 1000
    while (found := page.evaluate(ask)) != expected and time.monotonic() < end:
        page.wait_for_timeout(50)
    if found != expected:
        raise AssertionError(f"{ask} is {found!r}, expected {expected!r}")
