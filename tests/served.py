"""An application, served on this machine in a thread of the test; and how to call it."""

import contextlib
import gzip
import http.client
import json
import re
import threading


@contextlib.contextmanager
def served(app):
    """The port at which `app` answers."""
    from reverie.web import server

    listening, port = server.listen("127.0.0.1", 0)
    with running(app, listening):
        yield port
    listening.close()


@contextlib.contextmanager
def running(app, listening):
    """`app` answers at a socket that listens."""
    import uvicorn

    found = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    thread = threading.Thread(target=found.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield
    finally:
        found.should_exit = True
        thread.join(20)


def call(port, path, body=None, **headers):
    """Status, headers and text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    data = None if body is None else json.dumps(body) if not isinstance(body, str) else body
    sent = {"Content-Type": "application/json"} if body is not None else {}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET" if body is None else "POST", path, data, sent)
    answer = connection.getresponse()
    raw = answer.read()
    connection.close()
    raw = gzip.decompress(raw) if answer.headers.get("Content-Encoding") == "gzip" else raw
    return answer.status, answer.headers, raw


def foreign(path):
    """Requests of others than the server's page; `path` takes those of the page. Each with the
    status of its answer and what that says."""
    return [
        ("/", None, {"Host": "evil.example:80"}, 421, "is not called 'evil.example:80'"),
        (path, {}, {"Origin": "http://evil.example"}, 403, "http://evil.example"),
        (path, {}, {"Origin": "null"}, 403, "null"),
        (path, {}, {"Sec_Fetch_Site": "cross-site"}, 403, "other sites"),
        (path, {}, {"Content_Type": "text/plain"}, 415, "application/json"),
        (path, "x" * 70_000, {}, 413, "at most 65,536 bytes"),
        (path, "[1]", {}, 400, "a request is a JSON object, found list."),
        (path, "{", {}, 400, "a request is a JSON object, found NoneType."),
    ]


def check_refused(port, path, body, headers, status, said):
    """A request is answered in one sentence."""
    found, _, raw = call(port, path, body, **headers)
    assert found == status, raw
    sentence = json.loads(raw)["error"]
    assert said in sentence and "\n" not in sentence and "Traceback" not in sentence, sentence


def check_alone(port, most):
    """The page has fewer than `most` bytes and loads nothing, through an SSH tunnel too; its
    text."""
    status, headers, raw = call(port, "/", Host=f"localhost:{port + 1}")
    text = raw.decode()
    assert status == 200 and len(raw) < most, (status, len(raw))
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert re.findall(r"""(?:src|href)=["'](?!data:)|url\(|@import|//cdn|https://""", text) == []
    return text
