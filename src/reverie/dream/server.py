"""The local server: one page, the requests of the desk, files to keep. Nothing else is served."""

import contextlib
import errno
import json
import logging
import secrets
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from reverie.dream import export
from reverie.dream.desk import Desk, Gone
from reverie.dream.guard import LARGEST, Guard, bracketed, in_small_letters
from reverie.part.errors import ConfigError

TRIES = 20
"""Ports that are tried, where the first one is in use."""
PATIENCE = 3
"""Seconds that open connections get at the end."""

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

log = logging.getLogger("reverie")


class Guarded:
    """Answers what the guard refuses; all other requests go on."""

    def __init__(self, app: ASGIApp, guard: Guard):
        self._app, self._guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        request = Request(scope)
        refused = self._guard.refusal(
            in_small_letters(request.headers.items()), request.method, request.query_params
        )
        if refused is None:
            await self._app(scope, receive, send)
        else:
            await _error(refused.sentence, refused.status)(scope, receive, send)


def make_app(desk: Desk, guard: Guard) -> ASGIApp:
    """The application: `/`, `/api/NAME`, `/film` and `/page`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    def page() -> Response:
        nonce = secrets.token_urlsafe(12)
        headers = HEADERS | {"Content-Security-Policy": export.policy(nonce)}
        return Response(export.page(nonce), media_type="text/html", headers=headers)

    @app.post("/api/{name}")
    async def ask(name: str, request: Request) -> Response:
        body = await _body(request)
        return await _answered(lambda: _json(desk.ask(name, body)))

    @app.post("/page")
    async def whole(request: Request) -> Response:
        body = await _body(request)
        return await _answered(lambda: _file(export.frozen(desk, body), "text/html", "dream.html"))

    @app.post("/film")
    async def film(request: Request) -> Response:
        body = await _body(request)
        return await _answered(lambda: _film(desk, body))

    app.add_middleware(GZipMiddleware, minimum_size=4096, compresslevel=1)
    return Guarded(app, guard)


def _film(desk: Desk, body: Any) -> Response:
    data, kind = export.film(desk, body)
    return _file(data, {"gif": "image/gif", "mp4": "video/mp4"}[kind], f"dream.{kind}")


async def _body(request: Request) -> Any:
    """The JSON value of a request; None where it is none, or longer than it said."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > LARGEST:
            return None
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(data)
    return None


async def _answered(work: Callable[[], Response]) -> Response:
    """What `work` gives, in a thread: the page of another browser is served meanwhile."""
    from starlette.concurrency import run_in_threadpool

    try:
        return await run_in_threadpool(work)
    except Gone as error:
        return _error(str(error), 410)
    except Exception as error:
        if not type(error).__module__.startswith("reverie."):
            log.exception("A request failed.")
            return _error(f"the server failed ({type(error).__name__}: {error}).", 500)
        return _error(str(error), 400)


def _json(value: Any) -> Response:
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Response(text, media_type="application/json", headers=HEADERS)


def _error(sentence: str, status: int) -> Response:
    text = json.dumps({"error": sentence})
    return Response(text, status, media_type="application/json", headers=HEADERS)


def _file(data: bytes, kind: str, name: str) -> Response:
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=kind, headers=headers)


def listen(host: str, port: int) -> tuple[socket.socket, int]:
    """A socket that listens at `port`, or at the next one that is free; and which one that is.

    Raises ConfigError where the host cannot be listened at, or no port is free.
    """
    for candidate in range(port, port + TRIES) if port else (0,):
        if candidate > 65_535:
            break
        try:
            family = socket.getaddrinfo(host, candidate, type=socket.SOCK_STREAM)[0][0]
            made = socket.socket(family, socket.SOCK_STREAM)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        except OSError as error:
            raise ConfigError(_cannot(host, error)) from None
        try:
            made.bind((host, candidate))
            made.listen(64)
        except OSError as error:
            made.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise ConfigError(_cannot(host, error)) from None
            continue
        return made, made.getsockname()[1]
    raise ConfigError(
        f"none of the ports {port} ... {min(65_535, port + TRIES - 1)} can be listened at: they "
        "are in use or not allowed. Name another with --port."
    )


def _cannot(host: str, error: OSError) -> str:
    return (
        f"--host {host} cannot be listened at ({error.strerror or error}): name an address of this "
        "machine, or leave it out for 127.0.0.1."
    )


def address(host: str, port: int, token: str) -> str:
    """What to open in a browser."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "") else host
    shown = "[::1]" if shown == "::" else bracketed(shown)
    return f"http://{shown}:{port}/" + (f"?token={token}" if token else "")


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Answer until a signal comes."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=PATIENCE,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[listening])
