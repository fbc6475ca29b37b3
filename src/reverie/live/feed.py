"""All runs that are watched: what has changed since a page asked last."""

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reverie.live.known import known_of
from reverie.live.watched import Watched
from reverie.report import media, page, panels
from reverie.report.curves import told
from reverie.report.levels import levels
from reverie.report.places import without_folders
from reverie.report.read import ReportError, Run, check_different, labels_of, not_a_run, runs_of
from reverie.web.errors import Gone

READING = 0.5
"""Seconds that one refresh reads metrics at most; what is left over comes with the next."""
FRESH = 0.5
"""Seconds within which two pages get the same answer, and nothing is read twice."""
SLOW = 15.0
"""Seconds between two looks at sequences of tasks, whose intervals take a while."""


class Feed:
    """What the pages of one server see; they may ask at the same time.

    Args:
        folders: run folders and sweep folders; they may come later.
        link: gives the address of a film of a run, by its number and the file's name.
    """

    def __init__(self, folders: Sequence[Path], link: Callable[[int, str], str]):
        self._folders = [folder.resolve() for folder in folders]
        for folder in self._folders:
            check_can_come(folder)
        check_different(self._folders)
        self._link = link
        self._lock = threading.Lock()
        self._epoch, self._version, self._when = secrets.token_hex(8), 0, 0.0
        self._watched: dict[Path, Watched] = {}
        self._waiting: list[str] = []
        self._blocks: dict[str, tuple[int, str]] = {}
        self._kept: dict[str, tuple[Any, dict[str, Any]]] = {}
        self._runs: list[tuple[Watched, Run]] = []
        self._folded: frozenset[str] = frozenset()

    def answer(self, body: Any) -> dict[str, Any]:
        """What a page does not know yet, as JSON values (see `Known`).

        Raises ReportError for a request that is none.
        """
        known = known_of(body, self._epoch)
        with self._lock:
            if time.monotonic() - self._when >= FRESH:
                self._refresh()
                self._when = time.monotonic()
            runs = [run for _, run in self._runs]
            known = known._replace(folded=self._folded)
            return {
                "epoch": self._epoch,
                "version": self._version,
                "behind": sum(watched.behind() for watched, _ in self._runs),
                "runs": [told(run, watched.number) for watched, run in self._runs],
                "levels": [level._asdict() for level in levels(runs)],
                "curves": {str(w.number): w.news(run, known) for w, run in self._runs},
                "blocks": {n: text for n, (at, text) in self._blocks.items() if at > known.since},
            }

    def film(self, number: str, name: str) -> tuple[str, bytes]:
        """Type and bytes of a film or still of a run. Raises Gone where there is none."""
        for watched, _ in self._runs:
            for file in watched.media if str(watched.number) == number else ():
                if file.path.name == name and file.kind in media.TYPES:
                    return media.read(file.path)
        raise Gone("there is no such film, or not any more: reload the page.")

    def _refresh(self) -> None:
        self._version += 1
        found = self._find()
        begin = time.monotonic()
        for place, watched in enumerate(found):
            share = (begin + READING - time.monotonic()) / (len(found) - place)
            watched.refresh(self._version, time.monotonic() + max(0.0, share))
        self._waiting += [watched.trouble for watched in found if watched.trouble]
        named = zip(found, labels_of([watched.path for watched in found]), strict=True)
        self._runs = [(watched, watched.run(name)) for watched, name in named if watched.head]
        content = self._content()
        self._folded = panels.folded(content["sections"])
        for name in page.BLOCKS:
            text = page.block(name, content)
            if name not in self._blocks or self._blocks[name][1] != text:
                self._blocks[name] = self._version, text

    def _find(self) -> list[Watched]:
        """What the folders stand for now, in the order in which it was first seen."""
        self._waiting, now = [], set()
        for folder in self._folders:
            try:
                paths = [path.resolve() for path in runs_of(folder)]
            except ReportError as error:
                self._waiting.append(str(error))
                continue
            for path in paths:
                self._watched.setdefault(path, Watched(path, len(self._watched)))
            now.update(paths)
        return [watched for path, watched in self._watched.items() if path in now]

    def _content(self) -> dict[str, Any]:
        """What the templates of the page fill in."""
        runs = [run for _, run in self._runs]
        heads = tuple((watched.head, run.label) for watched, run in self._runs)
        films = tuple(watched.media for watched, _ in self._runs)
        tasks = any(run.config.get("sequence.tasks") for run in runs)
        about = self._keep("about", heads, lambda: page.about(runs))
        now = time.monotonic() // SLOW if tasks else 0
        sequences = self._keep("sequences", (heads, now), lambda: page.sequences(runs))
        filmed = self._keep("films", (heads, films), lambda: page.filmed(runs, self._linked()))
        measured = page.measured(runs, self._steady(), sequences, about["settings"])
        changing = {
            "runs": runs,
            "ids": [watched.number for watched, _ in self._runs],
            "waiting": [without_folders(sentence) for sentence in self._waiting],
            "curve": None,
        }
        return {**about, **filmed, **measured, **changing}

    def _keep(self, name: str, key: Any, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `make` gave when `key` was last another."""
        known = self._kept.get(name)
        if known is None or known[0] != key:
            known = self._kept[name] = (key, make())
        return known[1]

    def _linked(self) -> media.Link:
        numbers = {run.path: watched.number for watched, run in self._runs}
        return lambda run, path, _: self._link(numbers[run.path], path.name)

    def _steady(self) -> dict[str, float | None]:
        """As `panels.constants`."""
        ranges: dict[str, list[float]] = {}
        for watched, _ in self._runs:
            for name, curve in watched.curves.items():
                ranges.setdefault(name, []).extend((curve.low(), curve.high()))
        return {name: v[0] if min(v) == max(v) else None for name, v in ranges.items()}


def check_can_come(folder: Path) -> None:
    """Raises ReportError where `folder` exists and no run will ever be there."""
    inside = folder.is_dir() and not (folder / "config.json").exists()
    others = inside and any(folder.glob("*/config.json")) and runs_of(folder) == [folder]
    if others or (folder.exists() and not folder.is_dir()):
        raise ReportError(not_a_run(folder))
