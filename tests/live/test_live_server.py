"""The server of a live report: what it answers, what it refuses, what the command says."""

import html
import json
import re
import socket
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from fake_run import make_media, make_run
from grown import feed_of
from served import call, check_alone, check_refused, foreign, served

from reverie.cli import main
from reverie.live import show as live_show
from reverie.live.server import in_part, make_app
from reverie.options import ReportOptions
from reverie.web import server, show
from reverie.web.guard import Guard


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = make_run(tmp_path_factory.mktemp("live") / "mine", steps=2_000, media=False)
    make_media(made, 2_000)
    return made


@pytest.fixture(scope="module")
def port(folder):
    with served(make_app(feed_of(folder), Guard("127.0.0.1"))) as found:
        yield found


def test_the_page_is_small_and_loads_nothing(port):
    assert not re.search(r"""\sstyle=["']""", check_alone(port, 60_000))


def test_the_whole_of_a_run_fits_into_the_weight_of_a_page(port):
    page = len(call(port, "/")[2])
    status, _, raw = call(port, "/api/refresh", {}, Accept_Encoding="gzip")
    assert status == 200 and page + len(raw) < 300_000
    found = json.loads(raw)
    assert found["runs"][0]["label"] == "mine" and not re.search(r'\sstyle="', str(found["blocks"]))


def test_films_come_whole_and_in_parts(port, folder):
    path = "/media/0/eval-000002000.mp4"
    status, headers, whole = call(port, path)
    assert status == 200 and headers["Content-Type"] == "video/mp4"
    assert whole == (folder / "videos" / "eval-000002000.mp4").read_bytes()
    status, headers, raw = call(port, path, Range="bytes=4-11")
    assert status == 206 and raw == whole[4:12]
    assert headers["Content-Range"] == f"bytes 4-11/{len(whole)}"
    status, _, raw = call(port, path, Range="bytes=10-")
    assert status == 206 and raw == whole[10:]


@pytest.mark.parametrize("token", ["", "a&b"])
def test_films_of_two_servers_have_different_addresses(folder, monkeypatch, token):
    makers, films = [], []
    monkeypatch.setattr(show, "run", lambda make, place: makers.append(make))
    for _ in range(2):
        live_show.run([folder], ReportOptions((str(folder),), live=True))
    for make in makers:
        with served(make(Guard("127.0.0.1", token), token)) as port:
            _, _, raw = call(port, "/api/refresh", {}, X_Reverie_Token=token)
            block = json.loads(raw)["blocks"]["episodes"]
            films += [html.unescape(film) for film in re.findall(r'<video[^>]* src="(.+?)"', block)]
            assert call(port, films[-1])[0] == 200
    assert len(films) == 2 and films[0] != films[1]
    assert len({film.partition("?")[0] for film in films}) == 1


@pytest.mark.parametrize(
    ("asked", "status", "size"),
    [("", 200, 10), ("bytes=3-3", 206, 1), ("bytes=3-999", 206, 7), ("bytes=10-", 416, 0)]
    + [(odd, 200, 10) for odd in ("bytes=-5", "bytes=1-2,4-5", "rows=1-2", "bytes=x-", "bytes=")],
)
def test_parts_of_a_film(asked, status, size):
    found = in_part("video/mp4", b"0123456789", asked)
    assert found.status_code == status and len(found.body) == size


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "said"),
    [
        *foreign("/api/refresh"),
        ("/api/refresh", {"since": "new"}, {}, 400, "since is 'new'"),
        ("/media/0/config.json", None, {}, 410, "there is no such film"),
        ("/media/0/openloop-000002000.npz", None, {}, 410, "there is no such film"),
        ("/media/7/eval-000002000.mp4", None, {}, 410, "there is no such film"),
        ("/media/0/eval-000002000.mp4", None, {"Host": "evil.example"}, 421, "is not called"),
    ],
)
def test_what_is_refused_is_said_in_one_sentence(port, path, body, headers, status, said):
    check_refused(port, path, body, headers, status, said)


def test_nothing_else_is_served(port):
    odd = ("/media/0/..%2f..%2fconfig.json", "/media/0/%2e%2e/config.json", "/media/0")
    for path in ("/config.json", "/metrics.jsonl", "/docs", "/openapi.json", "/api/refresh", *odd):
        assert call(port, path)[0] in (404, 405, 410), path


def test_a_token_where_others_can_reach_the_server(folder):
    with served(make_app(feed_of(folder), Guard("127.0.0.1", "secret"))) as port:
        film = "/media/0/eval-000002000.mp4"
        assert call(port, "/")[0] == call(port, film)[0] == 403
        assert call(port, "/api/refresh", {})[0] == 403
        assert call(port, "/?token=secret")[0] == 200
        assert call(port, "/api/refresh", {}, X_Reverie_Token="secret")[0] == 200
        assert call(port, f"{film}?token=secret")[0] == 200


def started(folder, monkeypatch, capsys, *words):
    """What `reverie report --live` says, and the address it prints; `ask` gets the application."""
    capsys.readouterr()
    found = []

    def serve(app, listening):
        said = capsys.readouterr().out
        (shown,) = re.findall(r"open (http://\S+)", said)
        token = parse_qs(urlsplit(shown).query).get("token", [""])[0]
        with served(app) as port:
            asked = {
                "page": call(port, "/")[0],
                "page, token": call(port, f"/?token={token}")[0],
                "data": call(port, "/api/refresh", {})[0],
                "data, token": call(port, "/api/refresh", {}, X_Reverie_Token=token)[0],
                "film": call(port, "/media/0/eval-000002000.mp4")[0],
            }
        found.append((said, urlsplit(shown), token, listening.getsockname(), asked))

    monkeypatch.setattr(server, "serve", serve)
    assert main(["report", str(folder), "--live", *words]) == 0
    return found[0]


def test_whoever_listens_to_others_gets_a_token(folder, monkeypatch, capsys):
    tokens = set()
    for _ in range(2):
        _, shown, token, listening, asked = started(
            folder, monkeypatch, capsys, "--host", "0.0.0.0", "--port", "0"
        )
        assert (listening[0], listening[1]) == ("0.0.0.0", shown.port)
        assert asked == {
            **{"page": 403, "page, token": 200, "data": 403, "data, token": 200, "film": 403}
        }
        assert len(token) >= 32
        tokens.add(token)
    assert len(tokens) == 2
    _, shown, token, listening, asked = started(folder, monkeypatch, capsys, "--port", "0")
    assert listening[0] == "127.0.0.1" and (token, shown.query) == ("", "")
    assert set(asked.values()) == {200}


def test_a_port_in_use_is_said_with_the_one_that_is_taken(folder, monkeypatch, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said, shown, _, listening, _ = started(folder, monkeypatch, capsys, "--port", str(port))
    assert f"port {port} is in use; this page is at port {shown.port}." in said.splitlines()
    assert port < shown.port == listening[1]


def test_a_run_of_another_version_is_shown_or_named(folder, tmp_path):
    older, odd = tmp_path / "older", tmp_path / "odd"
    for run, change in ((older, {"steps_of_old": 7}), (odd, {"steps": "many"})):
        run.mkdir()
        head = json.loads((folder / "config.json").read_text())
        head["versions"] = {"reverie": "0.0.1"}
        head["config"] |= change
        (run / "config.json").write_text(json.dumps(head))
        (run / "metrics.jsonl").write_bytes((folder / "metrics.jsonl").read_bytes())
    with served(make_app(feed_of(older, odd), Guard("127.0.0.1"))) as port:
        status, _, raw = call(port, "/api/refresh", {})
    told = json.loads(raw)
    assert status == 200 and [run["label"] for run in told["runs"]] == ["older"]
    assert "episode/return" in told["curves"]["0"] and "0.0.1" in str(told["blocks"])
    assert "/odd/config.json: steps" in html.unescape(told["blocks"]["notes"])


def test_many_pages_at_once_are_told_the_same(port):
    found = []

    def ask():
        found.append(json.loads(call(port, "/api/refresh", {})[2])["curves"])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and all(curves == found[0] for curves in found)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--live", "--out", "x.html"], 2, "--live serves the page and writes none"),
        (["--port", "8766"], 2, "--port is where a live page is served: add --live."),
        (["--host", "0.0.0.0"], 2, "--host is where a live page is served: add --live."),
        (["--live", "--host", "192.0.2.1"], 2, "--host 192.0.2.1 cannot be listened at"),
        (["{folder}", "--live"], 1, "was given twice"),
        (["{folder}/config.json", "--live"], 1, "config.json is not a run folder"),
        (["{folder}/..", "--live"], 1, "runs inside; did you mean"),
    ],
)
def test_commands_that_cannot_be_meant(folder, capsys, words, code, said):
    words = [word.format(folder=folder) for word in words]
    try:
        found = main(["report", str(folder), *words])
    except SystemExit as stop:  # the option's own record refused it
        found = stop.code
    text = capsys.readouterr().err.replace("\n", " ")
    assert found == code and said in re.sub(r"[\s│]+", " ", text)


def test_a_server_without_its_packages_says_so(folder, capsys, monkeypatch):
    monkeypatch.setattr(show, "PACKAGES", ("fastapi", "no_such_package"))
    assert main(["report", str(folder), "--live"]) == 2
    said = capsys.readouterr().err
    assert "the live report needs no_such_package: pip install 'reverie[dream]'" in said
