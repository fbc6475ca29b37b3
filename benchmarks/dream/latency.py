"""What a newcomer to the inspector waits for, on a run of one's own, in Chromium.

    python benchmarks/dream/latency.py RUN [--keys 60] [--starts 3] [--picture FILE.webp]

A start: `reverie dream RUN` as a command of its own, until the page answers, until a picture is
drawn, until the first dreamed step is. Then, in the last of the pages, keys one after the other,
each from the event of the key until its picture stands in a frame. `--picture` keeps the page with
a branch, the question What if and the drift. One JSON object is printed.
"""

import argparse
import io
import json
import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from pages import chromium, served
from PIL import Image
from playwright.sync_api import Browser, Page

MOST = 300.0
"""Seconds that a start may take."""
SIZE = {"width": 1200, "height": 900}

KEYS = """async ({ keys, count }) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const found = [];
  for (let number = 0; number < count; number++) {
    const begin = performance.now(), lane = reverie.lane, rows = reverie.at;
    const key = keys[number % keys.length];
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await reverie.queue;
    await frame();
    if (reverie.lane !== lane || reverie.at !== rows + 1) throw new Error("no row was dreamed");
    found.push(performance.now() - begin);
  }
  return found;
}"""


class Start(NamedTuple):
    """Seconds from the command on."""

    answers: float  # the address is printed, and the page comes
    picture: float  # the episode's first row is drawn
    dreamed: float  # the first dreamed row is drawn


def begun(page: Page, address: str, begin: float) -> Start:
    """A page that is opened as soon as it answers; the first class is done once."""
    page.set_default_timeout(MOST * 1000)
    page.goto(address)
    answers = time.monotonic() - begin
    page.wait_for_selector("body[data-ready=yes]")
    page.wait_for_selector("body[data-at]")
    picture = time.monotonic() - begin
    page.keyboard.press("1")
    page.wait_for_selector('body[data-lane="1"][data-at="1"]')
    return Start(answers, picture, time.monotonic() - begin)


def keep_picture(page: Page, path: Path) -> None:
    """The whole page: two dreams from one row, by the recorded actions and by a key, in the middle
    of the first; What if and the drift from there."""
    page.locator("#lanes button", has_text="×").click()
    page.wait_for_selector('body[data-lane=""]')
    page.keyboard.press("Home")
    for number in range(1, 7):
        page.keyboard.press("2" if number % 2 else "3")
        page.wait_for_selector(f'body[data-lane="2"][data-at="{number}"]')
    page.locator("#lanes button").first.click()
    page.keyboard.press("Home")
    page.wait_for_selector('body[data-lane=""][data-at="0"]')
    page.select_option("#who", "recorded")
    page.click("#many")
    page.wait_for_selector('body[data-lane="3"]:not([data-at="0"])')
    page.keyboard.press("Home")
    for number in range(1, 6):
        page.keyboard.press(".")
        page.wait_for_selector(f'body[data-at="{number}"]')
    for name, sign in (("what_if", "figure.best"), ("drift", ".chart")):
        page.click(f"#ask-{name}")
        page.wait_for_selector(f"#{name} {sign}")
    page.evaluate("document.getElementById('legend').open = false; document.activeElement.blur()")
    page.mouse.move(0, 0)
    Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB").save(path)


def measure(browser: Browser, run: Path, keys: int, picture: Path | None) -> tuple[Start, list]:
    """One start, and the milliseconds of so many keys."""
    begin = time.monotonic()
    with served(["dream", str(run)]) as address:
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
        found = begun(page, address, begin)
        names = sorted(page.evaluate("Object.keys(reverie.facts.keys)"))
        times = page.evaluate(KEYS, {"keys": names, "count": keys}) if keys else []
        if picture is not None:
            keep_picture(page, picture)
        page.close()
    return found, times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--keys", type=int, default=60)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    starts, times = [], []
    with chromium() as browser:
        for number in range(given.starts):
            last = number == given.starts - 1
            how = (given.keys, given.picture) if last else (0, None)
            start, times = measure(browser, given.run, *how)
            starts.append(start)
    middle = Start(*(round(statistics.median(part), 2) for part in zip(*starts, strict=True)))
    told = {
        "starts": [[round(seconds, 2) for seconds in start] for start in starts],
        "seconds_until": middle._asdict(),
        "keys": len(times),
        "milliseconds_of_a_key": {
            "median": round(statistics.median(times), 1),
            "largest": round(max(times), 1),
        },
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
