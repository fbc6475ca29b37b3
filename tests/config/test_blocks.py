"""The published blocks of DreamerV2, the 2023 DreamerV3 and HarmonyDream, against their numbers."""

import pytest

from reverie.config import presets as module
from reverie.config.benchmarks import AGENT_PRESETS, BENCHMARKS, SUITE_PRESETS, Preset
from reverie.config.blocks_harmony import HARMONY
from reverie.config.blocks_v2 import V2
from reverie.config.blocks_v3_2023 import V3_2023
from reverie.config.edit import flat
from reverie.config.presets import expected_pictures, resolve, suite_preset

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
        "rssm.deter": 600,
        "rssm.hidden": 600,
        "loss.con": 5.0,
        "behavior.horizon": 1000,
        "actor.entropy": 1e-3,
    },
    "v2_crafter": {
        "train.ratio": 160,
        "env.repeat": 1,
        "behavior.horizon": 1000,
        "actor.entropy": 3e-3,
    },
    "v2_dmc_vision": {
        "env.observe": "vision",
        "env.repeat": 2,
        "train.eval_every": 1e4,
        "rssm.deter": 200,
        "rssm.hidden": 200,
        "rssm.free_nats": 1.0,
        "behavior.horizon": 100,
        "actor.entropy": 1e-4,
    },
    "v2_dmc_proprio": {"env.observe": "proprio", "rssm.deter": 200, "actor.entropy": 1e-4},
    "v2_debug": {"env.limit": 100, "train.batch": 10, "train.length": 10, "train.log_every": 300},
    "harmony_dmc_vision": {
        "steps": 502_000,
        "train.eval_episodes": 10,
        "train.eval_every": 1e4,
        "env.repeat": 2,
        "rssm.deter": 200,
        "rssm.free_nats": 1.0,
    },
    "harmony_dmc_proprio": {"rssm.hidden": 200, "env.observe": "proprio"},
    "harmony_atari100k": {
        "train.ratio": 1024,
        "train.eval_every": 5e3,
        "train.eval_episodes": 100,
        "steps": 1.01e5,
        "device.precision": "f32",
        "env.sticky": 0,
        "env.gray": False,
        "env.actions": "needed",
    },
    "v3_2023_atari100k": {"train.ratio": 1024, "steps": 1.5e5, "device.precision": "f32"},
    "v3_2023_dmc_vision": {"train.ratio": 512, "env.repeat": 2, "env.num": 4},
    "v3_2023_dmc_proprio": {"train.ratio": 512, "env.repeat": 2, "env.num": 4},
}
TASKS = {"dmc": "dmc_walker_walk", "": "gym:X-v0", "gym": "gym:X-v0"}


def resolved(name: str):
    preset = BENCHMARKS[name]
    task = TASKS.get(preset.suite, f"{preset.suite}_x")
    return resolve(task, preset=name, pictures=preset.pictures)


@pytest.mark.parametrize("name", V2_BLOCKS)
def test_a_block_has_the_published_numbers(name):
    values = flat(resolved(name))
    assert {path: values[path] for path in V2_BLOCKS[name]} == V2_BLOCKS[name]


@pytest.mark.parametrize("name", [*V2, "harmony_dmc_vision"])
def test_dreamerv2_trains_on_rows_of_fifty(name):
    config = resolved(name)
    if name != "v2_debug":
        assert (config.train.batch, config.train.length, config.env.num) == (16, 50, 1)
        assert config.replay.capacity == 2_000_000
        assert config.behavior.imagine == 15


def test_every_block_is_tested():
    assert set(V2) | set(V3_2023) | set(HARMONY) == set(V2_BLOCKS)
    assert not (set(V2) & set(HARMONY)) | (set(V2) & set(V3_2023))


def test_the_agent_chooses_its_own_block_where_none_is_named():
    assert suite_preset("dmc", "v3").name == "dmc_proprio"
    assert suite_preset("dmc", "v2").name == "v2_dmc_proprio"
    assert suite_preset("atari100k", "v3-2023").name == "v3_2023_atari100k"
    assert suite_preset("minigrid", "v2").name == "minigrid"  # nothing published: the suite's
    assert expected_pictures("atari_pong", agent="v2") is True
    for blocks in AGENT_PRESETS.values():
        assert set(blocks) <= set(SUITE_PRESETS)
        for suite, name in blocks.items():
            assert BENCHMARKS[name].suite == suite


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
