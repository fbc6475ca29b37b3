"""Replay: rows in, sequences out, results back in, all behind one lock."""

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from reverie.replay.draw import PEEK, TRAIN, generator
from reverie.replay.errors import ReplayError
from reverie.replay.files import Archive
from reverie.replay.keep import Ticket, spread
from reverie.replay.manifest import FORMAT, check_manifest, make_layout
from reverie.replay.options import ReplayConfig
from reverie.replay.room import Inside, empty_sampler, make_store
from reverie.replay.rows import (
    Columns,
    check_names,
    fit,
    fit_written,
    is_latent,
    make_columns,
    row_bytes,
)
from reverie.replay.sampler import SCORE, WEIGHT
from reverie.replay.store import check_sizes, planned_bytes
from reverie.replay.unit import Demand


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
            options: what stays, and which windows are drawn; None: the newest, and uniformly.
            mutable: columns that `write` may overwrite; None: the latents among them.
            chunk: rows a file on disk, shared evenly by the streams (at least one row of each).
            gigabytes: byte budget, 10⁹ bytes. 0: three quarters of the memory free now.
            inserts: most rows that will ever be added, to plan with; None: not known.

        Raises ReplayError if a stream would not hold one sequence, or the budget is exceeded.
        """
        check_sizes(streams=streams, capacity=capacity, length=length, chunk=chunk)
        generator(seed, 0, TRAIN)  # refuses a seed out of range before any work is done
        self.columns: Columns = make_columns(specs)
        self.streams, self.length, self.seed = streams, length, seed
        options = options or ReplayConfig()
        wanted = set(filter(is_latent, self.columns) if mutable is None else mutable)
        self._mutable = {name: c for name, c in self.columns.items() if name in wanted}
        self._demand = Demand(streams, capacity, length, options.draw.pieces)
        self._memory = options.unit.memory(self._demand, options.keep, chunk)
        more = {"mutable": wanted, "gigabytes": gigabytes, "inserts": inserts}
        self._store = make_store(self.columns, options, self._memory, **more)
        self._options, self._online, self._archive = options, online, Archive(self._store)
        self._layout = make_layout(self._store, streams=streams, length=length, online=online)
        self._warned, self._lock = False, threading.RLock()
        self._empty()

    @property
    def inside(self) -> Inside:
        """Its parts; `load` begins new ones."""
        return Inside(self._keep, self._sampler, self._store)

    @property
    def num_windows(self) -> int:
        """Different sequences that can be drawn now."""
        return self.num_windows_of(self.length)

    def num_windows_of(self, length: int) -> int:
        """Different sequences of `length` rows that `peek` can choose from."""
        with self._lock:
            return self._keep.num_windows(length)

    @property
    def weighted(self) -> bool:
        """Whether batches hold importance weights, `weight` [B] float32."""
        return self._options.importance.active

    @property
    def planned_bytes(self) -> int:
        """Host memory of the full replay: of the rows that can ever be touched."""
        return self._bytes(self._store.touched)

    @property
    def live_bytes(self) -> int:
        """Host memory of the rows that are there now."""
        return self._keep.num_rows * row_bytes(self.columns)

    @property
    def disk_bytes(self) -> int:
        """Disk of the full replay: with the empty ends of units' pages."""
        return self._bytes(self._store.slots)

    @property
    def wraps(self) -> bool:
        """Whether rows of units may have to go: more may come than there is room for."""
        return self._memory.page > 0 and self._store.touched == self._store.slots

    def can_draw(self, windows: int = 1) -> bool:
        """Whether so many different sequences can be drawn; of pieces, so many rows to begin."""
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
            place = self._keep.admit(checked)
            self._store.put(place, checked)
            self._sampler.follow(place, checked)

    def draw(self, batch: int) -> tuple[dict[str, Shaped[np.ndarray, "B L ..."]], Ticket]:
        """`batch` sequences of L rows, and the ticket with which to write results back.

        Waiting windows of the online queue come first. Row 0 of each sequence has `is_first`, a row
        whose successor has it has `is_last` (abandoned there) [dreamerv3.md §4.2]; all are copies.

        Raises ReplayError if no stream holds L rows yet.
        """
        with self._lock:
            self._check_drawable(self.can_draw(), self.length)
            rng = generator(self.seed, self._sampler.counters.draws, TRAIN)
            drawn = self._sampler.draw(batch, rng)
            rows = self._assemble(drawn.ticket, self.length)
            self._sampler.note(drawn, rows)
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
            rng = generator(self.seed, counter, PEEK)
            ticket = self._sampler.peek(batch, length, rng)
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
            self._sampler.put(Ticket(stream, row), score)

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
        part = {"offset": offset, "length": self.length, "batch": len(ticket.row)}
        checked, num = fit_written(values, self._mutable, raw, **part)
        stream, row = (part[:, offset : offset + num] for part in spread(ticket, self.length))
        with self._lock:
            place = self._sampler.commit(Ticket(stream, row), raw)
            live = place >= 0
            self._store.overwrite(place[live], {key: value[live] for key, value in checked.items()})
            return int(live.size - live.sum())

    def stats(self) -> dict[str, float]:
        """Metrics under `replay/`; `fresh` and `age` cover the draws since the previous call."""
        with self._lock:
            values = self._sampler.stats(row_bytes(self.columns)).items()
        return {f"replay/{name}": float(value) for name, value in values}

    def notes(self, windows: int) -> list[str]:
        """Sentences for the user about what happened since the last call; each is said once.
        `windows`: what `can_draw` is asked for before each turn of learning."""
        with self._lock:
            notes = self._keep.notes()
            gone = self._keep.inserted * self.streams - self._keep.num_rows
            if gone and not self.can_draw(windows) and not self._warned:
                self._warned = True
                notes.append(
                    f"learning waits: it takes {windows} windows, and the replay holds "
                    f"{self.num_windows} after {gone} rows had to go. If that does not pass, set a "
                    "larger --replay.capacity, --replay.unit.ongoing, or --replay.unit splice."
                )
            return notes

    def save(self, folder: str | Path) -> dict[str, Any]:
        """Write into `folder` what changed since the last save there; return the manifest.

        The manifest (JSON values) together with the files it names is the whole replay: rows,
        written latents, draw counter and queue. Raises ReplayError if the disk refuses.
        """
        with self._lock:
            manifest = {"format": FORMAT, "layout": self._layout, **self._sampler.state()}
            return manifest | {"files": self._archive.save(Path(folder), self._sampler.tables())}

    def load(self, folder: str | Path, manifest: Mapping[str, Any]) -> None:
        """Continue where `save` returned `manifest`, bit for bit.

        Raises ReplayError if the manifest belongs to another layout or a file is missing,
        truncated or damaged; the replay is empty then.
        """
        with self._lock:
            check_manifest(manifest, self._layout)
            self._empty()
            self._keep.check(manifest["keep"])
            self._sampler.load(manifest, self._archive.load(Path(folder), manifest["files"]))

    def _empty(self) -> None:
        """Begin without a row."""
        self._store.fill[:] = 0
        place = self._demand, self._memory, self._store
        start = {"seed": self.seed, "online": self._online}
        self._sampler = empty_sampler(self._options, *place, **start)
        self._keep = self._sampler.keep

    def _bytes(self, slots: int) -> int:
        return planned_bytes(self._store.columns, streams=self._store.streams, slots=slots)

    def _check_drawable(self, drawable: bool, length: int) -> None:
        if not drawable:
            raise ReplayError(
                f"nothing to draw: a sequence takes {length} rows of one stream"
                f"{' and one complete unit' if self._memory.page else ''}, the streams hold "
                f"{self._keep.num_rows // self.streams}; ask `can_draw` first."
            )

    def _assemble(self, ticket: Ticket, length: int) -> dict[str, np.ndarray]:
        """Copies of the rows of sequences, with what is first and last at their edges."""
        stream, row = spread(ticket, length)
        batch = self._store.gather(self._keep.find(stream, row), self.columns)
        if ticket.row.ndim == 2:  # pieces: each begins an episode of its own
            follows = (np.diff(row) == 1) & (np.diff(stream) == 0)
            batch["is_first"][:, 1:] |= ~follows
        batch["is_last"][:, :-1] |= batch["is_first"][:, 1:]
        batch["is_first"][:, 0] = True
        return batch
