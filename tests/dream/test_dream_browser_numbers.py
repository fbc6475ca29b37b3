"""The page in Chromium on runs that observe numbers, with a decoder and without one."""

import numpy as np
import pytest
from dream_pages import (
    desk_of,
    kept_page,
    open_episode,
    opened_page,
    session_of,
    shown,
    slide,
    wait_at,
)
from PIL import Image

from reverie.dream import what_if

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dial_desk(dial_inspector):
    with desk_of(dial_inspector) as found:
        yield found


@pytest.fixture(scope="module")
def arm_desk(arm_inspector):
    with desk_of(arm_inspector) as found:
        yield found


@pytest.fixture
def page(browser, dial_desk):
    with opened_page(browser, dial_desk[1]) as made:
        yield made


def act(page, action):
    """Set the sliders of a lone action key, and act."""
    for index, value in enumerate(action):
        slide(page, f"#set-action-{index}", value)
    page.click("#act")


def test_sliders_act_and_lines_are_drawn_for_every_branch(page, dial_desk):
    session = session_of(page, dial_desk[0])
    assert page.locator("#lines .chart").count() == 12
    assert "12 of 15 numbers are drawn" in page.inner_text("#lines-note")
    titles = page.locator("#lines .chart b").all_inner_texts()
    assert titles[:11] == [f"at[{13 - i}]" for i in range(11)]  # those that move most come first
    page.click("#every-number")
    assert page.locator("#lines .chart").count() == 15
    act(page, (0.5, -0.25, 1.0))
    wait_at(page, 1, 1)
    (row,) = session.find(1).rows[1:]
    np.testing.assert_allclose(row.action["action"], (0.5, -0.25, 1.0), atol=1e-6)
    told = page.evaluate("reverie.branches.get(1).list[1].shown")
    assert told["at"] == [float(v) for v in row.shown["at"]]
    assert told["side"] == [int(row.shown["side"])] and told["side"][0] in (0, 1, 2)
    page.keyboard.press("Home")
    wait_at(page, 1, 0)
    act(page, (-1.0, 0.0, 0.0))
    wait_at(page, 2, 1)
    chart = page.locator("#lines .chart").first
    for color in ("--c0", "--c1"):
        assert chart.locator(f'path[stroke="var({color})"]').count() == 1
    tiles = page.locator("#beside figure")
    assert tiles.count() == 2 and tiles.locator("canvas:visible").count() == 0
    assert tiles.nth(0).locator(".numbers b").count() == 8
    assert "and 7 more, which differ less" in tiles.nth(0).inner_text()


def test_a_grid_of_two_components_shows_numbers(page, dial_desk):
    page.select_option("#one", label="action[2]")
    page.select_option("#two", label="action[0]")
    page.fill("#steps", "2")
    page.click("#ask-what_if")
    page.wait_for_selector("#what_if figure.best")
    session = session_of(page, dial_desk[0])
    how = {"steps": 2, "components": ("action[2]", "action[0]")}
    options = what_if.counterfactuals(session, 0, **how).options
    tiles = page.locator("#what_if figure")
    assert tiles.count() == 25 == len(options) and page.locator("#what_if canvas").count() == 0
    found = page.evaluate("reverie.studies.what_if.options.map(o => [o.value, o.shown.at[13]])")
    assert found == [[option.value, float(option.shown["at"][13])] for option in options]
    listed = tiles.nth(7).locator(".numbers")
    values = dict(zip((f"at[{i}]" for i in range(14)), options[7].shown["at"], strict=True))
    names = listed.locator("span").all_inner_texts()
    told = page.evaluate("vs => vs.map(short)", [float(values[name]) for name in names])
    assert listed.locator("b").all_inner_texts() == told and len(names) == 8
    tiles.nth(7).click()
    wait_at(page, 1, 1)
    taken = session.find(1).rows[1].action["action"]
    np.testing.assert_allclose(taken, options[7].action["action"], atol=1e-6)


@pytest.mark.parametrize("kind", ["gif", "mp4"])
def test_numbers_are_filmed_as_lines(page, kind, tmp_path):
    act(page, (1.0, 0.0, 0.0))
    wait_at(page, 1, 1)
    page.click("#many")
    wait_at(page, 1, 17)
    with page.expect_download() as kept:
        page.click(f"#keep-{kind}")
    kept.value.save_as(tmp_path / "film")
    if kind == "gif":
        with Image.open(tmp_path / "film") as film:
            assert film.n_frames == 18 and film.size == (400, 4 * 48 + 12)


def test_a_kept_page_holds_the_numbers(page, tmp_path):
    act(page, (1.0, 0.0, 0.0))
    wait_at(page, 1, 1)
    with kept_page(page, tmp_path) as alone:
        assert alone.locator("#lines .chart").count() == 12
        alone.click("#every-number")
        assert alone.locator("#lines .chart").count() == 15


def test_without_a_decoder_what_was_stored_is_shown(browser, arm_desk, arm_inspector):
    desk, address = arm_desk
    with opened_page(browser, address) as page:
        act(page, (0.5, 0.0, 0.0))
        wait_at(page, 1, 1)
        found = page.evaluate("reverie.branches.get(1).list[1].shown")
        (key,) = found
        stored = np.concatenate([k.episode.obs[key] for k in arm_inspector.stored()])
        assert (stored == np.float32(found[key])).all(1).any()
        assert page.locator("#curves .chart b", has_text="Disagreement").count() == 1
        open_episode(page, "played", seed=3)
        seen = session_of(page, desk).seen().episode
        assert shown(page, "real") == seen.drawn[0].tobytes()
        assert not page.is_visible("#dream")
        page.check("#reality")
        act(page, (1.0, 0.0, 0.0))
        wait_at(page, 2, 1)
        row = session_of(page, desk).find(2).rows[1]
        assert row.real[key][0] == pytest.approx(seen.obs[key][0][0] + 0.5, abs=1e-5)
        assert shown(page, "real") == row.drawn.tobytes()
        with page.expect_download():
            page.click("#keep-gif")


def test_classes_and_a_number_by_keys(browser, gears_inspector):
    """Keys set classes, A does what is set; What if tries both."""
    with (
        desk_of(gears_inspector) as (desk, address),
        opened_page(browser, address) as page,
    ):
        for key in "25":
            page.keyboard.press(key)
        slide(page, "#set-turn-0", 0.5)
        page.keyboard.press("a")
        wait_at(page, 1, 1)
        done = session_of(page, desk).find(1).rows[1].action
        assert done["gear"].tolist() == [1, 2] and done["turn"].tolist() == [0.5]
        page.keyboard.press("6")
        page.wait_for_selector("#trouble:not([hidden])")
        assert "there is no action on key 6: this task has" in page.inner_text("#trouble")
        page.click("#ask-what_if")
        page.wait_for_selector("#what_if figure.best")
        groups = page.locator("#what_if .tiles")
        counts = [groups.nth(i).locator("figure").count() for i in range(groups.count())]
        assert counts == [6, 9]
