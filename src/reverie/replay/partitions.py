"""Who goes to make room: partitions of complete units, each with a rule and a share of memory."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped

from reverie.replay.retention import AbstractRule, Unit
from reverie.replay.unit_table import OPEN, Pages, UnitTable


class Partition(NamedTuple):
    """A partition of the store."""

    name: str
    rule: AbstractRule
    share: float
    """Its part of the memory for complete units, in (0, 1]."""
    scored: bool
    """Whether its rule wants to hear of scores."""


class Partitions:
    """Every complete unit is offered to every partition; it is gone when the last one has let go of
    it. Which partitions hold a unit stands in the table. Memory counts in pages.
    """

    def __init__(self, parts: Sequence[Partition], table: UnitTable, pages: Pages):
        self.parts, self._table, self._pages = tuple(parts), table, pages
        self._load = [0] * len(parts)
        self.scores: Float[np.ndarray, " P"] | None = None
        """Newest score of the row in every place, NaN before the first; None: no scores yet."""

    def offer(self, unit: Unit, pages: int) -> list[int]:
        """A unit is complete; `pages` may be taken by all partitions together. The units that no
        partition holds any more, it may be among them."""
        self._table.keep(unit.serial, unit.rows, (1 << len(self.parts)) - 1)
        self._load = [load - (-unit.rows // self._pages.size) for load in self._load]
        shares, gone = [int(part.share * pages) for part in self.parts], []
        shares[-1] = pages - sum(shares[:-1])
        for number, (part, capacity) in enumerate(zip(self.parts, shares, strict=True)):
            for serial in part.rule.offer(unit, load=self._load[number], capacity=capacity):
                gone += self._drop(number, serial)
            while self._load[number] > capacity:
                gone += self._drop(number, part.rule.victim())
        return gone

    def shrink(self) -> list[int] | None:
        """Let a unit of the fullest partition go; None where nothing is stored."""
        fullness = [load / part.share for load, part in zip(self._load, self.parts, strict=True)]
        number = int(np.argmax(fullness))
        if not self._load[number]:
            return None
        return self._drop(number, self.parts[number].rule.victim())

    def take(self, page: int) -> None:
        """New rows come to a page."""
        if self.scores is not None:
            self.scores[page * self._pages.size : (page + 1) * self._pages.size] = np.nan

    def rescore(self, place: Int[np.ndarray, " N"], score: Shaped[np.ndarray, " N"]) -> None:
        """New scores of the rows in these places; rules hear the mean of every unit touched."""
        if not any(part.scored for part in self.parts):
            return
        if self.scores is None:
            self.scores = self._no_scores()
        self.scores[place] = score
        for serial in np.unique(self._pages.unit[place // self._pages.size]).tolist():
            self.judge(serial)

    def judge(self, serial: int) -> None:
        """Tell the rules the mean score of a complete unit, if any of its rows has one."""
        stream, first, rows, kept = self._table.get(serial)
        if kept == OPEN or self.scores is None:
            return
        pages = self._pages.of_unit(stream, first, rows)
        scores = self.scores[self._pages.places(pages, rows)]
        if not np.isnan(scores).all():
            mean = float(np.nanmean(scores, dtype=np.float64))
            for number, part in enumerate(self.parts):
                if part.scored and kept >> number & 1:
                    part.rule.rescore(serial, mean)

    def state(self) -> dict[str, Any]:
        """Everything that `load` needs beside `tables`, as JSON values."""
        rules = [{"name": part.name, **part.rule.state()} for part in self.parts]
        return {"load": list(self._load), "rules": rules}

    def tables(self) -> dict[str, dict[str, np.ndarray]]:
        """Everything that `load` needs beside `state`, as arrays by rule."""
        return {f"rule{number}": part.rule.tables() for number, part in enumerate(self.parts)}

    def load(
        self, state: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]], scores: Any
    ) -> None:
        """Continue from a state with the same rules, and from scores of as many places or fewer."""
        self._load = [int(load) for load in state["load"]]
        for number, part in enumerate(self.parts):
            part.rule.load(state["rules"][number], tables.get(f"rule{number}", {}))
        self.scores = None
        if scores is not None:
            self.scores = self._no_scores()
            self.scores[: len(scores)] = scores

    def _no_scores(self) -> Float[np.ndarray, " P"]:
        return np.full(self._pages.num * self._pages.size, np.nan, np.float32)

    def _drop(self, number: int, serial: int) -> list[int]:
        """One partition lets go of a unit: the unit, if it was the last one."""
        _, _, rows, kept = self._table.get(serial)
        left = kept & ~(1 << number)
        self._load[number] += -rows // self._pages.size
        self._table.keep(serial, rows, left)
        return [] if left else [serial]
