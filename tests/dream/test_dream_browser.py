"""The page in Chromium: played by keys, branched, scrubbed, kept; its numbers are the server's."""

import threading

import pytest
import tiny_dreams
from browsed import until
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

import reverie
from reverie.dream import drift

pytestmark = pytest.mark.slow


@pytest.fixture
def address(port):
    return f"http://127.0.0.1:{port}/"


@pytest.fixture
def page(browser, address):
    with opened_page(browser, address) as made:
        yield made


def test_twenty_steps_by_keys_a_branch_and_what_is_kept(page, desk, tmp_path):
    session = session_of(page, desk)
    for number in range(1, 21):
        page.keyboard.press("123"[number % 3])
        wait_at(page, 1, number)
    truth = session.find(1).rows
    assert [int(row.action["action"][0]) for row in truth[1:]] == [n % 3 for n in range(1, 21)]
    told = page.evaluate(
        "reverie.branches.get(1).list.map(r => [r.said.reward, r.said.value, r.said.entropy])"
    )
    assert told == [
        [float(v) for v in (row.said.reward, row.said.value, row.said.entropy)] for row in truth
    ]
    assert shown(page, "dream") == truth[-1].shown["image"].tobytes()

    slide(page, "#row", 4)
    wait_at(page, 1, 4)
    assert shown(page, "dream") == truth[4].shown["image"].tobytes()
    page.keyboard.press("1")
    wait_at(page, 2, 1)
    assert (session.find(2).parent, session.find(2).at) == (1, 4)
    assert page.locator("#beside figure").count() == 2
    assert page.locator("#curves .chart").count() >= 4

    page.keyboard.press("7")
    page.wait_for_selector("#trouble:not([hidden])")
    assert "there is no action on key 7: this task has action 0" in page.inner_text("#trouble")
    with kept_page(page, tmp_path) as alone:
        assert alone.locator("#lanes button").count() == 3
        assert shown(alone, "dream") == session.find(2).rows[-1].shown["image"].tobytes()
        alone.keyboard.press("End")
        alone.keyboard.press("Space")  # at the end of a branch there is nothing to play
        until(alone, "!reverie.playing && reverie.waiting === 0")
        assert alone.inner_text("#trouble") == ""


def test_an_exported_page_ends_where_its_rows_end(page, desk, tmp_path, monkeypatch):
    """A long episode is packed in part: the slider goes over that part, and the page says so."""
    monkeypatch.setattr("reverie.dream.desk.OBSERVED", 6)
    rows = page.evaluate("reverie.episode.rows")
    seen = session_of(page, desk).seen()
    slide(page, "#row", 5)
    page.keyboard.press("b")
    wait_at(page, 1, 0)
    with kept_page(page, tmp_path) as alone:
        alone.locator("#lanes button").first.click()
        assert [alone.get_attribute("#row", name) for name in ("min", "max")] == ["3", "8"]
        for key, at in (("End", 8), (".", 8), ("Home", 3), (",", 3)):
            alone.keyboard.press(key)
            wait_at(alone, "", at)
            assert shown(alone, "real") == seen.episode.obs["image"][at].tobytes()
        assert f"rows 3 to 8 of 0 to {rows - 1}" in alone.inner_text("#where")


def test_reality_and_difference_under_the_recorded_actions(page, desk):
    session = session_of(page, desk)
    page.select_option("#who", "recorded")
    page.click("#many")
    count = min(16, page.evaluate("reverie.episode.rows") - 1)
    wait_at(page, 1, count)
    row = session.find(1).rows[count]
    assert shown(page, "real") == row.real["image"].tobytes()
    difference = (row.shown["image"].astype(int) - row.real["image"] + 255) // 2
    assert list(shown(page, "difference")) == difference.reshape(-1).tolist()
    page.keyboard.press("t")
    assert not page.is_visible("#real") and page.is_visible("#dream")


def test_the_three_questions(page):
    page.click("#ask-what_if")
    page.wait_for_selector("#what_if figure.best")
    assert page.locator("#what_if figure").count() == 3
    page.click("#ask-drift")
    page.wait_for_selector("#drift .chart")
    page.click("#ask-calibration")
    page.wait_for_selector("#calibration .chart")
    page.locator("#what_if figure").nth(2).click()
    page.wait_for_selector('body[data-lane="1"][data-at="1"]')


def test_texts_of_a_stranger_are_texts(page):
    assert "<b>lamp</b>" in page.inner_text("#facts")


def test_two_browsers_and_a_server_that_ends(browser, address, page):
    other = browser.new_page()
    other.goto(address)
    other.wait_for_selector("body[data-ready=yes]", timeout=120_000)
    other.keyboard.press("2")
    wait_at(other, 1, 1)
    assert page.get_attribute("body", "data-lane") == ""
    other.route("**/api/**", lambda route: route.abort())
    other.keyboard.press("2")
    other.wait_for_selector("#trouble:not([hidden])")
    assert "the server does not answer" in other.inner_text("#trouble")
    assert other.locator("#lanes button").count() == 3  # what was there stays
    other.close()


def test_a_page_that_is_not_painted_still_asks(page):
    """Chromium paints no hidden page, and no frame comes that a request could wait for."""
    page.evaluate("window.requestAnimationFrame = () => 0")
    for number in (1, 2, 3):
        page.keyboard.press("2")
        wait_at(page, 1, number)
    until(page, "reverie.waiting === 0")


def test_every_key_of_the_page(page, desk):
    page.keyboard.press("End")
    rows = page.evaluate("reverie.episode.rows")
    wait_at(page, "", rows - 1)
    page.keyboard.press("Home")
    wait_at(page, "", 0)
    page.keyboard.press(".")
    page.keyboard.press(".")
    page.keyboard.press(",")
    wait_at(page, "", 1)
    page.keyboard.press("b")
    wait_at(page, 1, 0)
    page.keyboard.press("Space")
    until(page, "reverie.at >= 3")
    page.keyboard.press("Space")
    until(page, "!reverie.playing && reverie.waiting === 0")
    branch = session_of(page, desk).find(1)
    assert (branch.origin, len(branch.rows) - 1) == (1, page.evaluate("reverie.at"))
    assert "Play" in page.inner_text("#play")


@pytest.mark.parametrize("who", ["greedy", "sampled"])
def test_the_policy_that_was_chosen_acts(page, desk, who):
    """By its mode the most probable class; by samples what a dream of the same seed does."""
    session = session_of(page, desk)
    page.select_option("#who", who)
    page.keyboard.press("Enter")
    wait_at(page, 1, 1)
    page.click("#many")
    wait_at(page, 1, 17)
    rows = session.find(1).rows
    taken = [int(row.action["action"][0]) for row in rows[1:]]
    if who == "greedy":
        assert taken == [int(row.said.policy["action"].argmax()) for row in rows[:-1]]
    again = session.branch(0)
    session.act(again.number, who, steps=17)
    assert taken == [int(row.action["action"][0]) for row in again.rows[1:]]
    told = page.evaluate("reverie.branches.get(1).list.map(r => r.said.value)")
    assert told == [float(row.said.value) for row in rows]


def test_an_episode_played_now_goes_on_beside_the_dream(page, desk, lamp):
    """What the agent did is what `Agent` does; under my keys reality goes on as the game does."""
    open_episode(page, "played", seed=5)
    agent, carry = reverie.load(lamp, make_env=tiny_dreams.Lamp), None
    episode = session_of(page, desk).seen().episode
    acts = page.evaluate("reverie.episode.acts")
    for row in range(6):
        obs = {key: value[row] for key, value in episode.obs.items()}
        action, carry = agent.act(obs, carry, seed=5, terms="agent")
        assert acts[row] == f"action {int(action['action'])}"
    page.check("#reality")
    place = int(episode.obs["place"][0][0])
    for number in range(1, 4):
        page.keyboard.press("3")
        wait_at(page, 1, number)
        image = tiny_dreams.Lamp.picture((place + number) % 16)
        assert shown(page, "real") == image.tobytes()
        assert page.inner_text("#cap-real") == "Reality"


@pytest.mark.parametrize(("kind", "mark"), [("gif", b"GIF89a"), ("mp4", b"ftyp")])
def test_a_branch_is_kept_as_a_film(page, kind, mark, tmp_path):
    page.click(f"#keep-{kind}")
    assert "choose a branch first" in page.inner_text("#trouble")
    page.keyboard.press("1")
    wait_at(page, 1, 1)
    with page.expect_download() as kept:
        page.click(f"#keep-{kind}")
    kept.value.save_as(tmp_path / "film")
    assert mark in (tmp_path / "film").read_bytes()[:12]
    assert kept.value.suggested_filename == f"dream.{kind}"


def test_an_address_with_a_token(browser, lamp_inspector):
    with desk_of(lamp_inspector, "secret") as (_, address):
        with opened_page(browser, address) as page:
            page.keyboard.press("1")
            wait_at(page, 1, 1)
        stranger = browser.new_page()
        assert stranger.goto(address.partition("?")[0]).status == 403
        assert "the token is missing or wrong" in stranger.inner_text("body")
        stranger.close()


def test_a_page_says_that_another_one_computes(page, desk, browser, address):
    """It waits, and gets its answer when the other one has got its own."""
    held, go_on = threading.Event(), threading.Event()

    def compute(_session):
        held.set()
        go_on.wait(120)

    with opened_page(browser, address) as other:
        name = other.evaluate("reverie.session")
        thread = threading.Thread(target=desk.hold, args=(name, compute))
        thread.start()
        held.wait(120)
        page.keyboard.press("1")
        page.wait_for_selector("#busy:not([hidden])")
        assert "another page of this server computes" in page.inner_text("#busy")
        assert desk.ask("busy", {"session": name}) == {"other": False}
        go_on.set()
        wait_at(page, 1, 1)
        page.wait_for_selector("#busy", state="hidden")
        thread.join(20)


def test_an_episode_of_the_evaluation_is_chosen(page, desk):
    page.select_option("#kind", "evaluation")
    names = page.locator("#number option").all_inner_texts()
    assert names == ["evaluation 0", "evaluation 1", "evaluation 2"]
    page.select_option("#number", "2")
    page.evaluate("window.opened = reverie.episode")
    page.click("#open")
    until(page, "reverie.episode !== window.opened && reverie.waiting === 0")
    episode = session_of(page, desk).seen().episode
    assert (episode.start.env, episode.start.number) == (1, 0)
    assert page.inner_text("#episode").startswith("evaluation 2:")
    assert page.is_visible("#reality")


def test_drift_is_of_the_row_that_is_shown(page, desk):
    """Over as many rows and dreams as is asked; behind other actions the page says why not."""
    page.select_option("#who", "recorded")
    page.keyboard.press("Enter")
    wait_at(page, 1, 1)
    page.keyboard.press("Enter")
    wait_at(page, 1, 2)
    kl = page.evaluate("reverie.branches.get(1).list.map(r => r.said.kl)")
    assert kl == [float(row.said.kl) for row in session_of(page, desk).find(1).rows]
    page.fill("#horizon", "3")
    page.fill("#samples", "5")
    page.click("#ask-drift")
    page.wait_for_selector("#drift .chart")
    found = drift.drift(session_of(page, desk), 2, 1, horizon=3, samples=5)
    told = page.evaluate("reverie.studies.drift.keys.image.band")
    assert told == [[float(v) for v in column] for column in found.error["image"].T]
    assert "from row 2 of branch 1" in page.locator("#drift .chart b").first.inner_text()
    recorded = session_of(page, desk).seen().episode.action["action"][2]
    page.keyboard.press("123"[(int(recorded[0]) + 1) % 3])
    wait_at(page, 1, 3)
    page.click("#ask-drift")
    page.wait_for_selector("#trouble:not([hidden])")
    assert "which branch 1 has left before this row" in page.inner_text("#trouble")


def test_the_legend_is_open_at_the_first_visit(browser, address):
    context = browser.new_context()
    for visit in range(2):
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector("body[data-ready=yes]")
        assert page.evaluate("document.getElementById('legend').open") is (visit == 0)
        page.close()
    context.close()
