"""From `--host` and `--port` to a page that is served until a signal comes."""

import importlib.util
import secrets
from collections.abc import Callable
from typing import Any, Protocol

from reverie.part.checks import Checker
from reverie.part.errors import ConfigError
from reverie.watch import terminal

PACKAGES = ("fastapi", "uvicorn")
PORT = 8765
HOST = "127.0.0.1"


class Place(Protocol):
    """Options that say where a page is served."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


def check_place(options: Any) -> None:
    """Raises ConfigError where `host` and `port` of some options are none."""
    check = Checker(options, "")
    check.at_least(0, "port")
    check.require(options.port <= 65_535, "port", "at most 65535")
    check.require(bool(options.host), "host", "an address, such as 127.0.0.1")


def check_packages(page: str) -> None:
    """Raises ConfigError where the server's packages are not installed; `page` needs them."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f"{page} needs {' and '.join(missing)}: pip install 'reverie[dream]'")


def run(make_app: Callable[[Any, str], Any], place: Place) -> None:
    """Serve until a signal comes.

    Args:
        make_app: makes the application of a guard and of its token ("" where none is asked for).
        place: where it listens.

    Raises ConfigError where the host cannot be listened at.
    """
    from reverie.web import guard, server

    token = "" if guard.is_loopback(place.host) else secrets.token_urlsafe(24)
    app = make_app(guard.Guard(place.host, token), token)
    listening, port = server.listen(place.host, place.port)
    if place.port not in (0, port):
        terminal.say(f"port {place.port} is in use; this page is at port {port}.\n")
    terminal.say(f"open {server.address(place.host, port, token)}   (Ctrl-C ends it)\n")
    try:
        server.serve(app, listening)
    finally:
        listening.close()
