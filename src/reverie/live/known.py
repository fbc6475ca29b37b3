"""What a page that asks knows already."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from reverie.report.read import ReportError


class Known(NamedTuple):
    """Versions of what a page was told.

    Curves of `folded` charts are told only to a page that has opened them: `opened` holds the
    version at which it was told last, 0 where it never was.
    """

    since: int
    opened: Mapping[str, int]
    folded: Collection[str] = ()

    def version_of(self, name: str) -> int | None:
        """The version at which the page was told of a curve; None where it does not ask for it."""
        return self.opened.get(name) if name in self.folded else self.since


def known_of(body: Any, epoch: str) -> Known:
    """What a request says that its page knows; nothing where it was told by another server, whose
    `epoch` was another.

    Raises ReportError for a request that is none.
    """
    if not isinstance(body, Mapping):
        raise ReportError(f"a request is a JSON object, found {type(body).__name__}.")
    since, opened = body.get("since", 0), body.get("opened", {})
    if not _is_version(since):
        raise ReportError(f"since is {since!r}, expected a whole number from 0 on.")
    if not isinstance(opened, Mapping) or not all(map(_is_version, opened.values())):
        raise ReportError("opened is no object of metrics and whole numbers from 0 on.")
    if body.get("epoch") != epoch:
        return Known(0, dict.fromkeys(opened, 0))
    return Known(since, opened)


def _is_version(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
