"""The blocks of HarmonyDream (thuml/HarmonyDream at 0a22e33), of both its trees. Data only.

They say how its authors ran an agent on a benchmark; the method itself is `--harmony`, so that a
block serves the baseline as well. `wmlib-torch` is a DreamerV2 (`--agent v2`), `dreamerv3-jax` the
2023 DreamerV3 (`--agent v3-2023`). `steps` are agent steps.
"""

from reverie.config.blocks_v2 import DEFAULTS, DMC
from reverie.config.preset import Preset, table

_DMC_VISION = {
    **DEFAULTS,
    **DMC,
    "env.observe": "vision",
    "train.eval_episodes": 10,
    "steps": 502_000,
}

HARMONY = table(
    Preset(
        "harmony_dmc_vision",
        "HarmonyDream's DreamerV2 on DM Control from 64x64 pictures: 502k steps (1M frames), 10 "
        "evaluation episodes every 10k.",
        _DMC_VISION,
        suite="dmc",
        agent="v2",
        pictures=True,
    ),
    Preset(
        "harmony_dmc_proprio",
        "HarmonyDream's DreamerV2 on DM Control from joint states (its steps and episodes are the "
        "defaults', 100M and 1).",
        {**DEFAULTS, **DMC, "env.observe": "proprio"},
        suite="dmc",
        agent="v2",
        pictures=False,
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
            "env.sticky": 0.0,
            "env.actions": "needed",
            "train.batch": 16,
            "train.length": 64,
            "train.ratio": 1024,
            "train.eval_every": 5_000,
            "train.eval_episodes": 100,
            "train.eval_greedy": False,
            "replay.capacity": 1_000_000,
            "device.precision": "f32",
            "steps": 101_000,
        },
        suite="atari100k",
        agent="v3-2023",
        pictures=True,
    ),
)
