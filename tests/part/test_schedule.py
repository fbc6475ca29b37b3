"""Schedules as texts, against the values that an update takes of them."""

import numpy as np
import pytest

from reverie.behavior.schedule import value_at
from reverie.part.schedule import scaled


@pytest.mark.parametrize(
    "schedule", ["linear(3e-2,3e-3,5000)", "warmup(100, 0.5)", "exp(1, 0.1, 300)", 0.02]
)
def test_a_scaled_schedule_is_so_many_times_the_other_at_every_step(schedule):
    steps = np.array([0.0, 50.0, 700.0, 5000.0, 90_000.0])
    for step in steps:
        many, one = (value_at(x, step) for x in (scaled(schedule, 10.0), schedule))
        assert float(many) == pytest.approx(10 * float(one), rel=1e-6)


def test_a_discount_is_no_multiple_of_another():
    with pytest.raises(ValueError, match="horizon"):
        scaled("horizon(10, 100, 5000)", 2.0)
