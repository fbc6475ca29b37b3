"""A replay in equal parts, each with its share of the environments and of every batch.

Processes that learn together keep one part each, or several; one process may keep all of them. What
is drawn depends on the number of parts, not on who keeps them.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from reverie.replay import files
from reverie.replay.errors import ReplayError
from reverie.replay.keep import Ticket
from reverie.replay.replay import Replay
from reverie.replay.rows import Columns

SHARES = "shares"
"""Key of the parts' manifests in that of the whole."""

SUMS = frozenset(
    {
        *("rows", "windows", "streams", "gigabytes", "inserts", "evicted", "samples"),
        *("online", "updates", "dropped", "waiting", "skipped"),
    }
)
"""Statistics of the parts that are added up; of all others the mean is told."""


def share_folder(folder: Path, index: int) -> Path:
    """Where the files of a part are, below those of a replay."""
    return folder / f"share-{index}"


def seed_of(seed: int, index: int) -> int:
    """The root of a part's draws: other numbers for every part and every seed of a run."""
    return seed + (index << 32)


class Shares:
    """Parts `first`, `first` + 1, … of a replay, to be used as one (`Replay` says how).

    Streams are numbered from 0 over the parts that are here, and so are those of tickets. A batch
    has the sequences of the first part first.
    """

    def __init__(self, parts: Sequence[Replay], first: int = 0):
        self._parts, self._first = [*parts], first
        self.columns: Columns = parts[0].columns
        self.length, self._each = parts[0].length, parts[0].streams
        self.streams = len(parts) * self._each

    @property
    def num_windows(self) -> int:
        return sum(part.num_windows for part in self._parts)

    def num_windows_of(self, length: int) -> int:
        """Different sequences of `length` rows; 0 until every part has one."""
        found = [part.num_windows_of(length) for part in self._parts]
        return sum(found) if all(found) else 0

    @property
    def weighted(self) -> bool:
        return self._parts[0].weighted

    @property
    def wraps(self) -> bool:
        return any(part.wraps for part in self._parts)

    @property
    def planned_bytes(self) -> int:
        return sum(part.planned_bytes for part in self._parts)

    @property
    def live_bytes(self) -> int:
        return sum(part.live_bytes for part in self._parts)

    @property
    def disk_bytes(self) -> int:
        return sum(part.disk_bytes for part in self._parts)

    def can_draw(self, windows: int = 1) -> bool:
        """Whether every part has its share of so many sequences."""
        each = -(-windows // len(self._parts))
        return all(part.can_draw(each) for part in self._parts)

    def add(self, rows: Mapping[str, Shaped[np.ndarray, "E ..."]]) -> None:
        for index, part in enumerate(self._parts):
            own = slice(index * self._each, (index + 1) * self._each)
            part.add({name: column[own] for name, column in rows.items()})

    def draw(self, batch: int) -> tuple[dict[str, Shaped[np.ndarray, "B L ..."]], Ticket]:
        """`batch` must be a multiple of the parts."""
        each = batch // len(self._parts)
        return self._joined([part.draw(each) for part in self._parts])

    def peek(
        self, batch: int, counter: int, *, length: int | None = None
    ) -> dict[str, Shaped[np.ndarray, "B L ..."]]:
        shares = np.array_split(np.arange(batch), len(self._parts))
        drawn = [
            part.peek(len(share), counter, length=length)
            for part, share in zip(self._parts, shares, strict=True)
            if len(share)
        ]
        return _stacked(drawn)

    def windows(
        self, ordinal: Int[np.ndarray, " B"]
    ) -> tuple[dict[str, Shaped[np.ndarray, "B L ..."]], Ticket]:
        ends = np.cumsum([part.num_windows for part in self._parts])
        owner = np.searchsorted(ends, ordinal, side="right")
        found = [
            self._numbered(index, *part.windows(ordinal[owner == index] - (ends[index] - count)))
            for index, part in enumerate(self._parts)
            if (count := part.num_windows) and (owner == index).any()
        ]
        order = np.argsort(np.argsort(owner, kind="stable"), kind="stable")
        rows, ticket = _stacked([rows for rows, _ in found]), _tickets([t for _, t in found])
        rows = {name: column[order] for name, column in rows.items()}
        return rows, Ticket(ticket.stream[order], ticket.row[order])

    def rescore(self, ticket: Ticket, score: Float[np.ndarray, "B T"], *, offset: int) -> None:
        for part, own, here in self._by_part(ticket):
            part.rescore(own, score[here], offset=offset)

    def write(
        self, ticket: Ticket, values: Mapping[str, Shaped[np.ndarray, "B T ..."]], *, offset: int
    ) -> int:
        late = 0
        for part, own, here in self._by_part(ticket):
            late += part.write(own, {k: v[here] for k, v in values.items()}, offset=offset)
        return late

    def stats(self) -> dict[str, float]:
        return merged([part.stats() for part in self._parts])

    def notes(self, windows: int) -> list[str]:
        each = -(-windows // len(self._parts))
        return [*dict.fromkeys(note for part in self._parts for note in part.notes(each))]

    def save(self, folder: str | Path) -> dict[str, Any]:
        """The manifests of the parts that are here."""
        return {SHARES: self._each_in(folder, lambda part, place: part.save(place))}

    def load(self, folder: str | Path, manifest: Mapping[str, Any]) -> None:
        """Continue where `save` returned `manifest`: of the parts that are here."""
        listed = manifest.get(SHARES, [manifest])
        if len(listed) != len(self._parts):
            raise ReplayError(
                f"the saved replay has {len(listed)} shares, this run has {len(self._parts)}: "
                "resume with the --replay.shares of the run, or choose another --logdir."
            )
        manifests = iter(listed)
        self._each_in(folder, lambda part, place: part.load(place, next(manifests)))

    def _each_in(self, folder: str | Path, do: Callable[[Replay, Path], Any]) -> list[Any]:
        return [
            do(part, share_folder(Path(folder), self._first + index))
            for index, part in enumerate(self._parts)
        ]

    def _numbered(self, index: int, rows: Any, ticket: Ticket) -> tuple[Any, Ticket]:
        return rows, Ticket(ticket.stream + index * self._each, ticket.row)

    def _joined(self, drawn: Sequence[tuple[Any, Ticket]]) -> tuple[dict[str, Any], Ticket]:
        found = [self._numbered(index, *one) for index, one in enumerate(drawn)]
        return _stacked([rows for rows, _ in found]), _tickets([ticket for _, ticket in found])

    def _by_part(self, ticket: Ticket) -> list[tuple[Replay, Ticket, Any]]:
        """Each part with its sequences of a ticket, and where they stand in it."""
        stream = ticket.stream[:, 0] if ticket.stream.ndim == 2 else ticket.stream
        owner, found = stream // self._each, []
        for index, part in enumerate(self._parts):
            here = owner == index
            if here.any():
                own = Ticket(ticket.stream[here] - index * self._each, ticket.row[here])
                found.append((part, own, here))
        return found


def merged(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The statistics of several parts as those of all."""
    names = dict.fromkeys(name for values in found for name in values)
    told = {name: [values[name] for values in found if name in values] for name in names}
    return {
        name: float(sum(v) if name.removeprefix("replay/") in SUMS else np.mean(v))
        for name, v in told.items()
    }


def check(folder: Path, manifest: Mapping[str, Any]) -> None:
    """`files.check` of every part."""
    for place, listed in manifests_of(folder, manifest):
        files.check(place, listed)


def prune(folder: Path, manifests: Sequence[Mapping[str, Any]]) -> None:
    """`files.prune` of every part's folder."""
    kept: dict[Path, list[Any]] = {}
    for manifest in manifests:
        for place, listed in manifests_of(folder, manifest):
            kept.setdefault(place, []).append(listed)
    for place, listed in kept.items():
        files.prune(place, listed)


def manifests_of(folder: Path, manifest: Mapping[str, Any]) -> list[tuple[Path, Any]]:
    """The folder and the manifest of every part of a saved replay; its own where it has none."""
    if SHARES not in manifest:
        return [(folder, manifest)]
    listed = manifest[SHARES]
    return [(share_folder(folder, index), part) for index, part in enumerate(listed)]


def _stacked(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _tickets(tickets: Sequence[Ticket]) -> Ticket:
    return Ticket(
        np.concatenate([ticket.stream for ticket in tickets]),
        np.concatenate([ticket.row for ticket in tickets]),
    )


AnyReplay = Replay | Shares
"""The replay of a run, in one part or in several."""
