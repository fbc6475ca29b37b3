"""Estimators and intervals against rliable's numbers, hand-made cases and brute force."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from reverie.report import statistics
from reverie.report.statistics import difference, estimate, improvement

GOLDEN = json.loads(
    (Path(__file__).parent.parent / "golden" / "rliable" / "statistics.json").read_text()
)
NAMES = GOLDEN["cases"]["games"]["names"]


def strata(scores):
    """(runs, tasks) as one array a task."""
    return [np.array(column) for column in zip(*scores, strict=True)]


@pytest.mark.parametrize("case", GOLDEN["cases"])
@pytest.mark.parametrize("name", NAMES)
def test_estimates_and_intervals_are_rliables(case, name):
    """rliable drew 50,000 resamples from another generator: bounds agree to the draws' noise."""
    case = GOLDEN["cases"][case]
    index = NAMES.index(name)
    found = estimate(strata(case["scores"]), getattr(statistics, name), resamples=50_000)
    value, low, high = (case[key][index] for key in ("point", "low", "high"))
    assert found.value == pytest.approx(value, abs=1e-9)
    noise = 0.02 * (high - low) + 1e-9
    assert found.low == pytest.approx(low, abs=noise)
    assert found.high == pytest.approx(high, abs=noise)


def test_improvement_is_rliables():
    a, b = strata(GOLDEN["cases"]["games"]["scores"]), strata(GOLDEN["improvement"]["y"])
    assert improvement(a, b) == pytest.approx(GOLDEN["improvement"]["value"], abs=1e-12)


def test_improvement_by_hand():
    a, b = [np.array([1.0, 3.0])], [np.array([1.0, 2.0])]
    assert improvement(a, b) == 2.5 / 4
    assert improvement(a, a) == 0.5


@pytest.mark.parametrize(
    ("values", "iqm"),
    [
        ([5.0], 5.0),
        ([1, 2, 9], 4.0),  # fewer than four: the mean
        ([100, 1, 2, 3], 2.5),
        ([0, 1, 2, 3, 1000], 2.0),
        (range(8), 3.5),
    ],
)
def test_iqm_by_hand(values, iqm):
    assert statistics.iqm([np.array(values, float)]) == iqm


def test_tasks_with_unequal_numbers_of_runs():
    parts = [np.array([1.0, 3.0]), np.array([10.0])]
    assert statistics.mean(parts) == 6.0  # tasks weigh the same
    assert statistics.median(parts) == 6.0
    assert statistics.iqm(parts) == pytest.approx(14 / 3)  # runs weigh the same
    assert statistics.optimality_gap([np.array([0.5, 2.0]), np.array([0.0])]) == 0.625


def test_the_interval_against_all_resamples():
    """Three runs have 27 equally likely resamples: the quantiles are known."""
    values = np.array([1.0, 2.0, 6.0])
    means = [np.mean(pick) for pick in itertools.product(values, repeat=3)]
    low, high = np.quantile(means, [0.1, 0.9], method="inverted_cdf")
    found = estimate([values], statistics.mean, resamples=20_000, level=0.8)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_a_curve_is_resampled_whole():
    """Two runs that mirror each other: in every resample the curve is one of three."""
    curves = np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    draws = statistics.resampled([curves], statistics.mean, resamples=500, seed=0)
    assert {tuple(draw) for draw in draws} == {(0, 1, 2), (1, 1, 1), (2, 1, 0)}


def test_the_same_seed_gives_the_same_interval():
    values = [np.random.default_rng(0).normal(size=6)]
    one, two = (estimate(values, statistics.iqm, seed=3) for _ in range(2))
    assert one == two
    assert estimate(values, statistics.iqm, seed=4) != one


def test_large_curves_are_resampled_in_parts():
    curves = np.random.default_rng(0).normal(size=(4, 30_000))
    found = estimate([curves], statistics.mean, resamples=200)
    assert found.value.shape == found.low.shape == (30_000,)
    assert (found.low <= found.value).mean() > 0.99


def test_one_run_has_no_interval():
    found = estimate([np.array([3.0])], statistics.mean)
    assert found.value == 3.0 and np.isnan(found.low) and np.isnan(found.high)
    assert np.isnan(difference([np.array([3.0])], [np.array([1.0, 2.0])]).low)


def test_coverage():
    """The law of an interval: with 20 runs a 95 % interval holds the truth in 88 to 98 of 100."""
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(300):
        found = estimate([rng.normal(size=20)], statistics.mean, resamples=400)
        hits += bool(found.low <= 0 <= found.high)
    assert 0.88 <= hits / 300 <= 0.98


def test_the_difference_of_two_groups():
    rng = np.random.default_rng(0)
    a, b = [rng.normal(3, 1, 40)], [rng.normal(1, 1, 40)]
    found = difference(a, b, resamples=4000)
    assert found.value == pytest.approx(a[0].mean() - b[0].mean())
    error = np.sqrt(a[0].var() / 40 + b[0].var() / 40)  # of the difference; ±1.96 of it
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.06)
