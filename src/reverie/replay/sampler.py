"""What a replay holds beside its rows: who stays, what is drawn, what that depends on, counts."""

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped

from reverie.part.needs import RETURNS
from reverie.replay import tree
from reverie.replay.draw import Pool, Uniform
from reverie.replay.episodes import RETURN, Returns
from reverie.replay.keep import NOTHING, AbstractKeep, Ticket, spread
from reverie.replay.options import ReplayConfig
from reverie.replay.rows import Column, Columns
from reverie.replay.scores import VALUE, VISITS, Scores
from reverie.replay.signal import AbstractStepSignal
from reverie.replay.statistics import TASK, Counters, DrawHistogram
from reverie.replay.unseen import WAITING, AbstractQueue, Fresh

SCORE = "score"
"""Key of the scores among what an update writes back."""

WEIGHT = "weight"
"""Key of the importance weights [B] in a batch, where the strategy has them."""


def score_columns(config: ReplayConfig) -> Columns:
    """The columns that the strategy keeps beside those of a row; sequences do not hold them."""
    wanted: dict[str, str] = {}
    if isinstance(config.signal, AbstractStepSignal):
        wanted |= {VALUE: "float32", VISITS: "uint32"}
    if RETURNS in config.signal.offers():
        wanted |= {RETURN: "float32"}
    if config.fresh:
        wanted |= {WAITING: "bool"}
    return {name: Column((), np.dtype(dtype)) for name, dtype in wanted.items()}


def kernels_of(name: str) -> tree.TreeKernels:
    """The loops that `replay.kernels` asks for. Raises ImportError without Numba."""
    if name == "numpy" or (name == "auto" and not tree.compilable()):
        return tree.NUMPY
    return tree.compiled_kernels()


class Drawn(NamedTuple):
    """One batch of windows."""

    ticket: Ticket
    fresh: int
    """How many of them came first: from the online queue and the fresh share."""
    weight: Float[np.ndarray, " B"] | None
    """Importance weights, the largest 1; None where the strategy has none."""


class Sampler:
    """Draws windows, and keeps what draws depend on; a checkpoint keeps all of it.

    `Replay` tells it what arrived (`follow`), asks it for windows (`draw`, `note`) and hands it
    what updates found out (`commit`). `peek` changes nothing.
    """

    def __init__(
        self,
        config: ReplayConfig,
        keep: AbstractKeep,
        *,
        length: int,
        streams: int,
        arrays: Mapping[str, Shaped[np.ndarray, " P"]],
        touch: Callable[[Int[np.ndarray, " N"]], None] = lambda place: None,
        queue: AbstractQueue | None = None,
    ):
        """Args:
        config: the strategy.
        keep: which rows live, and where; empty.
        length: rows L of a window.
        streams: environments E.
        arrays: the columns `score_columns` by place; written in place.
        touch: told of places whose columns changed outside of a write-back.
        queue: windows that are delivered once before any is drawn; None: none.
        """
        self._config, self.keep, self.length, self._streams = config, keep, length, streams
        self._touch, self._queue, self._settled = touch, queue, 0
        self.scores = self.fresh = self.returns = None
        if isinstance(config.signal, AbstractStepSignal):
            self.scores = Scores(
                arrays[VALUE],
                arrays[VISITS],
                keep,
                length=length,
                signal=config.signal,
                kernels=kernels_of(config.kernels),
            )
        if WAITING in arrays:
            self.fresh = Fresh(arrays[WAITING], keep, length=length)
        if RETURN in arrays:
            self.returns = Returns(arrays[RETURN], keep, streams=streams)
        self.counters, self.histogram = Counters(), DrawHistogram()

    @property
    def nbytes(self) -> int:
        """Bytes of bookkeeping beside the columns of the store."""
        return sum(part.nbytes for part in (self.scores, self.fresh) if part is not None)

    def follow(self, place: Int[np.ndarray, " E"], rows: Mapping[str, Any]) -> None:
        """Take notice of the rows, one a stream, that were just admitted to these places."""
        self.keep.settle(rows)
        if self._queue is not None:
            self._queue.follow()
        if self.returns is not None:
            self._touch(self.returns.follow(place, rows))

    def settle(self) -> None:
        """Tell scores and the fresh share what came and went. Changes no later number."""
        if self._settled < self.keep.inserted and (self.scores or self.fresh):
            change = self.keep.changes()
            for part in (self.scores, self.fresh):
                if part is not None:
                    part.follow(change)
        self._settled = self.keep.inserted

    def pool(self) -> Pool:
        """What a draw chooses from now."""
        self.settle()
        values = None if self.returns is None else self.returns.value
        return Pool(
            self.keep, self.keep, self.length, self.scores, values, self._config.unit.minlen
        )

    def draw(self, num: int, rng: np.random.Generator) -> Drawn:
        """`num` windows: those of the queue, then the fresh share, then the strategy's own draw."""
        pool, config = self.pool(), self._config
        ticket = Ticket(NOTHING, NOTHING) if self._queue is None else self._queue.take(num)
        if self.fresh is not None:
            self.fresh.take(ticket)
            left = min(num - len(ticket.row), int(config.fresh * num + 1e-9))
            ticket = join(ticket, self.fresh.draw(left, rng), self.length)
        rest, known = config.draw.draw(num - len(ticket.row), pool, rng), len(ticket.row)
        ticket = join(ticket, rest, self.length)
        if self.fresh is not None:
            self.fresh.take(rest)
            self._touch(self._places(spread(ticket, self.length)))
        weight = config.importance.weights(config.draw, ticket, pool, self.counters.draws)
        return Drawn(ticket, known, weight)

    def note(self, drawn: Drawn, rows: Mapping[str, Any]) -> None:
        """Count a batch of sequences."""
        stream, row = (part.reshape(len(part), -1)[:, 0] for part in drawn.ticket)
        age = self.keep.inserted - self.length - row
        self.counters.note_draw(fresh=drawn.fresh, ages=age)
        task = rows.get(TASK)
        self.histogram.note(self.keep.newer(stream, row), None if task is None else task[:, 0])

    def peek(self, num: int, length: int, rng: np.random.Generator) -> Ticket:
        """`num` windows for a report: uniform whatever the strategy, so that reports can be
        compared, and without any effect."""
        return Uniform().draw(num, Pool(self.keep, self.keep, length, None), rng)

    def commit(self, rows: Ticket, raw: Float[np.ndarray, "B T"] | None) -> Int[np.ndarray, "B T"]:
        """What an update found out about the rows [B, T] it trained on. Their places, −1 for those
        that are dead and were left out."""
        self.settle()
        place = self.keep.find(*rows)
        live = int((place >= 0).sum())
        self.counters.note_write(live=live, late=place.size - live)
        if self.scores is not None:
            self.scores.commit(rows, place, raw)
        if raw is not None:
            self.keep.rescore(rows.stream, rows.row, raw)
        return place

    def put(self, rows: Ticket, score: Float[np.ndarray, "B T"]) -> None:
        """New scores for rows [B, T] that were not trained on."""
        self.settle()
        if self.scores is not None:
            self.scores.put(rows, score)
            self._touch(self._places(rows))
        self.keep.rescore(rows.stream, rows.row, score)

    def stats(self, row_bytes: int) -> dict[str, float]:
        """What the metrics under `replay/` show, without this prefix.

        `rows` live rows, `windows` that can be drawn, `streams`, `gigabytes` of the live rows of
        `row_bytes` each (10⁹ bytes), `inserts` and `evicted` rows ever, `samples`
        sequences ever drawn, `online` those of them that came from the online queue, `updates` rows
        ever written back, `dropped` rows ever written back too late, `waiting` and `skipped`
        windows of the online queue, `fresh` share of sequences that came from it, `age` mean number
        of newer rows in the stream of a sequence. The last two and the histogram cover the draws
        since the previous call, and are absent where nothing was drawn.
        """
        keep, pool = self.keep, self.pool()
        rows, inserts = keep.num_rows, keep.inserted * self._streams
        values = {"rows": rows, "windows": keep.num_windows(self.length), "streams": self._streams}
        values |= {"gigabytes": rows * row_bytes / 1e9, "inserts": inserts}
        values |= {"evicted": inserts - rows}
        if self._queue is not None:
            values |= {"waiting": self._queue.waiting(), "skipped": self._queue.skipped}
        values |= self.counters.report() | keep.stats() | self.histogram.report()
        if values["windows"]:
            values["effective"] = self._config.draw.effective(pool)
        return values if self.scores is None else values | self.scores.stats()

    def state(self) -> dict[str, Any]:
        """The parts of a manifest that `load` needs beside `tables` and the columns."""
        self.settle()
        return {
            "keep": self.keep.state(),
            "online": None if self._queue is None else self._queue.state(),
            "counters": dataclasses.asdict(self.counters),
            "sampler": {
                "scores": None if self.scores is None else self.scores.state(),
                "returns": None if self.returns is None else self.returns.state(),
                "portrait": dataclasses.asdict(self.histogram),
            },
        }

    def tables(self) -> dict[str, np.ndarray]:
        """Arrays that `load` needs beside `state`."""
        tables = {f"keep/{name}": array for name, array in self.keep.tables().items()}
        queue = {} if self._queue is None else self._queue.tables()
        return tables | {f"online/{name}": array for name, array in queue.items()}

    def load(self, manifest: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        """Continue where `state` and `tables` were taken; the columns are loaded already."""
        self.counters = Counters(**{k: int(v) for k, v in manifest["counters"].items()})
        self.keep.load(manifest["keep"], _group("keep/", tables))
        if self._queue is not None:
            self._queue.load(manifest["online"], _group("online/", tables))
        self._settled = self.keep.inserted
        if "sampler" not in manifest:  # of uniform draws, before there were others
            return
        if self.scores is not None or self.fresh is not None:
            self.keep.changes()  # all of it is in the columns
        if self.scores is not None:
            self.scores.load(manifest["sampler"]["scores"])
        if self.returns is not None:
            self.returns.load(manifest["sampler"]["returns"])
        if self.fresh is not None:
            self.fresh.load()
        self.histogram = DrawHistogram(**copy.deepcopy(manifest["sampler"]["portrait"]))

    def _places(self, rows: Ticket) -> Int[np.ndarray, " N"]:
        place = self.keep.find(*rows)
        return place[place >= 0]


def join(first: Ticket, rest: Ticket, length: int) -> Ticket:
    """Both tickets as one; row by row where one of them is laid out of pieces."""
    if first.row.ndim != rest.row.ndim:
        if not len(first.row):
            return rest
        first, rest = spread(first, length), spread(rest, length)
    return Ticket(*(np.concatenate(pair) for pair in zip(first, rest, strict=True)))


def _group(prefix: str, tables: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tables whose names begin with `prefix`, without it."""
    return {k.removeprefix(prefix): v for k, v in tables.items() if k.startswith(prefix)}
