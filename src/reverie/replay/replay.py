"""Replay: rows in, sequences out, results back in, all behind one lock."""

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from reverie.replay.draw import PEEK, TRAIN, generator
from reverie.replay.errors import ReplayError, nearest
from reverie.replay.files import Archive
from reverie.replay.keep import AbstractKeep, Ticket, spread
from reverie.replay.manifest import LATER, check_manifest, make_layout, make_manifest
from reverie.replay.options import ReplayConfig
from reverie.replay.rows import Columns, check_names, fit, is_latent, make_columns, row_bytes
from reverie.replay.sampler import SCORE, WEIGHT, Drawn, Sampler, score_columns
from reverie.replay.statistics import TASK, Counters
from reverie.replay.store import (
    MUTABLE,
    Store,
    available_bytes,
    check_budget,
    check_sizes,
    planned_bytes,
)
from reverie.replay.unit import Demand
from reverie.replay.unseen import AbstractQueue


class Replay:
    """Rows of `streams` environments as retention keeps them, and sequences drawn from them.

    Memory is planned at the start and committed as rows arrive. Whatever touches rows holds one
    lock: one thread may add while another draws and a third writes results back. Which windows a
    draw returns depends on the order of the calls and on `seed`, on nothing else.
    """

    def __init__(
        self,
        specs: Mapping[str, tuple[tuple[int, ...], Any]],
        *,
        streams: int,
        capacity: int,
        length: int,
        seed: int = 0,
        online: bool = True,
        options: ReplayConfig | None = None,
        mutable: Iterable[str] | None = None,
        chunk: int = 1024,
        gigabytes: float = 0.0,
        inserts: int | None = None,
    ):
        """Args:
            specs: shape and dtype of every column (`rows.row_specs`).
            streams: environments E whose rows are stored side by side.
            capacity: most rows kept, all streams together; in rings ⌊capacity / E⌋ each.
            length: rows L of a drawn sequence: context plus trained rows.
            seed: root of the draws, in [0, 2⁶⁴).
            online: deliver every row once, soon after it arrived, before drawing.
            options: what stays when memory is full, and which windows are drawn; None: the newest,
                and uniformly.
            mutable: columns that `write` may overwrite; None: the latents among them.
            chunk: rows a file on disk, shared evenly by the streams (at least one row of each).
            gigabytes: byte budget, 10⁹ bytes. 0: three quarters of the memory free now.
            inserts: most rows that will ever be added; memory beyond is never touched and needs no
                budget. None: not known.

        Raises ReplayError if a stream would not hold one sequence, or the budget is exceeded.
        """
        check_sizes(streams=streams, capacity=capacity, length=length, chunk=chunk)
        generator(seed, 0, TRAIN)  # refuses a seed out of range before any work is done
        self.columns: Columns = make_columns(specs)
        self.streams, self.length, self._seed = streams, length, seed
        self._options = ReplayConfig() if options is None else options
        unit, keep = self._options.unit, self._options.keep
        self._demand = Demand(streams, capacity, length, self._options.draw.pieces)
        self._memory = unit.memory(self._demand, keep, chunk)
        rings, slots, block = self._memory[:3]
        free = available_bytes()
        if mutable is None:
            mutable = [name for name in self.columns if is_latent(name)]
        scores = score_columns(self._options)
        stored = self.columns | scores
        touched = slots if inserts is None else min(slots, -(-inserts // rings))
        check_budget(stored, streams=rings, slots=touched, gigabytes=gigabytes, free=free)
        self._store = Store(
            stored, streams=rings, slots=slots, block=block, mutable=(*mutable, *scores)
        )
        self._touched, self._warned = touched, False
        self._mutable = tuple(name for name in self.columns if name in set(mutable))
        self._keep = self._make_keep()
        self._sampler = self._make_sampler()
        self._queue = self._make_queue() if online else None
        self._archive = Archive(self._store)
        self._counters = Counters()
        self._lock = threading.RLock()

    @property
    def num_windows(self) -> int:
        """Different sequences that can be drawn now."""
        return self.num_windows_of(self.length)

    def num_windows_of(self, length: int) -> int:
        """Different sequences of `length` rows that `peek` can choose from now."""
        with self._lock:
            return self._keep.num_windows(length)

    @property
    def weighted(self) -> bool:
        """Whether batches hold importance weights, `weight` [B] float32."""
        return self._sampler.weighted

    @property
    def planned_bytes(self) -> int:
        """Host memory of the full replay: of the rows that can ever be touched."""
        return planned_bytes(self._store.columns, streams=self._store.streams, slots=self._touched)

    @property
    def live_bytes(self) -> int:
        """Host memory of the rows that are there now."""
        return self._keep.num_rows * row_bytes(self.columns)

    @property
    def disk_bytes(self) -> int:
        """Disk of the full replay: with the empty ends of units' pages."""
        return planned_bytes(
            self._store.columns, streams=self._store.streams, slots=self._store.slots
        )

    @property
    def wraps(self) -> bool:
        """Whether rows of units may have to go: more may come than there is room for."""
        return self._memory.page > 0 and self._touched == self._store.slots

    def can_draw(self, windows: int = 1) -> bool:
        """Whether at least so many different sequences can be drawn; where they are laid out of
        pieces, whether there are so many rows to begin one with."""
        if self._demand.pieces:
            with self._lock:
                return int(self._keep.spans().rows.sum()) >= max(1, windows)
        return self.num_windows >= max(1, windows)

    def add(self, rows: Mapping[str, Shaped[np.ndarray, "E ..."]]) -> None:
        """Append one row to every stream; where memory is full retention decides who goes.

        Raises ReplayError for a missing or unknown column, a wrong shape, or a dtype that could
        lose values; nothing is stored then.
        """
        check_names(rows, self.columns)
        lead = (self.streams,)
        checked = {key: fit(key, rows[key], column, lead) for key, column in self.columns.items()}
        with self._lock:
            self._store.put(self._keep.admit(checked), checked)
            change = self._keep.settle(checked)
            self._sampler.follow(change, self._keep, checked)
            if self._queue is not None:
                self._queue.follow(change, self._keep)

    def draw(self, batch: int) -> tuple[dict[str, Shaped[np.ndarray, "B L ..."]], Ticket]:
        """`batch` sequences of L rows, and the ticket with which to write results back.

        Waiting windows of the online queue come first, then draws. Row 0 of each sequence has
        `is_first`, and a row whose successor in the sequence has `is_first` has `is_last` (the
        episode was abandoned there) [dreamerv3.md §4.2]. The arrays are copies.

        Raises ReplayError if no stream holds L rows yet.
        """
        with self._lock:
            self._check_drawable(self.can_draw(), self.length)
            rng = generator(self._seed, self._counters.draws, TRAIN)
            drawn = self._sampler.draw(
                batch,
                self._keep,
                rng,
                first=self._take_fresh(batch),
                clock=self._counters.draws,
            )
            rows = self._assemble(drawn.ticket, self.length)
            self._note(drawn, rows)
            if drawn.weight is not None:
                rows[WEIGHT] = drawn.weight
            return rows, drawn.ticket

    def peek(
        self, batch: int, counter: int, *, length: int | None = None
    ) -> dict[str, Shaped[np.ndarray, "B L ..."]]:
        """`batch` sequences for a report: uniform whatever the strategy, without any effect on
        later draws or statistics. Equal `counter` and content give equal sequences.

        Args:
            batch: number of sequences.
            counter: number of the report, in [0, 2⁶⁴).
            length: rows of a sequence; None: those of `draw`.

        Raises ReplayError if no stream holds so many rows.
        """
        length = self.length if length is None else length
        with self._lock:
            self._check_drawable(self._keep.num_windows(length) > 0, length)
            rng = generator(self._seed, counter, PEEK)
            ticket = self._sampler.peek(batch, self._keep, length, rng)
            return self._assemble(ticket, length)

    def windows(
        self, ordinal: Int[np.ndarray, " B"]
    ) -> tuple[dict[str, Shaped[np.ndarray, "B L ..."]], Ticket]:
        """The sequences of these ordinals (0 … `num_windows` − 1), without any effect."""
        with self._lock:
            ticket = self._keep.locate(ordinal, self.length)
            return self._assemble(ticket, self.length), ticket

    def rescore(self, ticket: Ticket, score: Float[np.ndarray, "B T"], *, offset: int) -> None:
        """New scores for rows that were looked at without training; dead rows are left out."""
        stream, row = (part[:, offset:] for part in spread(ticket, self.length))
        with self._lock:
            self._sampler.put(Ticket(stream, row), score, self._keep)
            self._keep.rescore(stream, row, score)

    def write(
        self, ticket: Ticket, values: Mapping[str, Shaped[np.ndarray, "B T ..."]], *, offset: int
    ) -> int:
        """Overwrite mutable columns of drawn rows; return how many rows came too late.

        Row `offset` + t of sequence b receives `values[key][b, t]`. Rows that were evicted since
        the draw are dropped and counted (`replay/dropped`); the rows that now lie in their place
        are not touched. Where sequences overlap, the last one wins.

        Args:
            ticket: what `draw` returned.
            values: arrays by column, all over the same T rows; with them `score`, what the update
                found out about each row, where the strategy draws by scores.
            offset: rows of the sequences before the first written one (the context).

        Raises ReplayError for a column that is not mutable, arrays of wrong shape or dtype, or
        rows beyond the sequence; nothing is written then.
        """
        raw = values.get(SCORE) if self._sampler.scores is not None else None
        values = {k: v for k, v in values.items() if k != SCORE or raw is None}
        checked, num = self._check_values(ticket, values, offset, raw)
        stream, row = (part[:, offset : offset + num] for part in spread(ticket, self.length))
        with self._lock:
            place = self._keep.find(stream, row)
            live = place >= 0
            written = {key: value[live] for key, value in checked.items()}
            self._store.overwrite(place[live], written)
            late = int(live.size - live.sum())
            self._counters.note_write(live=live.size - late, late=late)
            self._sampler.commit(Ticket(stream, row), raw, self._keep)
            if raw is not None:
                self._keep.rescore(stream, row, raw)
        return late

    def stats(self) -> dict[str, float]:
        """Metrics under `replay/`; `fresh` and `age` cover the draws since the previous call.

        `rows` live rows, `windows` that can be drawn, `streams`, `gigabytes` of the live rows
        (10⁹ bytes), `inserts` and `evicted` rows ever, `samples` sequences ever drawn, `online`
        those of them that came from the online queue, `updates` rows ever written back, `dropped`
        rows ever written back too late, `waiting` and `skipped` windows of the online queue,
        `fresh` share of sequences that came from it, `age` mean number of newer rows in the
        stream of a sequence. The last two are absent when nothing was drawn.
        """
        with self._lock:
            keep, queue = self._keep, self._queue
            inserts, rows = keep.inserted * self.streams, keep.num_rows
            values = {
                "rows": rows,
                "windows": self.num_windows,
                "streams": self.streams,
                "gigabytes": rows * row_bytes(self.columns) / 1e9,
                "inserts": inserts,
                "evicted": inserts - rows,
            }
            if queue is not None:
                values |= {"waiting": queue.waiting(keep), "skipped": queue.skipped}
            values |= self._counters.report() | keep.stats() | self._sampler.stats(keep)
        return {f"replay/{name}": float(value) for name, value in values.items()}

    def notes(self, windows: int) -> list[str]:
        """Sentences for the user about what happened since the last call; each is said once.

        `windows`: what `can_draw` is asked for before each turn of learning.
        """
        with self._lock:
            notes = self._keep.notes()
            gone = self._keep.inserted * self.streams - self._keep.num_rows
            if gone and not self.can_draw(windows) and not self._warned:
                self._warned = True
                notes.append(
                    f"learning waits: it takes {windows} windows, and the replay holds "
                    f"{self.num_windows} after {gone} rows had to go. If that does not pass, set a "
                    "larger --replay.capacity, --replay.ongoing, or --replay.unit splice."
                )
            return notes

    def save(self, folder: str | Path) -> dict[str, Any]:
        """Write into `folder` what changed since the last save there; return the manifest.

        The manifest (JSON values) together with the files it names is the whole replay: rows,
        written latents, draw counter and queue. Raises ReplayError if the disk refuses.
        """
        with self._lock:
            self._sampler.settle(self._keep)
            return make_manifest(
                layout=self._layout(),
                keep=self._keep.state(),
                online=None if self._queue is None else self._queue.state(),
                counters=self._counters.state(),
                sampler=self._sampler.state(),
                files=self._archive.save(Path(folder), self._tables()),
            )

    def load(self, folder: str | Path, manifest: Mapping[str, Any]) -> None:
        """Continue where `save` returned `manifest`, bit for bit.

        Raises ReplayError if the manifest belongs to another layout or a file is missing,
        truncated or damaged; the replay is empty then.
        """
        with self._lock:
            check_manifest(manifest, self._layout())
            self._forget()
            keep, counters = self._make_keep(), Counters()
            keep.check(manifest["keep"])
            counters.load(manifest["counters"])
            tables = self._archive.load(Path(folder), manifest["files"])
            keep.load(manifest["keep"], _group("keep/", tables))
            if self._queue is not None:
                self._queue.load(manifest["online"], _group("online/", tables))
            self._keep, self._counters = keep, counters
            if LATER in manifest:
                self._sampler.load(manifest[LATER], keep)

    def _make_sampler(self) -> Sampler:
        columns = self._store.columns
        return Sampler(
            self._options,
            length=self.length,
            streams=self.streams,
            arrays={name: self._store.flat(name) for name in columns if name not in self.columns},
            touch=self._store.touch,
        )

    def _make_keep(self) -> AbstractKeep:
        options = self._options
        return options.unit.build(self._demand, options.keep, self._memory, self._store, self._seed)

    def _make_queue(self) -> AbstractQueue:
        return self._options.unit.queue(self._demand)

    def _tables(self) -> dict[str, np.ndarray]:
        """Arrays of the parts that a checkpoint needs beside the rows."""
        tables = {f"keep/{name}": array for name, array in self._keep.tables().items()}
        queue = {} if self._queue is None else self._queue.tables()
        return tables | {f"online/{name}": array for name, array in queue.items()}

    def _check_drawable(self, drawable: bool, length: int) -> None:
        if not drawable:
            raise ReplayError(
                f"nothing to draw: a sequence takes {length} rows of one stream"
                f"{' and one complete unit' if self._memory.page else ''}, the streams hold "
                f"{self._keep.num_rows // self.streams}; ask `can_draw` first."
            )

    def _note(self, drawn: Drawn, rows: Mapping[str, Any]) -> None:
        """Count a batch."""
        stream, row = (part.reshape(len(part), -1)[:, 0] for part in drawn.ticket)
        age = self._keep.inserted - self.length - row
        self._counters.note_draw(fresh=drawn.fresh, ages=age)
        task = rows.get(TASK)
        newer = self._keep.newer(stream, row)
        self._sampler.histogram.note(newer, None if task is None else task[:, 0])

    def _take_fresh(self, batch: int) -> Ticket:
        if self._queue is None:
            nothing = np.zeros(0, np.int64)
            return Ticket(nothing, nothing)
        return self._queue.take(batch, self._keep)

    def _assemble(self, ticket: Ticket, length: int) -> dict[str, np.ndarray]:
        stream, row = spread(ticket, length)
        batch = self._store.gather(self._keep.find(stream, row), self.columns)
        if ticket.row.ndim == 2:  # pieces: each begins an episode of its own
            follows = (np.diff(row) == 1) & (np.diff(stream) == 0)
            batch["is_first"][:, 1:] |= ~follows
        batch["is_last"][:, :-1] |= batch["is_first"][:, 1:]
        batch["is_first"][:, 0] = True
        return batch

    def _check_values(
        self, ticket: Ticket, values: Mapping[str, Any], offset: int, raw: Any
    ) -> tuple[dict[str, np.ndarray], int]:
        """Values in stored dtypes, and the number of rows they cover."""
        for key in values:
            if key not in self._mutable:
                raise ReplayError(f"column {key!r} is not mutable; {nearest(key, self._mutable)}")
        arrays = [*values.values(), *([] if raw is None else [raw])]
        num = next((np.shape(value)[1] for value in arrays if np.ndim(value) > 1), 0)
        if not (offset >= 0 and num >= 1 and offset + num <= self.length):
            raise ReplayError(
                f"rows {offset} … {offset + num - 1} of a sequence cannot be written; it has rows "
                f"0 … {self.length - 1}."
            )
        lead = (len(ticket.row), num)
        return {k: fit(k, value, self.columns[k], lead) for k, value in values.items()}, num

    def _layout(self) -> dict[str, Any]:
        return make_layout(
            self._store.columns,
            streams=self.streams,
            length=self.length,
            block=self._store.block,
            online=self._queue is not None,
            mutable=self._store.groups.get(MUTABLE, ()),
        )

    def _forget(self) -> None:
        self._keep = self._make_keep()
        self._counters = Counters()
        self._store.fill[:] = 0
        self._sampler = self._make_sampler()
        if self._queue is not None:
            self._queue = self._make_queue()


def _group(prefix: str, tables: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tables whose names begin with `prefix`, without it."""
    return {k.removeprefix(prefix): v for k, v in tables.items() if k.startswith(prefix)}
