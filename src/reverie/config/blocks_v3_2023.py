"""The blocks of the 2023 DreamerV3 (arXiv:2301.04104v1, danijar/dreamerv3 at 8fa35f8). Data only.

Those that the specification knows: Atari100k and DM Control. `steps` are agent steps.
"""

from reverie.config.preset import Preset, table

V3_2023 = table(
    Preset(
        "v3_2023_atari100k",
        "26 Atari games as the 2023 code ran them: an update of 16 x 64 rows every step (ratio "
        "1024), 64x64 colour, no sticky actions, 100 evaluation episodes every 100k steps.",
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
            "train.ratio": 1024,
            "train.prefill": 1_087,  # 1024 windows of 64 rows
            "train.eval_every": 100_000,
            "train.eval_episodes": 100,
            "replay.capacity": 1_000_000,
            "device.precision": "f32",
            "steps": 150_000,
        },
        suite="atari100k",
        size="s",
        agent="v3-2023",
        pictures=True,
    ),
    Preset(
        "v3_2023_dmc_proprio",
        "DM Control from joint states, 500k frames, as the 2023 code ran it: repeat 2, ratio 512, "
        "4 environments.",
        {
            "env.observe": "proprio",
            "env.num": 4,
            "env.repeat": 2,
            "train.ratio": 512,
            "train.prefill": 1_276,  # 1024 windows of 64 rows in 4 streams
            "replay.capacity": 1_000_000,
            "steps": 250_000,
        },
        suite="dmc",
        size="s",
        agent="v3-2023",
        pictures=False,
    ),
    Preset(
        "v3_2023_dmc_vision",
        "DM Control from 64x64 pictures, 1M frames, as the 2023 code ran it: repeat 2, ratio 512, "
        "4 environments.",
        {
            "env.observe": "vision",
            "env.num": 4,
            "env.size": 64,
            "env.repeat": 2,
            "train.ratio": 512,
            "train.prefill": 1_276,  # 1024 windows of 64 rows in 4 streams
            "replay.capacity": 1_000_000,
            "steps": 500_000,
        },
        suite="dmc",
        size="s",
        agent="v3-2023",
        pictures=True,
    ),
)
