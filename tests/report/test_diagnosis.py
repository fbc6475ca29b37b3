"""What is said of a run that goes nowhere, and that nothing is said of one that learns."""

import re
from pathlib import Path

import numpy as np
import pytest
from fake_run import make_run

from reverie.config.edit import flat
from reverie.config.presets import resolve
from reverie.launch import read
from reverie.report.diagnosis import diagnose, goes_nowhere
from reverie.report.page import render
from reverie.report.read import Run, Series, read_run
from reverie.report.value_scale import largest_return, value_scale

RNG = np.random.default_rng(0)
CONFIG = {
    "task": "gym:X-v0",
    "behavior.actor.entropy": 3e-4,
    "behavior.scale.limit": 1.0,
    "behavior.horizon": 333.0,
    "optim.lr": 4e-5,
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
    return mean + spread * np.random.default_rng(1).normal(size=count)


CHANCE = {"train__rand__action": 0.99, "train__return_low": 0.0}
IDLE = np.concatenate([noise(30, -40, 3), -np.abs(noise(60, 0.1, 0.02))])
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
            ["certain", "'action'", "0.4%", "--behavior.actor.entropy 0.003", "--optim.lr than"],
        ),
        (
            run(noise(90, 0.02, 0.01), **CHANCE, train__return_high=0.04),
            ["by chance", "0.04", "at least 1", "--behavior.scale.limit 0.04", "entropy 3e-05"],
        ),
        (
            run(noise(90, 20, 4), **CHANCE, train__return_high=9.0),
            ["by chance", "--train.ratio than 256", "plan2explore"],
        ),
        (
            run(noise(90, 20, 4), **CHANCE, train__updates=320),
            ["only 320 updates", "--steps", "a larger --train.ratio than 256"],
        ),
    ],
    ids=["no reward", "no end", "certain", "small rewards", "by chance", "few updates"],
)
def test_what_a_run_that_goes_nowhere_shows(seen, words):
    (sentence,) = diagnose(seen)
    assert all(word in sentence for word in words), sentence


def test_costs_that_hide_a_reward():
    """MountainCarContinuous: the return rises to nothing, and the goal was never found."""
    (sentence,) = diagnose(run(IDLE, [999] * 90))
    assert "doing nothing" in sentence and "plan2explore" in sentence and "--env.repeat" in sentence
    assert diagnose(run(np.append(IDLE, 93.0), [999] * 91)) == []


def test_a_key_of_which_the_latents_tell_nothing_is_named_however_well_it_learns():
    (sentence,) = diagnose(run(LEARNS, explained__kind=0.02, explained__picture=0.99))
    assert "'kind'" in sentence and "--world.objective.weights kind=10" in sentence
    assert diagnose(run(LEARNS, explained__kind=0.02, train__updates=500)) == []


def test_a_replay_that_is_known_by_heart_is_told_however_well_the_run_learns():
    """As `mixed` ended after 10,000 steps at ratio 256, and as CartPole does."""
    heart = {"model__kl_played": 24.7, "model__kl_replayed": 14.1}
    (sentence,) = diagnose(run(LEARNS, config=AGENTS["v3"], **heart))
    for word in ("24.7 nats", "14.1", "smaller --train.ratio than 256", "deter than 256"):
        assert word in sentence
    assert diagnose(run(LEARNS, train__updates=500, **heart)) == []
    assert diagnose(run(LEARNS, model__kl_played=1.4, model__kl_replayed=0.6)) == []
    assert diagnose(run(LEARNS, model__kl_played=14.0, model__kl_replayed=10.0)) == []


def test_an_entropy_that_follows_a_schedule_is_larger_all_along():
    scheduled = CONFIG | {"behavior.actor.entropy": "linear(0.01, 0.001, 5000)"}
    (sentence,) = diagnose(run([0.0] * 60, config=scheduled))
    assert "--behavior.actor.entropy 'linear(0.1,0.01,5000)'," in sentence


def test_the_page_shows_it():
    page = render([run([0.0] * 60)])
    assert "What stands in the way" in page and "other than 0" in page
    assert "What stands in the way" not in render([run(LEARNS)])


AGENTS = {agent: flat(resolve("gym:X-v0", agent=agent)) for agent in ("v3", "v3-2023", "v2")}
CHANCE_OF_V2 = {"train__rand__action": 0.99, "train__adv_mag": 5e-4}
FAR = {"train__val": 900.0, "train__tar": 905.0}
BEHIND = {"train__val": 3.0, "train__tar": 40.0}
SEEN = {
    "reward": lambda config: run([0.0] * 60, config=config),
    "entropy": lambda config: run(noise(90, 20, 4), config=config, train__rand__action=0.004),
    "truncated": lambda config: run(noise(40, -60, 5), [999] * 40, config=config),
    "runs away": lambda config: run(noise(90, 20, 4), [100] * 89 + [99], config=config, **FAR),
    "behind": lambda config: run(noise(90, 40, 4), config=config, **BEHIND),
    "by chance": lambda config: run(noise(90, 20, 4), config=config, train__rand__action=0.99),
    "outweighed": lambda config: run(noise(90, 20, 4), config=config, **CHANCE_OF_V2),
    "idle": lambda config: run(IDLE, [999] * 90, config=config),
    "few": lambda config: run(noise(90, 20, 4), config=config, train__updates=320),
    "unseen": lambda config: run(LEARNS, config=config, explained__kind=0.02),
    "by heart": lambda config: run(
        LEARNS, config=config, model__kl_played=9.0, model__kl_replayed=3.0
    ),
}


@pytest.mark.parametrize("explore", ["none", "plan2explore"])
@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("seen", SEEN)
def test_every_sentence_names_two_settings_that_the_run_has(seen, agent, explore):
    config = AGENTS[agent] | {"explore": explore, "world.reward.transform": "identity"}
    found = diagnose(SEEN[seen](config))
    assert found or (seen, explore) == ("runs away", "plan2explore")
    for sentence in found:
        named = re.findall(r"(--[\w.]*\w)(?: ([\w=.+-]*\w))?", sentence)
        assert len({flag for flag, _ in named}) == 2, sentence
        for flag, value in named:
            assert flag in ("--steps", "--explore") or flag[2:] in config, sentence
            given = [value] if value and re.search(r"\d|=|plan2|twohot|kind", value) else []
            if given and f"than {value}" not in sentence:
                read(["gym:X-v0", "--agent", agent, flag, *given]).config()


def test_a_value_beyond_what_episodes_allow_has_run_away():
    """A return of 20 over 100 steps is a rate of 0.2, and 66.6 over a horizon of 333."""
    returns, lengths = [20.0, *[15.0] * 50], [100, *[90] * 50]
    far = run(returns, lengths, train__val=-201.0, train__tar=-200.0)
    assert largest_return(far) == pytest.approx(66.6)
    (sentence,) = value_scale(far)
    for word in ("magnitude 201", "allow 66.6", "lower --optim.lr than 4e-05", "than 333.0"):
        assert word in sentence
    assert list(value_scale(run(returns, lengths, train__val=199.0, train__tar=200.0))) == []
    early = run(returns, lengths, train__val=201.0, train__tar=200.0, train__updates=399)
    assert list(value_scale(early)) == []
    warm = run(returns, config=AGENTS["v3"], train__val=9, train__tar=30, train__updates=499)
    assert AGENTS["v3"]["optim.warmup"] == 100 and list(value_scale(warm)) == []
    v2 = run(returns, lengths, config=AGENTS["v2"], train__val=300.0, train__tar=301.0)
    assert largest_return(v2) == 100.0  # the tanh of a reward over a horizon of 100
    (sentence,) = value_scale(run(returns, config=AGENTS["v2"], train__val=301, train__tar=300))
    assert "lower --optim.critic.lr than 0.0004" in sentence and "than 100.0" in sentence


def test_what_is_learned_from_may_be_more_than_what_episodes_bring():
    for path, value in (("bonus", "visits"), ("explore", "plan2explore")):
        added = run([20.0] * 60, config=CONFIG | {path: value}, train__val=900.0, train__tar=905.0)
        assert largest_return(added) == np.inf and list(value_scale(added)) == []
    divided = CONFIG | {"behavior.reward_momentum": 0.99}
    assert largest_return(run([20.0] * 60, config=divided)) == np.inf
    smaller = CONFIG | {"world.reward.divisor": 10.0}
    assert largest_return(run([40.0], [400], config=smaller)) == pytest.approx(4.0)


def test_a_critic_that_does_not_follow_its_returns():
    returns, plain = noise(90, 400, 4), AGENTS["v2"] | {"world.reward.transform": "identity"}
    behind = {"train__val": 120.0, "train__tar": 260.0}
    (sentence,) = value_scale(run(returns, config=plain, **behind))
    for word in ("says 120", "bring 260", "--world.reward.divisor 300", "critic.dist twohot"):
        assert word in sentence
    (sentence,) = value_scale(run(returns, config=AGENTS["v3"], **behind))
    assert "larger --optim.lr than 0.0004" in sentence and "--train.ratio" in sentence
    thousand = plain | {"world.reward.divisor": 0.001}  # as a run of V2 on CartPole ended
    ended = {"train__val": 1440.8, "train__tar": 4792.1, "train__updates": 511}
    (sentence,) = value_scale(run(noise(180, 14, 4), config=thousand, **ended))
    assert "--world.reward.divisor 5," in sentence
    near = {"train__val": 131.0, "train__tar": 260.0}
    assert list(value_scale(run(returns, config=plain, **near))) == []
    tiny = {"train__val": 0.1, "train__tar": 0.9}
    assert list(value_scale(run(noise(90, 1, 0.1), config=plain, **tiny))) == []


def test_advantages_that_the_bonus_for_entropy_outweighs():
    plain = AGENTS["v2"] | {"behavior.actor.entropy": 2e-3}
    last = {"train__rand__action": 0.99, "train__adv_mag": 4e-4}
    (sentence,) = diagnose(run(noise(90, 0.02, 0.01), config=plain, **last))
    for word in ("0.0004", "0.002 a nat", "--world.reward.divisor 0.02", "entropy 0.0002"):
        assert word in sentence
    falling = plain | {"behavior.actor.entropy": "linear(2e-2,2e-3,500)"}
    (sentence,) = diagnose(run(noise(90, 0.02, 0.01), config=falling, **last))
    for word in ("linear(2e-2,2e-3,500) a nat", "'linear(0.002,0.0002,500)'"):
        assert word in sentence
    last["train__adv_mag"] = 2.1e-3
    (sentence,) = diagnose(run(noise(90, 0.02, 0.01), config=plain, **last))
    assert "nothing that it could repeat" in sentence


def test_values_of_healthy_runs_are_left_alone(tmp_path):
    """Last values of runs of the learning table and of the demonstration, of 28 and 30 Nov 2026."""
    healthy = [  # horizon, largest return and its length, val, tar
        (100, 500, 500, 61.4, 63.2),  # CartPole
        (100, -500, 500, -95.0, -94.4),  # Acrobot
        (100, 1, 6, 0.24, 0.246),  # FrozenLake
        (100, 38, 47, 42.5, 44.3),  # Box [-3, 7]
        (100, 0.957, 12, 0.883, 0.875),  # MiniGrid empty 8x8
    ]
    for horizon, returned, length, value, target in healthy:
        config = CONFIG | {"behavior.horizon": float(horizon)}
        last = {"train__val": value, "train__tar": target}
        assert list(value_scale(run([returned] * 60, [length] * 60, config=config, **last))) == []
    assert not any("critic" in word for word in diagnose(read_run(make_run(tmp_path / "a"), "a")))
