"""The page in Chromium: it opens, follows a run that grows, and does what its controls say."""

import pytest
from browsed import quiet_page, until
from fake_run import make_media
from grown import Growing, feed_of
from served import served

from reverie.live.server import make_app
from reverie.report.page import write_report
from reverie.report.read import read_runs
from reverie.web.guard import Guard

pytestmark = pytest.mark.slow

MAIN = ".curve[data-main]"
LINE = f"{MAIN} polyline.line"


@pytest.fixture
def runs(tmp_path):
    """Two runs that have begun."""
    found = [Growing(tmp_path / name, seed=seed) for seed, name in enumerate(("one", "two"))]
    for run in found:
        run.write(0, 80)
    return found


@pytest.fixture
def page(browser):
    with quiet_page(browser, "Failed to load resource") as made:
        yield made


@pytest.fixture
def live(page, runs):
    """The page on both runs."""
    feed = feed_of(*(run.folder for run in runs))
    with served(make_app(feed, Guard("127.0.0.1"))) as port:
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector(LINE)
        up_to_date(page)
        yield page
        page.goto("about:blank")


def up_to_date(page):
    """Wait until the page has read everything that there is."""
    until(page, "document.getElementById('state').textContent.startsWith('Up to date')", True)


def returns(number):
    return f"curves.data.curves[{number}]['episode/return']"


def test_the_curve_follows_a_run_that_grows(live, runs):
    before = live.get_attribute(LINE, "points")
    runs[1].write(80, 120)
    whole = read_runs([run.folder for run in runs])
    until(live, f"{returns(1)}.n", len(whole[1].get("episode/return").value))
    until(live, f"document.querySelectorAll('{LINE}').length", 2)
    for number, run in enumerate(whole):
        told = live.evaluate(f"{returns(number)}.y")
        assert told == run.get("episode/return").value.tolist()
    assert live.get_attribute(LINE, "points") != before
    up_to_date(live)


def test_no_chart_is_blank(live):
    for summary in live.locator("summary").all():
        summary.click()
    for chart in live.locator(".curve").all():
        chart.scroll_into_view_if_needed()
        name = chart.get_attribute("data-metric")
        live.wait_for_selector(f'.curve[data-metric="{name}"] svg :is(polyline, circle, path)')


def test_axes_and_smoothing(live):
    points = live.get_attribute(LINE, "points")
    live.select_option("select[name=smooth]", "0.2")
    smoother = live.get_attribute(LINE, "points")
    assert smoother != points
    live.select_option("select[name=smooth]", "0")
    raw = live.evaluate(f"paper && {returns(0)}.y.slice(0, 3)")
    drawn = live.evaluate(f"document.querySelector('{MAIN}').drawn.lines[0].mean.slice(0, 3)")
    assert drawn == raw
    for axis, words in (("updates", "update"), ("episodes", "episode"), ("seconds", "wall time")):
        live.select_option("select[name=x]", axis)
        assert words in live.text_content(f"{MAIN} svg")
        assert live.locator(LINE).count() == 2
    assert live.get_attribute(MAIN, "data-scale") == "linear"
    live.select_option("select[name=y]", "log")
    assert live.get_attribute(MAIN, "data-scale") == "log"
    assert "logarithmic" in live.text_content(f"{MAIN} svg")
    live.check("input[name=logx]")
    assert live.text_content(f"{MAIN} svg").count("logarithmic") == 2
    assert live.locator(f"{MAIN} polygon.band").count() == 2
    live.uncheck("input[name=band]")
    assert live.locator(f"{MAIN} polygon.band").count() == 0


def test_dragging_looks_closer_and_a_double_click_shows_all(live):
    live.locator(MAIN).scroll_into_view_if_needed()
    box = live.locator(MAIN).bounding_box()
    wide = live.evaluate("curves.range()")
    live.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 90)
    live.mouse.down()
    live.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 90, steps=4)
    live.mouse.up()
    low, high = live.evaluate("curves.range()")
    assert wide[0] < low < high < wide[1]
    assert high - low == pytest.approx(0.3 * (wide[1] - wide[0]) * 960 / 892, rel=0.05)
    assert not live.is_hidden("#tip")
    live.locator(MAIN).dblclick()
    assert live.evaluate("curves.range()") == wide


def test_the_table_sorts_and_hides(live, runs):
    names = "[...document.querySelectorAll('#standings tbody td:first-child')]"
    rows = f"{names}.map(cell => cell.innerText.trim())"
    column = live.locator("#standings th button", has_text="Environment steps")
    runs[1].log(step=9_000, **{"loss/rew": 1.0})
    until(live, "curves.data.runs[1].end", 9_000)
    column.click()
    assert live.evaluate(rows) == ["two", "one"]
    runs[0].log(step=9_500, **{"loss/rew": 1.0})
    until(live, rows, ["one", "two"])  # the order outlives a refresh
    column.click()
    assert live.evaluate(rows) == ["two", "one"]
    live.uncheck("input[data-run='0']")
    assert live.locator(LINE).count() == 1
    assert "1 of 2 runs hidden" in live.inner_text(".said")


def test_films_of_every_step(live, runs):
    make_media(runs[0].folder, 6_000)
    live.wait_for_selector(".film video")
    until(live, "document.querySelector('.film.dream video').videoWidth > 0", True)
    until(live, "document.querySelector('.film.dream header .step').textContent", "6,000")
    slider = live.locator(".film.dream .shots input")
    slider.evaluate("e => { e.value = 0; e.dispatchEvent(new Event('input', {bubbles: true})); }")
    assert live.inner_text(".film.dream header .step") == "600"
    assert "openloop_image-000000600.mp4" in live.get_attribute(".film.dream video", "src")


def test_a_run_that_comes_and_a_server_that_ends(page, tmp_path):
    folder = tmp_path / "later"
    with served(make_app(feed_of(folder), Guard("127.0.0.1"))) as port:
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector(".notes li")
        assert "Not shown yet" in page.inner_text(".notes")
        run = Growing(folder)
        run.write(0, 60)
        page.wait_for_selector(LINE)
        assert page.title() == "gym:CartPole-v1 · Reverie"
        page.route(
            "**/api/**", lambda route: route.fulfill(status=500, body='{"error": "broken."}')
        )
        until(page, "document.getElementById('state').textContent", "broken.")
        assert page.locator(LINE).count() == 1  # what was there stays
        page.unroute("**/api/**")
        up_to_date(page)
        page.goto("about:blank")


def test_the_page_that_is_written_has_the_same_controls(page, runs, tmp_path):
    path = write_report([run.folder for run in runs], tmp_path / "page.html")
    outside = []
    page.on("request", lambda r: outside.append(r.url) if r.url.startswith("http") else None)
    page.goto(path.as_uri())
    page.wait_for_selector(LINE)
    page.select_option("select[name=x]", "seconds")
    assert "wall time" in page.text_content(f"{MAIN} svg")
    page.locator("#standings th button", has_text="seed").click()
    assert page.get_attribute("#standings th[aria-sort=descending]", "aria-sort") == "descending"
    page.locator("summary", has_text="Losses").click()
    page.wait_for_selector('.curve[data-metric="loss/rew"] polyline')
    assert outside == []
