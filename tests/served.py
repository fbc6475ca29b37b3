"""An application, served on this machine in a thread of the test; and how to call it."""

import contextlib
import gzip
import http.client
import json
import threading


@contextlib.contextmanager
def served(app):
    """The port at which `app` answers."""
    import uvicorn

    from reverie.web import server

    listening, port = server.listen("127.0.0.1", 0)
    running = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield port
    finally:
        running.should_exit = True
        thread.join(20)
        listening.close()


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
