"""What the inspector's server answers: one page, the desk's requests, files to keep."""

from typing import Any

from fastapi import Request, Response
from starlette.types import ASGIApp

from reverie.dream import export
from reverie.dream.desk import Desk
from reverie.web import server
from reverie.web.guard import Guard


def make_app(desk: Desk, guard: Guard) -> ASGIApp:
    """The application: `/`, `/api/NAME`, `/film` and `/page`."""
    app = server.empty_app()

    @app.get("/")
    def page() -> Response:
        return server.page(export.page, export.policy)

    @app.post("/api/{name}")
    async def ask(name: str, request: Request) -> Response:
        body = await server.body_of(request)
        return await server.answered(lambda: server.as_json(desk.ask(name, body)))

    @app.post("/page")
    async def whole(request: Request) -> Response:
        body = await server.body_of(request)
        return await server.answered(lambda: _page(desk, body))

    @app.post("/film")
    async def film(request: Request) -> Response:
        body = await server.body_of(request)
        return await server.answered(lambda: _film(desk, body))

    return server.guarded(app, guard)


def _page(desk: Desk, body: Any) -> Response:
    return server.to_keep(export.frozen(desk, body), "text/html", "dream.html")


def _film(desk: Desk, body: Any) -> Response:
    data, kind = export.film(desk, body)
    return server.to_keep(data, {"gif": "image/gif", "mp4": "video/mp4"}[kind], f"dream.{kind}")
