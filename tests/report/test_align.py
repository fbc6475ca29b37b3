"""Curves on a common grid, by hand and against a loop."""

import numpy as np
import pytest

from reverie.report.align import area, common_grid, last_mean, last_value, on_grid, window_mean
from reverie.report.read import Series


def series(steps, values):
    return Series(np.array(steps, float), np.array(values, float))


def test_a_grid_value_is_the_mean_since_the_last_grid_step():
    curve = series([1, 2, 3, 5, 9], [10, 20, 40, 8, 6])
    assert on_grid(curve, np.array([2.0, 3, 6, 8, 9])).tolist() == [20, 40, 8, 8, 6]
    assert on_grid(curve, np.array([1.0, 5.0])).tolist() == [10, (20 + 40 + 8) / 3]
    assert on_grid(curve, np.array([100.0])).tolist() == [6]


def test_against_a_loop():
    rng = np.random.default_rng(0)
    curve = series(np.sort(rng.uniform(0, 100, 300)), rng.normal(size=300))
    grid = np.linspace(10, 100, 37)
    found = on_grid(curve, grid)
    for low, high, value in zip(grid[:-1], grid[1:], found[1:], strict=True):
        inside = curve.value[(curve.step > low) & (curve.step <= high)]
        expected = inside.mean() if len(inside) else curve.value[curve.step <= high][-1]
        assert value == pytest.approx(expected)


def test_shared_steps_are_the_grid():
    a, b = series([5, 10, 15], [1, 2, 3]), series([5, 10, 20], [4, 5, 6])
    assert common_grid([a, a], 15.0).tolist() == [5, 10, 15]
    assert common_grid([a, b], 12.0).tolist() == [5, 10]
    assert common_grid([a, b], 15.0, points=3).tolist() == [5, 10, 15]
    assert common_grid([series([8], [1]), a], 15.0, points=2).tolist() == [8, 15]
    assert common_grid([series([15], [1]), a], 15.0).tolist() == [15]


def test_scores():
    curve = series([10, 50, 95, 100, 110], [1, 2, 4, 8, 99])
    assert last_value(curve, 100) == 8 and np.isnan(last_value(curve, 5))
    assert last_mean(curve, 100) == 6  # (90, 100]
    assert last_mean(curve, 60) == 2  # nothing in (54, 60]: the last value
    assert window_mean(curve, 10, 95) == 3 and np.isnan(window_mean(curve, 10, 20))


def test_area_is_the_mean_height():
    grid = np.array([0.0, 1.0, 3.0])
    assert area(grid, np.array([[0.0, 2.0, 2.0]])) == pytest.approx([5 / 3])
    assert area(np.array([7.0]), np.array([[3.0]])) == [3.0]
