"""Retention by merit: the units with the largest return, or the most surprising ones, stay."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reverie.part.needs import SCORES, UNITS, Need
from reverie.replay.retention import AbstractRetention, AbstractRule, Keys, Unit


@dataclass(frozen=True)
class TopReturn(AbstractRetention):
    """The units with the largest return stay."""

    def rule(self, seed: int) -> AbstractRule:
        return TopReturnRule()


@dataclass(frozen=True)
class TopSurprise(AbstractRetention):
    """The units with the largest mean score of their rows stay."""

    def rule(self, seed: int) -> AbstractRule:
        return TopSurpriseRule()

    def needs(self) -> frozenset[Need]:
        return frozenset({UNITS, SCORES})


class TopReturnRule(AbstractRule):
    """The units with the largest sum of rewards; of equal ones the newest.

    Source: Isele & Cosgun 2018 (arXiv:1802.10269), "reward"; replay-sampling.md §4.5.
    """

    def __init__(self):
        self._keys = Keys()

    def offer(self, unit: Unit, *, load: int, capacity: int) -> list[int]:
        self._keys.set(unit.serial, unit.ret)
        return []

    def victim(self) -> int:
        return self._keys.pop()[1]

    def tables(self) -> dict[str, np.ndarray]:
        return self._keys.tables()

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self._keys.load(tables)


class TopSurpriseRule(AbstractRule):
    """The units whose rows had the largest mean score when they were last trained on.

    Units that no update has scored yet may take half of the store: beyond that the oldest of them
    goes, below it the scored unit with the smallest mean. A flood of new units therefore replaces
    itself first, and yet leaves every unit the time to be trained on.

    Source: Isele & Cosgun 2018 (arXiv:1802.10269), "surprise"; replay-sampling.md §4.5.
    Deviation: there the score is taken once, at insertion; here every update renews it.
    """

    def __init__(self):
        self._keys = Keys()
        self._unscored: dict[int, None] = {}

    def offer(self, unit: Unit, *, load: int, capacity: int) -> list[int]:
        self._unscored[unit.serial] = None
        return []

    def victim(self) -> int:
        if len(self._unscored) > len(self._keys):
            serial = next(iter(self._unscored))
            del self._unscored[serial]
            return serial
        return self._keys.pop()[1]

    def rescore(self, serial: int, score: float) -> None:
        if serial in self._unscored or serial in self._keys:
            self._unscored.pop(serial, None)
            self._keys.set(serial, score)

    def tables(self) -> dict[str, np.ndarray]:
        unscored = np.array(list(self._unscored), np.int64)
        return {**self._keys.tables(), "unscored": unscored}

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self._keys.load(tables)
        self._unscored = dict.fromkeys(tables["unscored"].tolist())
