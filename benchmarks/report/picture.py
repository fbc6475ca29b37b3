"""The picture of the live report in docs/report.md, taken in Chromium.

    python benchmarks/report/picture.py runs/a runs/b docs/pictures/live.webp

Serves the runs by `reverie report --live`, opens the losses inside the agent, and sets side by side
the page from its head to the table of runs, an episode, a dream, and the losses. The picture of the
guide shows two runs of

    reverie train minigrid_empty_5x5 --preset demo --steps 3000 --train.ratio 32 \\
        --train.report_every 1000 --train.eval_every 500 --seed 0 --logdir runs/seed-0
"""

import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pages import chromium, served
from PIL import Image
from playwright.sync_api import Page

WIDTH, GAP, QUALITY = 1180, 24, 60
OPENED = "Losses"


def ready(page: Page) -> None:
    """Wait for the data, open a section, and see every chart and film."""
    page.wait_for_selector(".curve[data-main] polyline.line")
    page.locator("details.inside > summary", has_text=OPENED).click()
    for part in page.locator(".curve, .film video").all():
        if part.is_visible():
            part.scroll_into_view_if_needed()
            page.wait_for_timeout(150)
    page.wait_for_selector("details.inside[open] .curve polyline")
    page.evaluate("document.getElementById('state').hidden = true; scrollTo(0, 0)")
    page.wait_for_timeout(1_000)


def taken(page: Page) -> list[list[Image.Image]]:
    """Two columns of pieces of the page: from its head to the table of runs and an episode; a dream
    and what was opened."""
    whole = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")

    def piece(selector: str, *, from_top: bool = False) -> Image.Image:
        box = page.locator(selector).first.bounding_box()
        assert box is not None, selector
        top = 0 if from_top else round(box["y"])
        return whole.crop((0, top, WIDTH, round(box["y"] + box["height"])))

    begun = piece("section:has(#standings)", from_top=True)
    episode, dream = piece(".film:not(.dream)"), piece(".film.dream")
    return [[begun, episode], [dream, piece("details.inside[open]")]]


def joined(columns: list[list[Image.Image]]) -> Image.Image:
    """The columns side by side, smaller."""
    height = max(sum(piece.height + GAP for piece in column) + GAP for column in columns)
    picture = Image.new("RGB", (WIDTH * len(columns), height), columns[0][0].getpixel((2, 2)))
    for place, column in enumerate(columns):
        top = GAP if place else 0
        for piece in column:
            picture.paste(piece, (place * WIDTH, top))
            top += piece.height + GAP
    return picture.resize(
        (picture.width * 2 // 3, picture.height * 2 // 3), Image.Resampling.LANCZOS
    )


def main(*words: str) -> None:
    """Takes the picture and writes it."""
    *runs, out = words
    with served(["report", "--live", *runs]) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(address)
        ready(page)
        picture = joined(taken(page))
    picture.save(out, quality=QUALITY, method=6)


if __name__ == "__main__":
    main(*sys.argv[1:])
