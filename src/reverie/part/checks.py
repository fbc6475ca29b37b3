"""The checks that the configuration records make of themselves when they are built."""

from dataclasses import fields, is_dataclass
from typing import Any

from reverie.part.errors import ConfigError
from reverie.part.part import hints_of, is_slot, members, slot_of_many
from reverie.part.schedule import extremes
from reverie.part.values import coerce


class Checker:
    """Checks of one record; every message starts with the dotted path of the field.

    `prefix` is the path of the record in the tree, with its dot (`"env."`); the classes that stand
    at several places (heads) name themselves (`"head."`).
    """

    def __init__(self, record: Any, prefix: str):
        self.record, self.prefix = record, prefix
        hints = hints_of(type(record))
        for item in fields(record):
            value, kind = getattr(record, item.name), hints[item.name]
            if is_slot(kind):
                rule = f"a part ({', '.join(members(kind))}, or a record below {kind.__name__})"
                self.require(isinstance(value, kind), item.name, rule)
            elif isinstance(kind, type) and is_dataclass(kind):
                self.require(isinstance(value, kind), item.name, f"a {kind.__name__}")
            elif slot_of_many(kind) is not None:
                rule = f"a tuple of {slot_of_many(kind).__name__}s"
                ok = isinstance(value, tuple) and all(
                    isinstance(v, slot_of_many(kind)) for v in value
                )
                self.require(ok, item.name, rule)
            else:
                self._same(item.name, value, coerce(value, kind, prefix + item.name))

    def _same(self, name: str, value: Any, coerced: Any) -> None:
        """Frozen records hold the declared type itself, so that equal configs are equal."""
        if type(value) is not type(coerced) or value != coerced:
            object.__setattr__(self.record, name, coerced)

    def require(self, ok: bool, name: str, rule: str) -> None:
        """Raise ConfigError unless `ok`: field `name` must obey `rule`; its value is quoted."""
        if not ok:
            found = getattr(self.record, name)
            raise ConfigError(f"{self.prefix}{name} must be {rule}, found {found!r}.")

    def at_least(self, low: float, *names: str) -> None:
        """Each of the fields is `low` or more."""
        for name in names:
            self.require(getattr(self.record, name) >= low, name, f"at least {low:g}")

    def above(self, low: float, *names: str) -> None:
        """Each of the fields is greater than `low`."""
        for name in names:
            self.require(getattr(self.record, name) > low, name, f"greater than {low:g}")

    def share(self, *names: str, zero: bool = True, one: bool = True) -> None:
        """Each of the fields lies in [0, 1]; `zero` and `one` say whether the ends belong."""
        text = f"{'in [' if zero else 'in ('}0, 1{']' if one else ')'}"
        for name in names:
            value = getattr(self.record, name)
            inside = 0 <= value <= 1 and (zero or value > 0) and (one or value < 1)
            self.require(inside, name, text)

    def schedule(self, name: str, *, low: float = 0.0, high: float = float("inf")) -> None:
        """The field is a number, or a schedule that takes only numbers, in [low, high]."""
        least, most = extremes(getattr(self.record, name), self.prefix + name)
        rule = f"at least {low:g}" if high == float("inf") else f"in [{low:g}, {high:g}]"
        self.require(low <= least and most <= high, name, f"{rule} at every step")
