"""The local server: what it answers, what it refuses, and what it says then."""

import base64
import gzip
import json
import re
import shutil
import socket
import threading

import numpy as np
import pytest
from served import call, check_alone, check_refused, foreign, running
from tiny_dreams import TITLE, opened

from reverie.cli import main
from reverie.dream import export, wire
from reverie.dream import show as dream_show
from reverie.dream.desk import MOST_SESSIONS, Desk
from reverie.dream.errors import DreamError
from reverie.dream.options import DreamOptions
from reverie.train import checkpoint
from reverie.watch import terminal
from reverie.web import show
from reverie.web.errors import Gone


def test_a_session_over_http_is_what_the_session_layer_says(port, desk):
    status, _, raw = call(port, "/api/hello", {})
    hello = json.loads(raw)
    assert status == 200 and hello["title"]["task"] == "custom:test"
    mine = {"session": hello["session"]}
    episode = json.loads(call(port, "/api/open", mine | {"kind": "replay", "number": 0})[2])
    branch = json.loads(call(port, "/api/branch", mine | {"at": 2, "seed": 5})[2])
    body = mine | {"branch": branch["branch"], "who": "given", "action": {"action": [1]}}
    answer = json.loads(call(port, "/api/act", body, Accept_Encoding="gzip")[2])
    (row,) = answer["new"]
    truth = desk.session(hello["session"]).find(branch["branch"]).rows[1]
    assert row["said"]["value"] == float(truth.said.value)
    assert row["said"]["policy"]["action"] == [float(p) for p in truth.said.policy["action"]]
    pixels = base64.b64decode(row["shown"]["image"]["rgb"])
    assert pixels == truth.shown["image"].tobytes()
    assert row["shown"]["place"] == truth.shown["place"].tolist()
    assert row["act"] == "action 1" and episode["rows"] > 2


def test_two_pages_do_not_see_each_other(port):
    names = [json.loads(call(port, "/api/hello", {})[2])["session"] for _ in range(2)]
    for name in names:
        assert call(port, "/api/open", {"session": name})[0] == 200
        assert call(port, "/api/branch", {"session": name, "at": 1})[0] == 200
    status, _, raw = call(port, "/api/drop", {"session": names[0], "branch": 1})
    assert status == 200 and json.loads(raw)["branches"] == []
    status, _, raw = call(port, "/api/act", {"session": names[1], "branch": 1})
    assert status == 200


def test_a_browser_that_disconnects_harms_nobody(port):
    text = json.dumps({"session": "x"})
    with socket.create_connection(("127.0.0.1", port)) as cut:
        cut.sendall(
            f"POST /api/hello HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json"
            f"\r\nContent-Length: {len(text) + 50}\r\n\r\n{text}".encode()
        )
    assert call(port, "/api/hello", {})[0] == 200


@pytest.mark.parametrize("path", ["/api/act", "/film", "/page"])
def test_a_browser_that_leaves_while_its_answer_is_computed_harms_nobody(port, desk, path):
    """What was asked is done; the session and the server go on."""
    mine = {"session": json.loads(call(port, "/api/hello", {})[2])["session"]}
    call(port, "/api/open", mine)
    branch = json.loads(call(port, "/api/branch", mine | {"at": 1})[2])["branch"]
    text = json.dumps(mine | {"branch": branch, "who": "sampled", "steps": 40})
    held, go_on = threading.Event(), threading.Event()

    def compute(_session):
        held.set()
        go_on.wait(60)

    thread = threading.Thread(target=desk.hold, args=(mine["session"], compute))
    thread.start()
    assert held.wait(60)
    with socket.create_connection(("127.0.0.1", port)) as cut:
        cut.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json"
            f"\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
        )
    go_on.set()
    thread.join(60)
    body = mine | {"branch": branch, "who": "greedy"}
    status, _, raw = call(port, "/api/act", body)
    assert status == 200 and len(json.loads(raw)["new"]) == 1
    rows = len(desk.session(mine["session"]).find(branch).rows)
    assert rows in ((2, 42) if path == "/api/act" else (2,))


def test_who_waits_is_told_that_another_page_computes(desk):
    mine, other = (desk.ask("hello", {})["session"] for _ in range(2))
    assert desk.ask("busy", {"session": mine}) == {"other": False}
    asked = desk.hold(mine, lambda _: [desk.ask("busy", {"session": n}) for n in (mine, other)])
    assert asked == [{"other": False}, {"other": True}]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "said"),
    [
        *foreign("/api/hello"),
        ("/api/hallo", {}, {}, 400, "did you mean 'hello'?"),
        ("/api/open", {}, {}, 410, "this page's session is gone"),
        ("/api/open", {"session": ["x"]}, {}, 410, "this page's session is gone"),
    ],
)
def test_what_is_refused_is_said_in_one_sentence(port, path, body, headers, status, said):
    check_refused(port, path, body, headers, status, said)


def test_nothing_else_is_served(port):
    for path in ("/config.json", "/../config.json", "/page.js", "/docs", "/openapi.json", "/api"):
        assert call(port, path)[0] == 404, path


def test_the_page_is_small_and_loads_nothing(port):
    check_alone(port, 300_000)


def test_an_exported_page_holds_the_session(port, desk):
    mine = {"session": json.loads(call(port, "/api/hello", {})[2])["session"]}
    call(port, "/api/open", mine)
    call(port, "/api/branch", mine | {"at": 1})
    call(port, "/api/act", mine | {"branch": 1, "who": "greedy", "steps": 3})
    call(port, "/api/calibration", mine)
    status, headers, raw = call(port, "/page", mine)
    assert status == 200 and "dream.html" in headers["Content-Disposition"]
    packed = re.search(r'id="packed">([^<]+)<', raw.decode())
    assert packed is not None
    found = json.loads(gzip.decompress(base64.b64decode(packed.group(1))))
    truth = desk.session(mine["session"]).find(1).rows
    assert [row["said"]["value"] for row in found["branches"][0]["all"]] == [
        float(row.said.value) for row in truth
    ]
    assert set(found["studies"]) == {"calibration"}
    assert not any(found["facts"][name] for name in ("replay", "no_replay", "no_reality"))
    for kind, mark in (("gif", b"GIF89a"), ("mp4", b"ftyp")):
        status, _, film = call(port, "/film", mine | {"branch": 1, "kind": kind})
        assert status == 200 and mark in film[:12]
    status, _, raw = call(port, "/film", mine | {"branch": 1, "kind": "avi"})
    assert status == 400 and "there are no films 'avi'" in json.loads(raw)["error"]


def test_a_film_shows_the_pixels_of_reality_and_dream(desk):
    from reverie.dream.export import GAP, frames_of

    name = desk.ask("hello", {})["session"]
    desk.ask("open", {"session": name})
    desk.ask("branch", {"session": name, "at": 1})
    desk.ask("act", {"session": name, "branch": 1, "who": "recorded", "steps": 2})
    branch = desk.session(name).find(1)
    frames = frames_of(branch.rows)
    assert frames.shape == (3, 16, 3 * 16 + 2 * GAP, 3)
    np.testing.assert_array_equal(frames[2][:, :16], branch.rows[2].real["image"])
    np.testing.assert_array_equal(frames[2][:, 16 + GAP : 32 + GAP], branch.rows[2].shown["image"])


def test_the_session_that_was_idle_longest_goes(lamp_inspector):
    desk = Desk(lamp_inspector, TITLE)
    names = [desk.ask("hello", {})["session"] for _ in range(MOST_SESSIONS)]
    desk.session(names[0])
    desk.ask("hello", {})
    assert desk.session(names[0])
    with pytest.raises(Gone, match="Reload the page"):
        desk.session(names[1])


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("rows", {"first": 10**9}, "the episode has the rows 0 ..."),
        ("rows", {"count": 65}, "count is 65, expected 1 ... 64"),
        ("branch", {"reality": "yes"}, "reality is 'yes', expected true or false"),
        ("branch", {"at": 1.5}, "found 1.5"),
        ("act", {"who": 3}, "who is 3, expected a text"),
        ("act", {"branch": None}, "there is no branch None"),
        ("what_if", {"steps": 0}, "steps is 0, expected 1 ... 16"),
        ("what_if", {"components": "x"}, "components is 'x', expected a list"),
        ("drift", {"samples": 1}, "samples is 1, expected 2 ... 64"),
        ("drift", {"horizon": "x"}, "horizon is 'x'"),
        ("drift", {"branch": 7}, "there is no branch 7"),
        ("what_if", {"components": ["x"]}, "no component 'x'; the action has classes only"),
    ],
)
def test_bad_requests(desk, name, body, said):
    session = desk.ask("hello", {})["session"]
    desk.ask("open", {"session": session})
    with pytest.raises(DreamError) as error:
        desk.ask(name, {"session": session, **body})
    assert said in str(error.value)


def test_a_run_that_cannot_be_opened_is_said(tmp_path, lamp, capsys, monkeypatch):
    assert main(["dream", str(tmp_path)]) == 1
    assert "is no run folder: it holds no config.json" in capsys.readouterr().err
    (tmp_path / "config.json").write_bytes((lamp / "config.json").read_bytes())
    assert main(["dream", str(tmp_path), "--device", "cpu"]) == 1
    assert "holds no complete checkpoint" in capsys.readouterr().err
    assert main(["dream", str(lamp), "--checkpoint", "newst"]) == 2
    assert "Did you mean 'newest'?" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["dream", str(lamp), "--port", "70000"])
    assert "port must be at most 65535" in capsys.readouterr().err
    monkeypatch.setattr(show, "PACKAGES", ("fastapi", "no_such_package"))
    assert main(["dream", str(lamp)]) == 2
    assert "pip install 'reverie[dream]'" in capsys.readouterr().err


def test_a_run_of_another_version_is_said(tmp_path, lamp, capsys, monkeypatch):
    newer = tmp_path / "newer"
    shutil.copytree(lamp, newer)
    tree = json.loads((newer / "config.json").read_text())
    del tree["digest"]
    tree["config"]["world"]["telepathy"] = True
    (newer / "config.json").write_text(json.dumps(tree))
    assert main(["dream", str(newer), "--device", "cpu"]) == 1
    said = capsys.readouterr().err
    assert "is not the configuration of a run of this version" in said and "telepathy" in said
    shutil.copy(lamp / "config.json", newer / "config.json")
    (saved,) = (lamp / "checkpoints").glob("0*")
    tree = checkpoint.load(saved)
    shutil.rmtree(newer / "checkpoints")
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "VERSION", 99)
        checkpoint.save(newer / "checkpoints", 200, tree)
    assert main(["dream", str(newer), "--device", "cpu"]) == 1
    said = capsys.readouterr().err
    assert "has format 99, this version of Reverie reads format" in said
    assert said.rstrip().endswith("reads format 3.") and "Traceback" not in said


def test_an_open_host_has_a_token_and_a_port_in_use_is_passed_over(lamp_inspector, monkeypatch):
    """Without the token of the printed address nothing is answered."""
    from reverie.web import server

    printed, answers = [], []

    def serve(app, listening):
        token = printed[-1].partition("?token=")[2].split()[0]
        with running(app, listening):
            found = listening.getsockname()[1]
            answers.append(found)
            for path, body, headers in (
                ("/", None, {}),
                (f"/?token={token}", None, {}),
                ("/api/hello", {}, {}),
                ("/api/hello", {}, {"X_Reverie_Token": "guess"}),
                ("/api/hello", {}, {"X_Reverie_Token": token}),
            ):
                answers.append(call(found, path, body, **headers)[0])

    monkeypatch.setattr(server, "serve", serve)
    monkeypatch.setattr(terminal, "say", printed.append)
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        options = DreamOptions("run", host="0.0.0.0", port=port)
        dream_show.run(Desk(lamp_inspector, TITLE), options)
    found, *statuses = answers
    assert statuses == [403, 200, 403, 403, 200]
    assert printed[0] == f"port {port} is in use; this page is at port {found}.\n"
    assert printed[1].startswith(f"open http://127.0.0.1:{found}/?token=")


def test_the_legend_explains_every_curve():
    page = export.page("nonce")
    curves = re.search(r"const CURVES = \{(.*)\};", page)
    assert curves is not None
    titles = dict(re.findall(r'(\w+): "([^"]+)"', curves.group(1)))
    assert tuple(titles) == wire.CURVES
    entries = re.findall(r"<dt>(.+?)</dt><dd>(.+?)</dd>", page, re.S)
    assert set(titles.values()) <= {name for name, said in entries if len(said) > 40}


def test_an_environment_that_only_its_owner_can_make(lamp):
    """Without --env the replay is still there to dream from."""
    desk = Desk(opened(lamp), TITLE)
    hello = desk.ask("hello", {})
    assert "name it with --env MODULE:FUNCTION" in hello["no_reality"] and hello["replay"]
    with pytest.raises(DreamError, match="the environment cannot be made"):
        desk.ask("open", {"session": hello["session"], "kind": "played"})
