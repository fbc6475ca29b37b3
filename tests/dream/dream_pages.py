"""The inspector's page in Chromium, as the tests of it need it."""

import contextlib

from browsed import quiet_page, until
from served import served
from tiny_dreams import TITLE

from reverie.dream.desk import Desk
from reverie.web.guard import Guard

PIXELS = """id => { const c = document.getElementById(id);
    return [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]; }"""


@contextlib.contextmanager
def desk_of(inspector, token=""):
    """A desk of a run, and the address at which its page is."""
    from reverie.dream.server import make_app

    desk = Desk(inspector, TITLE)
    with served(make_app(desk, Guard("127.0.0.1", token))) as port:
        yield desk, f"http://127.0.0.1:{port}/" + (f"?token={token}" if token else "")
    desk.close()


@contextlib.contextmanager
def opened_page(browser, address):
    """A page that has begun. That a request was refused (400) is no error, the page says so."""
    with quiet_page(browser, "status of 400") as made:
        made.goto(address)
        made.wait_for_selector("body[data-ready=yes]")
        yield made


@contextlib.contextmanager
def kept_page(page, tmp_path):
    """The session of `page` as a file of its own; it asks nobody for anything."""
    with page.expect_download() as kept:
        page.click("#keep-page")
    kept.value.save_as(tmp_path / "dream.html")
    asked = []
    alone = page.context.browser.new_page()
    alone.on("request", lambda r: asked.append(r.url) if r.url.startswith("http") else None)
    alone.on("pageerror", lambda error: asked.append(str(error)))
    alone.goto((tmp_path / "dream.html").as_uri())
    alone.wait_for_selector("body[data-ready=yes]")
    yield alone
    assert asked == []
    alone.close()


def session_of(page, desk):
    """What the page looks at, as the server has it."""
    return desk.session(page.evaluate("reverie.session"))


def wait_at(page, lane, at):
    """Until the page shows this row of this branch ("": of the episode)."""
    page.wait_for_selector(f'body[data-lane="{lane}"][data-at="{at}"]')


def shown(page, canvas):
    """The red, green and blue of a canvas."""
    data = page.evaluate(PIXELS, canvas)
    assert data[3::4] == [255] * (len(data) // 4)
    return bytes(value for index, value in enumerate(data) if index % 4 != 3)


def slide(page, selector, value):
    """Set a slider, as a hand would."""
    page.evaluate(
        "([s, v]) => { const e = document.querySelector(s); e.value = v;"
        " e.dispatchEvent(new Event('input', { bubbles: true })); }",
        [selector, value],
    )


def open_episode(page, kind, **fields):
    """Choose an episode and wait until it is there; `fields`: of its line, by id."""
    page.select_option("#kind", kind)
    for name, value in fields.items():
        page.fill(f"#{name}", str(value))
    page.evaluate("window.opened = reverie.episode")
    page.click("#open")
    until(page, "reverie.episode !== window.opened && reverie.waiting === 0")
