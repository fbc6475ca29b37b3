"""The page in Chromium: played by keys, branched, scrubbed, kept; its numbers are the server's."""

import pytest

pytestmark = pytest.mark.slow

PIXELS = """id => { const c = document.getElementById(id);
    return [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]; }"""


@pytest.fixture
def address(port):
    return f"http://127.0.0.1:{port}/"


@pytest.fixture
def page(browser, address):
    made = browser.new_page()
    made.set_default_timeout(60_000)
    made.said = []
    made.on("console", lambda m: made.said.append(m.text) if m.type == "error" else None)
    made.on("pageerror", lambda error: made.said.append(str(error)))
    made.goto(address)
    made.wait_for_selector("body[data-ready=yes]")
    yield made
    assert made.said == []
    made.close()


def wait_at(page, lane, at):
    page.wait_for_selector(f'body[data-lane="{lane}"][data-at="{at}"]')


def shown(page, canvas):
    """The red, green and blue of a canvas."""
    data = page.evaluate(PIXELS, canvas)
    assert data[3::4] == [255] * (len(data) // 4)
    return bytes(value for index, value in enumerate(data) if index % 4 != 3)


def test_twenty_steps_by_keys_a_branch_and_what_is_kept(page, desk, tmp_path):
    session = desk.session(page.evaluate("reverie.session"))
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

    page.evaluate("document.getElementById('row').value = 4")
    page.dispatch_event("#row", "input")
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
    with page.expect_download() as kept:
        page.click("#keep-page")
    alone = page.context.browser.new_page()
    problems = []
    alone.on("pageerror", lambda error: problems.append(str(error)))
    alone.on("request", lambda r: problems.append(r.url) if r.url.startswith("http") else None)
    kept.value.save_as(tmp_path / "dream.html")
    alone.goto((tmp_path / "dream.html").as_uri())
    alone.wait_for_selector("body[data-ready=yes]")
    assert alone.locator("#lanes button").count() == 3
    assert shown(alone, "dream") == session.find(2).rows[-1].shown["image"].tobytes()
    assert problems == []
    alone.close()


def test_reality_and_difference_under_the_recorded_actions(page, desk):
    session = desk.session(page.evaluate("reverie.session"))
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
