"""From numbers to places on paper: ranges, ticks and their labels."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scale:
    """One axis: the interval [low, high] of the data on the interval [start, end] of the paper."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: np.ndarray | float) -> np.ndarray:
        """Places of values, in units of the paper."""
        share = (np.asarray(value, float) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, count: int) -> list[float]:
        """About `count` round numbers within the interval."""
        return _ticks(self.low, self.high, count)


def spread(values: np.ndarray) -> tuple[float, float]:
    """An interval that holds all values with a little air; of positive width in every case."""
    if len(values) == 0:
        return (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-12):
        pad = abs(high) * 0.1 or 1.0
        return low - pad, high + pad
    pad = 0.06 * (high - low)
    floor = 0.0 if low >= 0 and low < 0.35 * high else low - pad
    return floor, high + pad


def tick_label(value: float) -> str:
    """A short label: 0, 0.05, 20k, 1.5M, 1e-5."""
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e10 or size < 1e-3:
        mantissa, power = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(power)}"
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= unit * 0.99999:
            return f"{value / unit:.6g}{letter}"
    return f"{value:.6g}"


def _ticks(low: float, high: float, count: int) -> list[float]:
    raw = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) if step > 1e-9 else i * step for i in range(first, last + 1)]
