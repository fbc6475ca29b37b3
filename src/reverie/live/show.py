"""`reverie report --live`: from its options to a page that is served."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from reverie.web import show


def run(folders: Sequence[Path], place: show.Place) -> None:
    """Serve until a signal comes.

    Args:
        folders: run folders and sweep folders; they may come later.
        place: where the page is served.

    Raises ReportError where a folder will never be a run, ConfigError where the server's packages
    are missing or the host cannot be listened at.
    """
    show.check_packages("the live report")
    from reverie.live.feed import Feed
    from reverie.live.server import make_app

    def make(guard: Any, token: str) -> Any:
        # A browser keeps films: no other server's may have their addresses.
        asked = urlencode({"of": secrets.token_hex(4), **({"token": token} if token else {})})
        feed = Feed(folders, lambda number, name: f"/media/{number}/{quote(name)}?{asked}")
        return make_app(feed, guard)

    show.run(make, place)
