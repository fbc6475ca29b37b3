"""The rows of a saved replay, to be looked at: which episodes are there, and what they hold."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from reverie.replay.files import Archive
from reverie.replay.keep import AbstractKeep
from reverie.replay.manifest import check_manifest, make_layout
from reverie.replay.options import ReplayConfig
from reverie.replay.room import empty_sampler, make_store
from reverie.replay.rows import is_latent, make_columns
from reverie.replay.store import Store
from reverie.replay.unit import Demand

NEWEST = 20_000
"""Rows of a stream, the newest ones, among which episodes are looked for."""


class Stretch(NamedTuple):
    """Rows of one episode that follow each other: `first` … `first` + `rows` − 1 of a stream."""

    stream: int
    first: int
    rows: int
    whole: bool  # they begin where the episode began and end where it ended


class Stored:
    """What `Replay.save` wrote, read only."""

    def __init__(self, store: Store, keep: AbstractKeep, streams: int):
        self._store, self._keep, self._streams = store, keep, streams

    def stretches(self, least: int = 2) -> list[Stretch]:
        """The episodes of at least so many live rows, newest first."""
        found = [s for stream in range(self._streams) for s in self._of(stream)]
        return sorted(
            (stretch for stretch in found if stretch.rows >= least),
            key=lambda stretch: (-(stretch.first + stretch.rows), stretch.stream),
        )

    def rows(self, stretch: Stretch) -> dict[str, Shaped[np.ndarray, "T ..."]]:
        """The columns of an episode without the states of the world model."""
        row = np.arange(stretch.first, stretch.first + stretch.rows)
        names = [name for name in self._store.columns if not is_latent(name)]
        return self._store.gather(self._keep.find(np.full(len(row), stretch.stream), row), names)

    def _of(self, stream: int) -> list[Stretch]:
        row = np.arange(max(0, self._keep.inserted - NEWEST), self._keep.inserted)
        place = self._keep.find(np.full(len(row), stream), row)
        row, place = row[place >= 0], place[place >= 0]
        if not len(row):
            return []
        flags = self._store.gather(place, ("is_first", "is_last"))
        begins = flags["is_first"] | (np.diff(row, prepend=row[0] - 2) != 1)
        return [_stretch(stream, row[part], flags, part) for part in _parts(begins)]


def _parts(begins: Shaped[np.ndarray, " N"]) -> list[Int[np.ndarray, " R"]]:
    """The positions of each run that begins where a flag is set."""
    return np.split(np.arange(len(begins)), np.flatnonzero(begins)[1:])


def _stretch(stream: int, row: np.ndarray, flags: Mapping[str, Any], part: Any) -> Stretch:
    whole = bool(flags["is_first"][part[0]] and flags["is_last"][part[-1]])
    return Stretch(stream, int(row[0]), len(row), whole)


def load(
    folder: Path,
    manifest: Mapping[str, Any],
    specs: Mapping[str, tuple[tuple[int, ...], Any]],
    *,
    options: ReplayConfig,
    streams: int,
    capacity: int,
    length: int,
    seed: int,
    online: bool,
    chunk: int,
    gigabytes: float,
    inserts: int | None,
) -> Stored:
    """The rows that `manifest` and the files of `folder` hold; arguments as `Replay` takes them.

    Raises ReplayError where they do not fit in memory, belong to another layout, or a file is
    missing, truncated or damaged.
    """
    columns = make_columns(specs)
    mutable = {name for name in columns if is_latent(name)}
    demand = Demand(streams, capacity, length, options.draw.pieces)
    memory = options.unit.memory(demand, options.keep, chunk)
    budget = {"gigabytes": gigabytes, "inserts": inserts}
    store = make_store(columns, options, memory, mutable=mutable, **budget)
    check_manifest(manifest, make_layout(store, streams=streams, length=length, online=online))
    sampler = empty_sampler(options, demand, memory, store, seed=seed, online=online)
    sampler.keep.check(manifest["keep"])
    sampler.load(manifest, Archive(store).load(folder, dict(manifest["files"])))
    return Stored(store, sampler.keep, streams)
