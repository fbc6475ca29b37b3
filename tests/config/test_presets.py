"""Composition of presets, and the numbers of the official task blocks."""

import itertools

import pytest

from reverie.config.agents import AGENTS
from reverie.config.balances import BALANCES
from reverie.config.benchmarks import BENCHMARKS
from reverie.config.edit import diff, field_types, flat, get
from reverie.config.methods import METHODS
from reverie.config.preset import Preset
from reverie.config.presets import (
    check_methods,
    expected_pictures,
    preset_named,
    resolve,
    suite_of,
    suite_preset,
)
from reverie.config.schema import Config
from reverie.config.sizes import ALL_SIZES, SIZES, size_edits
from reverie.envs.suites import SUITES
from reverie.part.errors import ConfigError

# envs, steps, train ratio: the task blocks of the specification, section 6.2
BLOCKS = {
    "minecraft_diamond": (16, 10_000_000_000, 32),
    "dmlab_explore_goal_locations_small": (16, 26_000_000, 32),
    "atari_pong": (16, 51_000_000, 32),
    "procgen_coinrun": (16, 110_000_000, 64),
    "atari100k_pong": (1, 110_000, 256),
    "crafter_reward": (1, 1_100_000, 512),
    "bsuite_mnist/0": (1, 10_000_000_000, 1024),
    "loconav_ant_maze_m": (16, 10_000_000_000, 256),
}


@pytest.mark.parametrize("task", BLOCKS)
def test_a_suite_has_the_official_numbers(task):
    config = resolve(task, preset="published")
    assert (config.env.num, config.steps, config.train.ratio) == BLOCKS[task]
    assert (config.train.batch, config.train.length) == (16, 64)
    assert (config.replay.capacity, config.replay.context) == (5_000_000, 1)


def test_the_two_atari_protocols():
    large, small = resolve("atari_pong").env, resolve("atari100k_pong").env
    assert (large.size, large.gray, large.sticky, large.actions) == (96, True, 0.25, "all")
    assert (small.size, small.gray, small.sticky, small.actions) == (64, False, 0.0, "needed")
    for env in (large, small):
        assert (env.repeat, env.noops, env.lives) == (4, 30, "unused")
        assert env.limit * env.repeat == 108_000  # frames
        assert not env.limit_is_terminal


def test_dmc_is_the_published_curve_and_the_newest_code_is_a_variant():
    proprio, vision = resolve("dmc_walker_walk"), resolve("dmc_walker_walk", preset="dmc_vision")
    for config, steps in ((proprio, 300_000), (vision, 600_000)):
        assert (config.env.repeat, config.train.ratio, config.steps) == (2, 512, steps)
    assert (proprio.env.observe, vision.env.observe) == ("proprio", "vision")
    assert vision.size == "12m"
    newest = resolve("dmc_walker_walk", preset="dmc_proprio_newest")
    assert (newest.size, newest.env.repeat, newest.train.ratio) == ("1m", 1, 1024)
    newest = resolve("dmc_walker_walk", preset="dmc_vision_newest")
    assert (newest.env.repeat, newest.train.ratio, newest.steps) == (1, 256, 1_100_000)


def test_the_base_is_the_official_agent():
    config = Config()
    world, behavior = config.world, config.behavior
    assert (world.reward.weight, world.cont.weight, world.objective.weight) == (1, 1, 1)
    assert (world.dynamics.dyn, world.dynamics.rep) == (1, 0.1)
    critic = behavior.critic
    assert (behavior.actor.weight, critic.weight, critic.replay_weight) == (1, 1, 0.3)
    optim = config.optim
    assert (optim.lr, optim.agc, optim.eps, optim.beta1, optim.beta2, optim.warmup) == (
        (4e-5, 0.3, 1e-20, 0.9, 0.999, 1000)
    )
    assert (behavior.imagine, behavior.horizon, behavior.lam) == (15, 333, 0.95)
    assert (behavior.slow_rate, behavior.slow_every, behavior.slow_reg) == (0.02, 1, 1.0)
    assert (behavior.scale.rate, behavior.scale.low, behavior.scale.high) == (0.01, 5, 95)
    heads = (config.world.reward, config.world.cont, config.behavior.actor, config.behavior.critic)
    assert [head.layers for head in heads] == [1, 1, 3, 3]
    assert [head.outscale for head in heads] == [0.0, 1.0, 0.01, 0.0]


@pytest.mark.parametrize("preset", [None, *BENCHMARKS])
@pytest.mark.parametrize("size", ["auto", *SIZES])
def test_every_preset_constructs_at_every_size(preset, size):
    for pictures in (None, False, True):
        config = resolve("gym:X-v0", preset=preset, size=size, pictures=pictures)
        assert config.task == "gym:X-v0"
        assert size in ("auto", config.size)
        assert (config.size == "auto") <= (pictures is None)


def test_presets_name_real_fields_and_say_what_they_are():
    for preset in [*AGENTS.values(), *BENCHMARKS.values(), *METHODS.values()]:
        assert set(preset.edits) <= set(field_types())
        assert len(preset.doc) > 20
        assert preset.size in ("auto", *ALL_SIZES)
    assert {row.preset for row in SUITES.values()} <= set(BENCHMARKS)
    assert {preset.suite for preset in BENCHMARKS.values()} <= {"", "gym", *SUITES}


def test_no_two_methods_write_one_field_differently():
    for a, b in itertools.combinations(METHODS.values(), 2):
        check_methods([a, b])


def test_every_balance_composes_with_the_methods_but_not_with_another():
    for balance in BALANCES.values():
        config = resolve("gym:X-v0", methods=["patch"], balance=balance.name)
        assert get(config, "world.encoder.stack") == "patch"
        assert {get(config, path) for path in balance.edits} == set(balance.edits.values())
        assert len(balance.doc) > 20
    with pytest.raises(ConfigError, match="'harmony' and 'reciprocal' both set"):
        resolve("gym:X-v0", methods=["harmony"], balance="reciprocal")


def test_methods_that_disagree_are_refused():
    a, b = Preset("a", "", {"optim.lr": 1.0, "seed": 1}), Preset("b", "", {"optim.lr": 2.0})
    check_methods([a, Preset("c", "", {"optim.lr": 1.0, "steps": 3})])
    with pytest.raises(ConfigError, match=r"'a' and 'b' both set optim.lr: to 1.0 and to 2.0"):
        check_methods([a, b])


def test_composition_order():
    config = resolve(
        "probe_bandit", size="1m", overrides={"world.dynamics.hidden": 32, "train.batch": 4}
    )
    assert config.env.num == 4  # the suite's
    assert config.world.dynamics.deter == 512  # the named size wins over the suite's own
    assert config.world.dynamics.hidden == 32  # the override wins over the size
    assert config.train.batch == 4  # and over the benchmark
    assert resolve("probe_bandit").size == "tiny"
    assert get(resolve("gym:X-v0", methods=["patch"]), "world.encoder.stack") == "patch"


def test_a_general_preset_lies_over_the_suite():
    config = resolve("atari_pong", preset="debug")
    assert (config.env.gray, config.env.repeat) == (True, 4)  # still the Atari protocol
    assert (config.size, config.train.batch, config.env.num) == ("debug", 8, 4)
    assert resolve("atari_pong", preset="debug", size="1m").world.dynamics.deter == 512


def test_a_preset_of_another_suite_replaces_the_suites_own():
    config = resolve("atari_pong", preset="atari100k")
    expected = resolve("atari100k_pong", preset="atari100k")
    assert diff(config, expected) == {"task": ("atari_pong", "atari100k_pong")}


def test_automatic_size_respects_what_was_set_by_hand():
    overrides = {"world.dynamics.deter": 256, "optim.lr": 1e-3}
    open_size = resolve("gym:X-v0", preset="published", overrides=overrides)
    assert (open_size.size, open_size.pinned) == ("auto", ("world.dynamics.deter",))
    for pictures, size in ((False, "1m"), (True, "12m")):
        config = resolve("gym:X-v0", preset="published", pictures=pictures, overrides=overrides)
        expected = {**flat(config), **size_edits(size), "world.dynamics.deter": 256}
        assert flat(config) == expected
        assert config.pinned == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"task": "atri_pong"}, "'atri' is no suite; did you mean 'atari'?"),
        ({"task": "CartPole-v1"}, "tasks are written suite_task or gym:ID"),
        ({"task": "gim:CartPole-v1"}, "did you mean 'gym'?"),
        ({"agent": "v4"}, "there is no agent 'v4'; did you mean 'v3'?"),
        ({"size": "12"}, "there is no size '12'; the sizes are auto, debug"),
        ({"preset": "atari10k"}, "there is no preset 'atari10k'; did you mean 'atari100k'?"),
        ({"methods": ["pach"]}, "there is no method 'pach'; did you mean 'patch'?"),
        ({"overrides": {"optim.lrr": 1}}, "did you mean 'lr'?"),
        ({"overrides": {"size": "1m"}}, "'size' is no override"),
    ],
)
def test_unknown_names_suggest_the_nearest(call, message):
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        resolve(**{"task": "gym:CartPole-v1", **call})


def test_suites_and_named_presets():
    assert suite_of("gym:ALE/Pong-v5") == "gym"
    assert suite_of("custom:make_env") == "custom"
    assert suite_of("atari100k_ms_pacman") == "atari100k"
    assert preset_named("12m").edits["world.dynamics.deter"] == 2048
    with pytest.raises(ConfigError, match="there is no preset 'crafte'; did you mean 'crafter'"):
        preset_named("crafte")


def test_expected_pictures_agree_with_what_the_presets_ask_for():
    assert expected_pictures("gym:CartPole-v1") is None
    assert expected_pictures("dmc_walker_walk") is False
    assert expected_pictures("dmc_walker_walk", "dmc_vision") is True
    assert expected_pictures("dmc_walker_walk", "debug") is False
    assert expected_pictures("atari100k_pong") is True
    for preset in BENCHMARKS.values():
        if "env.observe" in preset.edits:
            assert preset.pictures == (preset.edits["env.observe"] != "proprio")


def test_quick_is_quick_under_every_agent():
    """The older agents' own smallest size would make its update ten times as expensive."""
    sizes = {
        agent: resolve("gym:CartPole-v1", preset="quick", agent=agent, pictures=False).size
        for agent in ("v3", "v2", "v3-2023")
    }
    assert set(sizes.values()) == {"tiny"}
    named = resolve("gym:CartPole-v1", preset="quick", agent="v2", size="w200", pictures=False)
    assert named.size == "w200"


def test_small_tasks_get_quick_settings_and_published_ones_by_a_word():
    for task in ("gym:CartPole-v1", "custom:mine", "minigrid_empty_5x5", "bsuite_catch/0"):
        usual, named = resolve(task), resolve(task, preset="quick")
        assert usual == named and usual.preset == "quick"
        published = resolve(task, preset="published")
        assert published.preset == "published"
        edits = suite_preset(suite_of(task)).edits
        assert {path: flat(published)[path] for path in edits} == edits
        assert published.steps > usual.steps


def test_other_suites_and_sequences_keep_their_own_settings():
    for task in ("atari100k_pong", "gym:ALE/Pong-v5", "dmc_walker_walk", "probe_action"):
        assert resolve(task).preset == "published"
        assert resolve(task) == resolve(task, preset="published")
    assert resolve("continual:minigrid3").preset == "published"
    steps = {"sequence.tasks": ("gym:A", "gym:B"), "sequence.steps": (10,)}
    assert resolve("continual:custom", overrides=steps).preset == "published"


@pytest.mark.parametrize(
    ("chosen", "starts"),
    [
        ({}, 8),
        ({"overrides": {"train.length": 8}}, 0),
        ({"overrides": {"train.length": 6}}, 0),
        ({"replay": "xp"}, 0),
        ({"replay": "recency"}, 8),
        ({"overrides": {"replay.draw": "proportional", "replay.signal": "td"}}, 0),
        ({"overrides": {"behavior.starts": 4}}, 4),
        ({"overrides": {"behavior.starts": 0}}, 0),
        ({"preset": "published"}, 0),
        ({"agent": "v2"}, 0),
    ],
)
def test_the_starts_of_a_preset_give_way_to_what_was_asked_for(chosen, starts):
    assert resolve("gym:CartPole-v1", **chosen).behavior.starts == starts


def test_starts_that_were_asked_for_do_not_give_way():
    with pytest.raises(ConfigError, match=r"behavior.starts \(8\) must be at most train.length"):
        resolve("gym:CartPole-v1", overrides={"behavior.starts": 8, "train.length": 6})
    with pytest.raises(ConfigError, match="needs a dream from every trained row"):
        resolve("gym:CartPole-v1", replay="xp", overrides={"behavior.starts": 8})
