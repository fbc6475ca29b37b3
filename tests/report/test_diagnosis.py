"""What is said of a run that goes nowhere, and that nothing is said of one that learns."""

from pathlib import Path

import numpy as np
import pytest

from reverie.report.diagnosis import diagnose, goes_nowhere
from reverie.report.page import render
from reverie.report.read import Run, Series

RNG = np.random.default_rng(0)
CONFIG = {
    "task": "gym:X-v0",
    "behavior.actor.entropy": 3e-4,
    "behavior.scale.limit": 1.0,
    "train.ratio": 256.0,
    "world.objective": "reconstruction",
}


def run(returns, lengths=None, *, config=CONFIG, **last) -> Run:
    """A run of these episodes whose other metrics end with these values."""

    def series(values):
        values = np.asarray(values, float)
        return Series(np.arange(1.0, len(values) + 1), values)

    lengths = RNG.integers(5, 50, len(returns)) if lengths is None else lengths
    named = {"episode/return": series(returns), "episode/length": series(lengths)}
    named["train/updates"] = series([5_000])
    named |= {name.replace("__", "/"): series([value]) for name, value in last.items()}
    return Run(Path("run"), "run", config, {}, "", (), named, (), ())


def noise(count, mean, spread):
    return mean + spread * RNG.normal(size=count)


CHANCE = {"train__rand__action": 0.99, "train__return_low": 0.0}
LEARNS = np.linspace(20, 200, 100) + noise(100, 0, 20)


def test_a_run_that_learns_is_left_alone():
    assert not goes_nowhere(run(LEARNS))
    assert diagnose(run(LEARNS, train__rand__action=0.01, explained__obs=0.9)) == []


def test_a_handful_of_episodes_is_not_judged():
    assert diagnose(run([0.0] * 9, [200] * 9)) == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (run([0.0] * 60), ["60", "other than 0", "plan2explore", "--behavior.actor.entropy 0.003"]),
        (run(noise(40, -60, 5), [999] * 40), ["40", "999 steps", "plan2explore", "--env.repeat"]),
        (
            run(noise(90, 20, 4), train__rand__action=0.004),
            ["certain", "'action'", "0.4%", "--behavior.actor.entropy 0.003", "--optim.lr"],
        ),
        (
            run(noise(90, 0.02, 0.01), **CHANCE, train__return_high=0.04),
            ["by chance", "0.04", "at least 1", "--behavior.scale.limit 0.04", "entropy 3e-05"],
        ),
        (
            run(noise(90, 20, 4), **CHANCE, train__return_high=9.0),
            ["by chance", "--train.ratio than 256", "plan2explore"],
        ),
        (run(noise(90, 20, 4), train__updates=320), ["only 320 updates", "--steps", "256"]),
    ],
    ids=["no reward", "no end", "certain", "small rewards", "by chance", "few updates"],
)
def test_what_a_run_that_goes_nowhere_shows(seen, words):
    (sentence,) = diagnose(seen)
    assert all(word in sentence for word in words), sentence


def test_costs_that_hide_a_reward():
    """MountainCarContinuous: the return rises to nothing, and the goal was never found."""
    returns = np.concatenate([noise(30, -40, 3), -np.abs(noise(60, 0.1, 0.02))])
    (sentence,) = diagnose(run(returns, [999] * 90))
    assert "doing nothing" in sentence and "plan2explore" in sentence and "--env.repeat" in sentence
    assert diagnose(run(np.append(returns, 93.0), [999] * 91)) == []


def test_a_key_of_which_the_latents_tell_nothing_is_named_however_well_it_learns():
    (sentence,) = diagnose(run(LEARNS, explained__kind=0.02, explained__picture=0.99))
    assert "'kind'" in sentence and "--world.objective.weights kind=10" in sentence
    assert diagnose(run(LEARNS, explained__kind=0.02, train__updates=500)) == []


def test_an_entropy_that_follows_a_schedule_is_not_computed_with():
    scheduled = CONFIG | {"behavior.actor.entropy": "linear(0.01, 0.001, 5000)"}
    (sentence,) = diagnose(run([0.0] * 60, config=scheduled))
    assert "a larger --behavior.actor.entropy" in sentence


def test_the_page_shows_it():
    page = render([run([0.0] * 60)])
    assert "What stands in the way" in page and "other than 0" in page
    assert "What stands in the way" not in render([run(LEARNS)])
