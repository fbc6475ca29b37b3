"""The blocks of HarmonyDream (thuml/HarmonyDream at 0a22e33), of both its trees. Data only.

They say how its authors ran an agent on a benchmark; the method itself is `--harmony`, so that a
block serves the baseline as well. `wmlib-torch` is a DreamerV2 (`--agent v2`), `dreamerv3-jax` the
2023 DreamerV3 (`--agent v3-2023`). `steps` are agent steps.
"""

from typing import Any

from reverie.config.blocks_stacks import DREAMERV3, LARGE
from reverie.config.blocks_v2 import DMC, DMC_LEARNING, LEARNING, PROTOCOL
from reverie.config.preset import Preset, table

VISUAL: dict[str, Any] = {**DMC, "train.eval_episodes": 10, "steps": 502_000}
"""Protocol of the DM Control blocks from pictures: 1M frames, 10 evaluation episodes."""

TORCH: dict[str, Any] = {"optim.form": "torch"}
"""What its PyTorch DreamerV2 computes otherwise than the official one: weight decay as L2."""

FIVE_STAGES: dict[str, Any] = {"world.encoder.mults": (1, 2, 4, 8, 16)}
"""From 128 pixels to 4."""

HARMONY = table(
    Preset(
        "harmony_dmc_vision",
        "HarmonyDream's DreamerV2 on DM Control from 64x64 pictures: 502k steps (1M frames), 10 "
        "evaluation episodes every 10k.",
        {**VISUAL, "env.observe": "vision"},
        suite="dmc",
        size="w200",
        agent="v2",
        by_agent={"v2": {**DMC_LEARNING, **TORCH}},
        pictures=True,
    ),
    Preset(
        "harmony_dmc_proprio",
        "HarmonyDream's DreamerV2 on DM Control from joint states (its steps and episodes are the "
        "defaults', 100M and 1).",
        {**DMC, "env.observe": "proprio"},
        suite="dmc",
        size="w200",
        agent="v2",
        by_agent={"v2": {**DMC_LEARNING, **TORCH}},
        pictures=False,
    ),
    Preset(
        "harmony_metaworld",
        "HarmonyDream on Meta-world: 64x64 pictures of the corner camera, 250k steps after 5k "
        "random ones, 50 x 50 rows every 5 steps, success over 10 episodes every 10k.",
        {
            **PROTOCOL,
            "env.repeat": 1,
            "env.limit": 500,
            "train.batch": 50,
            "train.length": 50,
            "train.ratio": 500,
            "train.prefill": 5_000,
            "train.pretrain": 100,
            "train.eval_every": 10_000,
            "train.eval_episodes": 10,
            "replay.capacity": 1_000_000,
            "steps": 255_000,
        },
        suite="metaworld",
        size="w1024",
        agent="v2",
        by_agent={
            "v2": {
                **LEARNING,
                **TORCH,
                "world.reward.transform": "identity",
                "world.cont.predict": False,
                "behavior.actor.entropy": 1e-4,
                "optim.world.lr": 3e-4,
                "optim.critic.lr": 8e-5,
            }
        },
        pictures=True,
    ),
    Preset(
        "harmony_metaworld_v3",
        "HarmonyDream's 2023 DreamerV3 on Meta-world: 5 environments, 50 x 50 rows every 5 steps "
        "(ratio 500), 255k steps, 10 episodes every 10k.",
        {
            "env.num": 5,
            "env.size": 64,
            "env.repeat": 1,
            "env.limit": 500,
            "train.batch": 50,
            "train.length": 50,
            "train.ratio": 500,
            "train.prefill": 5_245,  # 5000 windows of 50 rows in 5 streams
            "train.eval_every": 10_000,
            "train.eval_episodes": 10,
            "train.eval_envs": 5,
            "replay.capacity": 1_000_000,
            "steps": 255_000,
        },
        suite="metaworld",
        size="m",
        agent="v3-2023",
        by_agent={"v3-2023": {"world.cont.grad": False}},
        pictures=True,
    ),
    Preset(
        "harmony_dmc_remastered",
        "HarmonyDream's DreamerV2 on DMC-Remastered, all factors varied: 502k steps (1M frames).",
        {**VISUAL, "env.observe": "vision"},
        suite="dmcr",
        size="w1024",
        agent="v2",
        by_agent={"v2": {**DMC_LEARNING, **TORCH}},
        pictures=True,
    ),
    Preset(
        "harmony_dmc_natural_background",
        "HarmonyDream's DreamerV2 on DM Control before moving pictures: 502k steps (1M frames).",
        {**VISUAL, "env.observe": "vision"},
        suite="dmcbg",
        size="w1024",
        agent="v2",
        by_agent={"v2": {**DMC_LEARNING, **TORCH}},
        pictures=True,
    ),
    Preset(
        "harmony_rlbench",
        "HarmonyDream's DreamerV2 on RLBench: 64x64 front camera, repeat 2, episodes of 200 steps, "
        "50 x 50 rows every 5 steps, 502k steps, 5 episodes every 5k. As there rewards pass tanh, "
        "and the KL weighs a tenth.",
        {
            **PROTOCOL,
            "env.repeat": 2,
            "env.limit": 200,
            "train.batch": 50,
            "train.length": 50,
            "train.ratio": 500,
            "train.log_every": 1_000,
            "train.eval_every": 5_000,
            "train.eval_episodes": 5,
            "steps": 502_000,
        },
        suite="rlbench",
        size="w1024",
        agent="v2",
        by_agent={
            "v2": {
                **LEARNING,
                **TORCH,
                "replay.unit.minlen": 1,
                "world.dynamics.free_nats": 1.0,
                "world.dynamics.dyn": 0.08,
                "world.dynamics.rep": 0.02,
            }
        },
        pictures=True,
    ),
    Preset(
        "harmony_minecraft",
        "HarmonyDream hunting cows in Minecraft: 128x128 pictures, episodes of 500 steps, 1M "
        "steps, an update every 5. Published with its DreamerV3 and the size large; under `v2` it "
        "is that stack as the PyTorch tree computes it.",
        {
            **PROTOCOL,
            "env.repeat": 1,
            "env.size": 128,
            "env.limit": 500,
            "train.prefill": 2_000,
            "train.pretrain": 100,
            "train.eval_every": 10_000,
            "train.eval_episodes": 10,
            "steps": 1_002_000,
        },
        suite="minecraft",
        size="l",
        agent="v3-2023",
        by_agent={
            "v2": {**LEARNING, **DREAMERV3, **LARGE, **FIVE_STAGES, "replay.draw.ends": 0},
            "v3-2023": {
                **FIVE_STAGES,
                "train.length": 64,
                "train.ratio": 204.8,
                "replay.capacity": 1_000_000,
            },
        },
        pictures=True,
    ),
    Preset(
        "harmony_atari100k",
        "HarmonyDream on Atari100k: the 2023 DreamerV3 with 512-wide state, an update of 16 x 64 "
        "rows every step (ratio 1024), float32, 100 evaluation episodes every 5k steps: 20 "
        "evaluations. Its Chopper Command ends episodes at 1350 steps: --env.limit 1350.",
        {
            "env.num": 1,
            "env.repeat": 4,
            "env.noops": 29,  # its 30 is where the drawn number stops short
            "env.lives": "unused",
            "env.limit": 27_000,
            "env.size": 64,
            "env.gray": False,
            "env.resize": "area",
            "env.sticky": 0.0,
            "env.actions": "needed",
            "train.batch": 16,
            "train.length": 64,
            "train.ratio": 1024,
            "train.prefill": 1_087,  # 1024 windows of 64 rows
            "train.eval_every": 5_000,
            "train.eval_episodes": 100,
            "train.eval_greedy": False,
            "replay.capacity": 1_000_000,
            "device.precision": "f32",
            "steps": 101_000,
        },
        suite="atari100k",
        size="s",
        agent="v3-2023",
        pictures=True,
    ),
)
