"""A local server of one page: what is answered, where it listens, when it ends."""

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
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from reverie.part.errors import ConfigError
from reverie.web.errors import Gone
from reverie.web.guard import LARGEST, Guard, bracketed, in_small_letters

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
            await error(refused.sentence, refused.status)(scope, receive, send)


def empty_app() -> FastAPI:
    """An application that answers nothing yet; not even what it could answer."""
    return FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


def guarded(app: FastAPI, guard: Guard) -> ASGIApp:
    """`app`, its long answers packed, behind the guard."""
    app.add_middleware(GZipMiddleware, minimum_size=4096, compresslevel=1)
    return Guarded(app, guard)


def page(render: Callable[[str], str], policy: Callable[[str], str]) -> Response:
    """A page whose scripts and styles have a nonce; `policy` is what a browser lets it do."""
    nonce = secrets.token_urlsafe(12)
    headers = HEADERS | {"Content-Security-Policy": policy(nonce)}
    return Response(render(nonce), media_type="text/html", headers=headers)


async def body_of(request: Request) -> Any:
    """The JSON value of a request; None where it is none, or longer than it said."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > LARGEST:
            return None
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(data)
    return None


async def answered(work: Callable[[], Response]) -> Response:
    """What `work` gives, in a thread: the page of another browser is served meanwhile."""
    try:
        return await run_in_threadpool(work)
    except Gone as gone:
        return error(str(gone), 410)
    except Exception as failure:
        if not type(failure).__module__.startswith("reverie."):
            log.exception("A request failed.")
            return error(f"the server failed ({type(failure).__name__}: {failure}).", 500)
        return error(str(failure), 400)


def as_json(value: Any) -> Response:
    """A value as an answer."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Response(text, media_type="application/json", headers=HEADERS)


def error(sentence: str, status: int) -> Response:
    """One sentence as an answer."""
    text = json.dumps({"error": sentence})
    return Response(text, status, media_type="application/json", headers=HEADERS)


def to_keep(data: bytes, kind: str, name: str) -> Response:
    """A file that the browser keeps."""
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
