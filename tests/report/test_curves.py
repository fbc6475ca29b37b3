"""Smoothing, thinning and axes, against hand-made numbers."""

import base64

import numpy as np
import pytest

from reverie.report.buckets import Buckets, bucketed, extended
from reverie.report.curves import as_json, packed
from reverie.report.read import Series
from reverie.report.scale import Scale, spread, tick_label
from reverie.report.series import thin, trailing_mean, window_of


def series(values):
    values = np.array(values, float)
    return Series(np.arange(len(values), dtype=float), values)


def test_trailing_mean_by_hand():
    assert trailing_mean(series([1, 2, 3, 10]), 2).value.tolist() == [1, 1.5, 2.5, 6.5]
    assert trailing_mean(series([]), 5).value.tolist() == []


def test_trailing_mean_against_a_loop():
    values = np.random.default_rng(0).normal(size=200)
    loop = [values[max(0, k - 16) : k + 1].mean() for k in range(200)]
    np.testing.assert_allclose(trailing_mean(series(values), 17).value, loop, atol=1e-12)


def test_windows():
    assert [window_of(n, 0.05) for n in (0, 1, 20, 21, 100)] == [1, 1, 1, 2, 5]
    assert [window_of(n, 0.05, 10) for n in (0, 7, 40, 100, 1000)] == [1, 1, 5, 10, 50]


def test_thin_keeps_both_ends():
    short = thin(series(range(100_000)), 300)
    assert len(short.step) == 301 and short.step[0] == 0 and short.step[-1] == 99_999
    assert len(thin(series(range(7)), 300).step) == 7


def test_buckets_by_hand():
    found = bucketed(np.arange(5.0), np.array([3.0, 1.0, 4.0, 1.0, 5.0]), 4)
    assert (found.width, found.count, found.last) == (2, 5, 5.0)
    assert found.steps().tolist() == [0.5, 2.5, 4.0]
    assert found.means().tolist() == [2.0, 2.5, 5.0]
    assert found.low.tolist() == [1.0, 1.0, 5.0] and found.high.tolist() == [3.0, 4.0, 5.0]


def test_buckets_lose_no_extreme_and_no_mean():
    values = np.random.default_rng(0).normal(size=50_000)
    values[31_234], values[777] = 99.0, -99.0
    found = bucketed(np.arange(50_000.0), values, 300)
    assert 150 < len(found.low) <= 300 and (np.diff(found.steps()) > 0).all()
    assert found.high.max() == 99.0 and found.low.min() == -99.0
    assert (found.means() * found.sizes()).sum() == pytest.approx(values.sum())
    assert (found.low <= found.means()).all() and (found.means() <= found.high).all()


@pytest.mark.parametrize("most", [2, 24, 128])
@pytest.mark.parametrize("sizes", [[1] * 40, [7, 0, 90, 1, 1, 300], [1000, 1], [1, 1000]])
def test_buckets_do_not_depend_on_how_the_points_came_in(most, sizes):
    count = sum(sizes)
    step, value = np.arange(count) * 2.0, np.random.default_rng(1).normal(size=count)
    grown, at = Buckets(most), 0
    for size in sizes:
        grown = extended(grown, step[at : at + size], value[at : at + size])
        at += size
    whole = bucketed(step, value, most)
    assert grown[:3] == whole[:3] and grown.last == whole.last and len(whole.low) <= most
    for one, other in zip(grown[3:7], whole[3:7], strict=True):
        np.testing.assert_allclose(one, other)


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1.5, -2.0], "f"), ([0.0], "f"), ([], "f"), ([1e300], "d"), ([1e-300, 1.0], "d")],
)
def test_packed_numbers_are_the_numbers(values, kind):
    text = packed(np.array(values))
    read = np.frombuffer(base64.b64decode(text[2:]), "<f4" if kind == "f" else "<f8")
    assert text[:2] == f"{kind}:" and read.tolist() == pytest.approx(values)


def test_steps_beyond_32_bits_stay_whole():
    text = packed(np.array([2.0**24 + 1]), whole=True)
    assert np.frombuffer(base64.b64decode(text[2:]), "<f8")[0] == 2**24 + 1


def test_a_curve_of_unordered_steps_is_sent_whole_and_in_order():
    found = as_json(bucketed(np.array([5.0, 1.0, 3.0]), np.array([50.0, 10.0, 30.0]), 8), since=2)
    read = [np.frombuffer(base64.b64decode(found[key][2:]), "<f4").tolist() for key in "xy"]
    assert found["from"] == 0 and read == [[1, 3, 5], [10, 30, 50]]


@pytest.mark.parametrize(
    ("low", "high", "count", "ticks"),
    [
        (0, 400, 4, [0, 100, 200, 300, 400]),
        (-0.06, 0.055, 4, [-0.05, 0.0, 0.05]),
        (3.0, 3.1, 5, [3.0, 3.02, 3.04, 3.06, 3.08, 3.1]),
        (0, 32, 4, [0, 10, 20, 30]),
    ],
)
def test_ticks_are_round(low, high, count, ticks):
    assert Scale(low, high, 0, 1).ticks(count) == pytest.approx(ticks)


@pytest.mark.parametrize("values", [[], [0.0], [5.0, 5.0], [-2.0], [1e-30, 2e-30], [1e300]])
def test_an_axis_always_has_width(values):
    low, high = spread(np.array(values))
    assert low < high and all(low <= value <= high for value in values)


def test_small_positive_minimum_starts_at_zero():
    assert spread(np.array([10.0, 100.0]))[0] == 0.0
    assert spread(np.array([90.0, 100.0]))[0] > 80.0


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.05, "0.05"), (-2.5, "-2.5"), (20_000, "20k"), (1.5e6, "1.5M"), (1e-5, "1e-5")],
)
def test_tick_labels(value, text):
    assert tick_label(value) == text
