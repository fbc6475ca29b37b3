"""What a replay holds beside its rows: who stays, what is drawn, which windows are new, counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reverie.replay.keep import AbstractKeep, Change, Ticket
from reverie.replay.manifest import LATER
from reverie.replay.options import ReplayConfig
from reverie.replay.room import Room
from reverie.replay.sampler import Drawn, Sampler, score_columns
from reverie.replay.statistics import TASK, Counters
from reverie.replay.store import Store
from reverie.replay.unseen import AbstractQueue


@dataclass
class Contents:
    """The parts that follow every row and that a checkpoint keeps."""

    keep: AbstractKeep
    sampler: Sampler
    queue: AbstractQueue | None
    """Windows that are delivered once before any is drawn; None where there is no such queue."""
    counters: Counters = field(default_factory=Counters)

    def follow(self, change: Change, rows: Mapping[str, np.ndarray]) -> None:
        """Take note of rows that came and went."""
        self.sampler.follow(change, self.keep, rows)
        if self.queue is not None:
            self.queue.follow(change, self.keep)

    def fresh(self, batch: int) -> Ticket:
        """Up to `batch` waiting windows of the queue."""
        if self.queue is None:
            nothing = np.zeros(0, np.int64)
            return Ticket(nothing, nothing)
        return self.queue.take(batch, self.keep)

    def note(self, drawn: Drawn, rows: Mapping[str, Any], *, length: int) -> None:
        """Count a batch of sequences of `length` rows."""
        stream, row = (part.reshape(len(part), -1)[:, 0] for part in drawn.ticket)
        age = self.keep.inserted - length - row
        self.counters.note_draw(fresh=drawn.fresh, ages=age)
        task = rows.get(TASK)
        newer = self.keep.newer(stream, row)
        self.sampler.histogram.note(newer, None if task is None else task[:, 0])

    def commit(
        self, store: Store, rows: Ticket, values: Mapping[str, np.ndarray], score: Any
    ) -> int:
        """Write back what an update found out about rows [B, N]; how many of them were gone."""
        stream, row = rows
        place = self.keep.find(stream, row)
        live = place >= 0
        store.overwrite(place[live], {key: value[live] for key, value in values.items()})
        late = int(live.size - live.sum())
        self.counters.note_write(live=live.size - late, late=late)
        self.sampler.commit(rows, score, self.keep)
        if score is not None:
            self.keep.rescore(stream, row, score)
        return late

    def stats(self, *, streams: int, length: int, row_bytes: int) -> dict[str, float]:
        """What the metrics under `replay/` show.

        `rows` live rows, `windows` that can be drawn, `streams`, `gigabytes` of the live rows
        (10⁹ bytes), `inserts` and `evicted` rows ever, `samples` sequences ever drawn, `online`
        those of them that came from the online queue, `updates` rows ever written back, `dropped`
        rows ever written back too late, `waiting` and `skipped` windows of the online queue,
        `fresh` share of sequences that came from it, `age` mean number of newer rows in the
        stream of a sequence. The last two are absent when nothing was drawn.
        """
        inserts, rows = self.keep.inserted * streams, self.keep.num_rows
        values = {
            "rows": rows,
            "windows": self.keep.num_windows(length),
            "streams": streams,
            "gigabytes": rows * row_bytes / 1e9,
            "inserts": inserts,
            "evicted": inserts - rows,
        }
        if self.queue is not None:
            values |= {"waiting": self.queue.waiting(self.keep), "skipped": self.queue.skipped}
        return values | self.counters.report() | self.keep.stats() | self.sampler.stats(self.keep)

    def state(self) -> dict[str, Any]:
        """The parts of a manifest that `load` needs, as JSON values."""
        self.sampler.settle(self.keep)
        return {
            "keep": self.keep.state(),
            "online": None if self.queue is None else self.queue.state(),
            "counters": self.counters.state(),
            "sampler": self.sampler.state(),
        }

    def tables(self) -> dict[str, np.ndarray]:
        """Arrays that `load` needs beside `state`."""
        tables = {f"keep/{name}": array for name, array in self.keep.tables().items()}
        queue = {} if self.queue is None else self.queue.tables()
        return tables | {f"online/{name}": array for name, array in queue.items()}

    def check(self, manifest: Mapping[str, Any]) -> None:
        """Raises ReplayError where `manifest` does not fit, before any file is read."""
        self.keep.check(manifest["keep"])

    def load(self, manifest: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        """Continue where `state` and `tables` were taken; the rows are in the store again."""
        self.counters.load(manifest["counters"])
        self.keep.load(manifest["keep"], _group("keep/", tables))
        if self.queue is not None:
            self.queue.load(manifest["online"], _group("online/", tables))
        if LATER in manifest:
            self.sampler.load(manifest[LATER], self.keep)


def empty_contents(options: ReplayConfig, room: Room, *, seed: int, online: bool) -> Contents:
    """The parts of a replay into which no row came yet."""
    keep = options.unit.build(room.demand, options.keep, room.memory, room.store, seed)
    sampler = Sampler(
        options,
        length=room.demand.length,
        streams=room.demand.streams,
        arrays={name: room.store.flat(name) for name in score_columns(options)},
        touch=room.store.touch,
    )
    return Contents(keep, sampler, options.unit.queue(room.demand) if online else None)


def _group(prefix: str, tables: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tables whose names begin with `prefix`, without it."""
    return {k.removeprefix(prefix): v for k, v in tables.items() if k.startswith(prefix)}
