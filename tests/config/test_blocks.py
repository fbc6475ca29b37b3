"""The published blocks of DreamerV2, the 2023 DreamerV3 and HarmonyDream, against their numbers."""

import pytest

from reverie.config import presets as module
from reverie.config.benchmarks import BENCHMARKS
from reverie.config.blocks_continual import CONTINUAL
from reverie.config.blocks_harmony import HARMONY
from reverie.config.blocks_stacks import STACKS
from reverie.config.blocks_v2 import V2
from reverie.config.blocks_v3_2023 import V3_2023
from reverie.config.edit import flat
from reverie.config.preset import Preset
from reverie.config.presets import expected_pictures, resolve, suite_preset
from reverie.envs.suites import SUITES

# The specification's table of official DreamerV2 blocks; columns as there. Train ratio is
# batch x length / train_every, horizon 1 / (1 - discount).
V2_BLOCKS = {
    "v2_defaults": {"steps": 1e8, "train.eval_every": 1e5, "train.ratio": 16 * 50 / 5},
    "v2_atari": {
        "steps": 5e7,
        "env.limit": 27_000,
        "env.repeat": 4,
        "env.sticky": 0.25,
        "env.gray": True,
        "env.size": 64,
        "train.eval_every": 2.5e5,
        "train.ratio": 16 * 50 / 16,
        "world.dynamics.deter": 600,
        "world.dynamics.hidden": 600,
        "world.cont.weight": 5.0,
        "world.dynamics.dyn": 0.08,  # 0.1 x balance 0.8
        "world.dynamics.rep": 0.02,
        "world.reward.transform": "tanh",
        "world.cont.predict": True,
        "behavior.horizon": 1000,
        "behavior.actor.entropy": 1e-3,
    },
    "v2_crafter": {
        "net.norm": "layer",
        "world.reward.transform": "tanh",
        "train.ratio": 160,
        "env.repeat": 1,
        "behavior.horizon": 1000,
        "behavior.actor.entropy": 3e-3,
    },
    "v2_dmc_vision": {
        "env.observe": "vision",
        "env.repeat": 2,
        "train.eval_every": 1e4,
        "world.dynamics.deter": 200,
        "world.dynamics.hidden": 200,
        "world.dynamics.free_nats": 1.0,
        "world.reward.transform": "identity",
        "world.cont.predict": False,
        "net.norm": "none",
        "world.dynamics.dyn": 0.8,
        "world.dynamics.rep": 0.2,
        "behavior.horizon": 100,
        "behavior.actor.entropy": 1e-4,
    },
    "v2_dmc_proprio": {
        "env.observe": "proprio",
        "world.dynamics.deter": 200,
        "behavior.actor.entropy": 1e-4,
    },
    "v2_debug": {"env.limit": 100, "train.batch": 10, "train.length": 10, "train.log_every": 300},
    "harmony_dmc_vision": {
        "steps": 502_000,
        "train.eval_episodes": 10,
        "train.eval_every": 1e4,
        "env.repeat": 2,
        "world.dynamics.deter": 200,
        "world.dynamics.free_nats": 1.0,
    },
    "harmony_metaworld": {
        "train.batch": 50,
        "train.ratio": 50 * 50 / 5,
        "env.limit": 500,
        "env.repeat": 1,
        "steps": 255_000,
        "train.eval_every": 1e4,
        "train.eval_episodes": 10,
        "replay.capacity": 1_000_000,
        "world.dynamics.deter": 1024,
        "world.dynamics.free_nats": 0,
        "world.reward.transform": "identity",
        "world.cont.predict": False,
        "behavior.actor.entropy": 1e-4,
    },
    "harmony_metaworld_v3": {
        "world.dynamics.deter": 1024,
        "world.encoder.depth": 48,
        "world.reward.units": 640,
        "world.reward.layers": 3,
        "world.cont.grad": False,
        "env.num": 5,
        "train.ratio": 500,
        "train.batch": 50,
        "steps": 255_000,
    },
    "harmony_dmc_remastered": {
        "steps": 502_000,
        "train.eval_episodes": 10,
        "env.repeat": 2,
        "world.dynamics.deter": 1024,
        "world.dynamics.free_nats": 1,
        "behavior.actor.entropy": 1e-4,
    },
    "harmony_dmc_natural_background": {
        "steps": 502_000,
        "world.dynamics.hidden": 1024,
        "env.repeat": 2,
    },
    "harmony_rlbench": {
        "env.limit": 200,
        "env.repeat": 2,
        "train.batch": 50,
        "train.eval_every": 5e3,
        "train.log_every": 1e3,
        "train.eval_episodes": 5,
        "steps": 502_000,
        "world.dynamics.free_nats": 1,
        "world.reward.transform": "tanh",
        "world.cont.predict": True,
        "world.dynamics.dyn": 0.08,
        "behavior.actor.entropy": 2e-3,
        "replay.capacity": 2_000_000,
    },
    "harmony_minecraft": {
        "env.size": 128,
        "env.limit": 500,
        "env.repeat": 1,
        "train.batch": 16,
        "train.length": 64,
        "train.ratio": 16 * 64 / 5,
        "train.eval_every": 1e4,
        "train.eval_episodes": 10,
        "steps": 1_002_000,
        "world.dynamics.deter": 2048,
        "world.reward.layers": 4,
    },
    "continual_minigrid": {
        "train.ratio": 80,
        "env.limit": 100,
        "net.norm": "none",
        "behavior.actor.entropy": 3e-3,
        "train.eval_every": 1e4,
        "steps": 750_000,
        "replay.capacity": 2e6,
        "world.dynamics.deter": 1024,
        "behavior.horizon": 100,
    },
    "continual_minihack": {
        "train.ratio": 80,
        "env.limit": 100,
        "net.norm": "layer",
        "behavior.actor.entropy": 2e-3,
        "train.eval_every": 5e4,
        "steps": 1e6,
        "replay.capacity": 1e6,
    },
    "harmony_dmc_proprio": {"world.dynamics.hidden": 200, "env.observe": "proprio"},
    "harmony_atari100k": {
        "size": "s",
        "world.dynamics.deter": 512,
        "world.encoder.depth": 32,
        "behavior.actor.layers": 2,
        "train.ratio": 1024,
        "train.eval_every": 5e3,
        "train.eval_episodes": 100,
        "steps": 1.01e5,
        "device.precision": "f32",
        "env.sticky": 0,
        "env.gray": False,
        "env.actions": "needed",
    },
    "harmony_plaincnn": {"world.encoder.stack": "valid"},
    "harmony_plainresnet": {"world.encoder.stack": "resnet"},
    "harmony_small": {
        "world.dynamics.deter": 512,
        "world.dynamics.hidden": 512,
        "behavior.actor.layers": 2,
        "world.cont.units": 512,
    },
    "harmony_medium": {
        "world.dynamics.deter": 1024,
        "world.dynamics.hidden": 640,
        "world.encoder.depth": 48,
    },
    "harmony_large": {
        "world.dynamics.deter": 2048,
        "world.dynamics.hidden": 768,
        "world.encoder.depth": 64,
        "world.reward.units": 768,
        "behavior.critic.layers": 4,
        "world.encoder.units": 400,
        "world.encoder.layers": 4,
    },
    "harmony_xlarge": {
        "world.dynamics.deter": 4096,
        "world.dynamics.hidden": 1024,
        "world.objective.depth": 96,
    },
    "harmony_eval_hard": {"train.eval_episodes": 10, "train.eval_envs": 1},
    "harmony_dmcr_hopper": {
        "env.remastered.factors": ("bg", "floor", "body", "target", "reflectance", "light")
    },
    "harmony_dreamerv3": {
        "world.reward.transform": "identity",
        "world.reward.dist": "symlog_twohot",
        "behavior.critic.dist": "symlog_twohot",
        "world.reward.outscale": 0,
        "behavior.critic.bins": 255,
        "world.dynamics.dyn": 0.5,
        "world.dynamics.rep": 0.1,
        "world.dynamics.free_nats": 1,
        "world.dynamics.floor": "batch",
        "world.dynamics.initial": "zeros",
        "world.dynamics.latent.unimix": 0.01,
        "behavior.actor.unimix": 0.01,
        "behavior.actor.dist": "truncated",
        "behavior.actor.entropy": 3e-4,
        "world.encoder.stack.widen": False,
        "world.objective.image": "gauss",
        "behavior.baseline": "slow",
        "behavior.slow_target": False,
        "behavior.slow_rate": 0.02,
        "behavior.slow_reg": 1,
        "behavior.own_reward": True,
        "behavior.contdisc": True,
        "behavior.scale.rate": pytest.approx(0.01),
        "behavior.horizon": pytest.approx(1 / 0.003),
        "optim.world.eps": 1e-8,
        "optim.world.clip": 1000,
        "optim.world.decay": 0,
        "optim.actor.eps": 1e-5,
        "optim.actor.clip": 100,
        "optim.critic.lr": 3e-5,
        "train.ratio": pytest.approx(204.8),
        "train.length": 64,
        "replay.unit.ongoing": True,
        "replay.capacity": 1e6,
        "net.maps": "whole",
        "net.bias": True,
        "net.eps": 1e-3,
    },
    "v3_2023_atari100k": {
        "size": "s",
        "world.dynamics.deter": 512,
        "train.ratio": 1024,
        "steps": 1.5e5,
        "device.precision": "f32",
    },
    "v3_2023_dmc_vision": {"train.ratio": 512, "env.repeat": 2, "env.num": 4},
    "v3_2023_dmc_proprio": {"train.ratio": 512, "env.repeat": 2, "env.num": 4},
}


TASKS = {"": "gym:X-v0", "gym": "gym:X-v0", "dmc": "dmc_walker_walk"}


def values(name: str) -> dict:
    """The whole configuration of a block under its own agent."""
    preset = BENCHMARKS[name]
    task = TASKS.get(preset.suite, f"{preset.suite}_x")
    agent = preset.agent or "v3"
    return flat(resolve(task, agent=agent, preset=name, pictures=preset.pictures is not False))


# prefill, pretrain; learning rates of world model, actor and critic, 1e-5
MORE = {
    "v2_defaults": (10_000, 1, 10, 8, 20),
    "v2_atari": (50_000, 1, 20, 4, 10),
    "v2_crafter": (10_000, 1, 10, 10, 10),
    "v2_dmc_vision": (1_000, 100, 30, 8, 8),
    "v2_dmc_proprio": (1_000, 100, 30, 8, 8),
    "harmony_dmc_vision": (1_000, 100, 30, 8, 8),
    "harmony_dmc_remastered": (1_000, 100, 30, 8, 8),
    "harmony_dmc_natural_background": (1_000, 100, 30, 8, 8),
    "harmony_metaworld": (5_000, 100, 30, 8, 8),
    "continual_minigrid": (10_000, 1, 10, 8, 20),
    "continual_minihack": (10_000, 1, 10, 10, 10),
    "harmony_rlbench": (10_000, 1, 10, 8, 20),
}


@pytest.mark.parametrize("name", MORE)
def test_random_steps_and_learning_rates(name):
    found = values(name)
    *starts, world, actor, critic = MORE[name]
    assert [found["train.prefill"], found["train.pretrain"]] == starts
    rates = [found[f"optim.{part}.lr"] for part in ("world", "actor", "critic")]
    assert rates == pytest.approx([1e-5 * rate for rate in (world, actor, critic)])


@pytest.mark.parametrize("name", V2_BLOCKS)
def test_a_block_has_the_published_numbers(name):
    found = values(name)
    assert {path: found[path] for path in V2_BLOCKS[name]} == V2_BLOCKS[name]


@pytest.mark.parametrize("name", [*V2, "harmony_dmc_vision"])
def test_dreamerv2_trains_on_rows_of_fifty(name):
    found = values(name)
    if name != "v2_debug":
        assert (found["train.batch"], found["train.length"], found["env.num"]) == (16, 50, 1)
        assert found["replay.capacity"] == 2_000_000
        assert found["behavior.imagine"] == 15


@pytest.mark.parametrize("name", [*V2, *HARMONY, *STACKS, *CONTINUAL])
def test_the_numbers_of_learning_belong_to_the_agent(name):
    """Another agent runs under the same protocol with its own numbers."""
    own = (
        "rssm.",
        "loss.",
        "behavior.",
        "actor.",
        "optim.",
        "net.",
        "encoder.",
        "reward.",
        "cont.",
    )
    preset = BENCHMARKS[name]
    assert not [path for path in preset.edits_for("v3") if path.startswith(own)]


# shortest piece and episode, starts that mean the last one
WINDOWS = {
    "v2_defaults": (50, 50),
    "v2_atari": (50, 50),
    "v2_dmc_vision": (50, 0),
    "harmony_metaworld": (50, 50),
    "harmony_dmc_remastered": (50, 0),
    "harmony_rlbench": (1, 50),
    "continual_minihack": (50, 50),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_of_episodes(name):
    found = values(name)
    assert (found["replay.unit.minlen"], found["replay.draw.ends"]) == WINDOWS[name]
    assert (found["replay.unit"], found["replay.draw"], found["replay.draw.join"]) == (
        ("episode", "episodes", True)
    )
    assert (found["replay.context"], found["replay.online"]) == (0, False)


def test_every_block_is_tested():
    assert set(V2) | set(V3_2023) | set(HARMONY) | set(CONTINUAL) | set(STACKS) == set(V2_BLOCKS)
    assert not (set(V2) & set(HARMONY)) | (set(V2) & set(V3_2023))


def test_the_agent_chooses_its_own_block_where_none_is_named():
    assert suite_preset("dmc", "v3").name == "dmc_proprio"
    assert suite_preset("dmc", "v2").name == "v2_dmc_proprio"
    assert suite_preset("atari100k", "v3-2023").name == "v3_2023_atari100k"
    assert suite_preset("minigrid", "v2").name == "minigrid"  # nothing published: the suite's
    assert expected_pictures("atari_pong", agent="v2") is True
    for suite, row in SUITES.items():
        for agent, name in row.by_agent.items():
            assert BENCHMARKS[name].suite == suite
            assert suite_preset(suite, agent) is BENCHMARKS[name]


def test_edits_and_sizes_that_belong_to_an_agent(monkeypatch):
    own = Preset(
        "own",
        "a preset with a variant",
        {"steps": 5, "train.ratio": 8},
        size="tiny",
        agent="v2",
        by_agent={"v3": {"train.ratio": 4}},
    )
    assert own.edits_for("v2") == {"steps": 5, "train.ratio": 8}
    assert (own.size_for("v2"), own.size_for("v3")) == ("tiny", "auto")
    monkeypatch.setitem(module.BENCHMARKS, "own", own)
    config = resolve("gym:X-v0", preset="own")
    assert (config.steps, config.train.ratio, config.size) == (5, 4, "auto")
