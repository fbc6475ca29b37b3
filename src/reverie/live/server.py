"""What the server of a live report answers: its page, what is new, films of the runs."""

import re

from fastapi import Request, Response
from starlette.types import ASGIApp

from reverie.live.feed import Feed
from reverie.report import page
from reverie.web import server
from reverie.web.guard import Guard

KEPT = {"Cache-Control": "private, max-age=86400, immutable", "Accept-Ranges": "bytes"}
"""A film of this server never changes, and no other server's has its address (`show.py`); a browser
may ask for parts of it."""


def make_app(feed: Feed, guard: Guard) -> ASGIApp:
    """The application: `/`, `/api/refresh` and `/media/RUN/FILE`."""
    app = server.empty_app()

    @app.get("/")
    def first() -> Response:
        return server.page(page.live, policy)

    @app.post("/api/refresh")
    async def refresh(request: Request) -> Response:
        body = await server.body_of(request)
        return await server.answered(lambda: server.as_json(feed.answer(body)))

    @app.get("/media/{number}/{name}")
    async def film(number: str, name: str, request: Request) -> Response:
        asked = request.headers.get("range", "")
        return await server.answered(lambda: in_part(*feed.film(number, name), asked))

    return server.guarded(app, guard)


def policy(nonce: str) -> str:
    """What a browser lets the page do."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "img-src 'self' data:; media-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'"
    )


def in_part(kind: str, data: bytes, asked: str) -> Response:
    """A file, or the one part of it that the header Range asks for."""
    headers = server.HEADERS | KEPT
    found = re.fullmatch(r"bytes=(\d{1,12})-(\d{0,12})", asked)
    if found is None:
        return Response(data, media_type=kind, headers=headers)
    first, last = int(found[1]), min(int(found[2] or len(data)), len(data) - 1)
    if first > last:
        return Response(
            status_code=416, headers=headers | {"Content-Range": f"bytes */{len(data)}"}
        )
    headers |= {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
    return Response(data[first : last + 1], 206, media_type=kind, headers=headers)
