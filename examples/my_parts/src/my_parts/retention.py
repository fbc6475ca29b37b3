"""A retention rule: the longest episodes stay."""

from dataclasses import dataclass

from reverie.replay.retention import AbstractRetention, AbstractRule, Keys


@dataclass(frozen=True)
class Longest(AbstractRetention):
    """The units with the most rows stay; of equal ones the newest."""

    def rule(self, seed):
        return LongestRule()


class LongestRule(AbstractRule):
    """The stored units by their rows."""

    def __init__(self):
        self._keys = Keys()

    def offer(self, unit, *, load, capacity):
        self._keys.set(unit.serial, float(unit.rows))
        return []

    def victim(self):
        return self._keys.pop()[1]

    def tables(self):
        return self._keys.tables()

    def load(self, state, tables):
        self._keys.load(tables)
