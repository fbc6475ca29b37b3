"""The official V3's blocks of tasks. Data only.

`steps` are agent steps (frames divided by the action repeat) and a little more than the published
budget, as there. Every one was published with the 200m model unless its text says otherwise; here
the size follows the observations until `--size` names one.
"""

from reverie.config.preset import Preset, table

_ATARI = {"env.repeat": 4, "env.noops": 30, "env.lives": "unused", "env.limit": 27_000}

V3 = table(
    Preset(
        "atari",
        "57 Atari games, 200M frames: 96x96 gray, sticky actions 0.25, all 18 actions.",
        {
            **_ATARI,
            "env.num": 16,
            "env.size": 96,
            "env.gray": True,
            "env.sticky": 0.25,
            "env.actions": "all",
            "train.ratio": 32,
            "steps": 51_000_000,
        },
        suite="atari",
        pictures=True,
    ),
    Preset(
        "atari100k",
        "26 Atari games, 400k frames: 64x64 colour, no sticky actions, needed actions only.",
        {
            **_ATARI,
            "env.num": 1,
            "env.size": 64,
            "env.gray": False,
            "env.sticky": 0.0,
            "env.actions": "needed",
            "train.ratio": 256,
            "steps": 110_000,
        },
        suite="atari100k",
        pictures=True,
    ),
    Preset(
        "dmc_proprio",
        "DM Control from joint states, 500k frames, as the published curves were made (2023 "
        "settings: repeat 2, ratio 512, 4 environments).",
        {
            "env.observe": "proprio",
            "env.num": 4,
            "env.repeat": 2,
            "train.ratio": 512,
            "steps": 300_000,
        },
        suite="dmc",
        pictures=False,
    ),
    Preset(
        "dmc_vision",
        "DM Control from 64x64 pictures, 1M frames, as the published curves were made (2024 "
        "settings: size 12m, repeat 2, ratio 512, 8 environments).",
        {
            "env.observe": "vision",
            "env.num": 8,
            "env.size": 64,
            "env.repeat": 2,
            "train.ratio": 512,
            "steps": 600_000,
        },
        suite="dmc",
        pictures=True,
        size="12m",
    ),
    Preset(
        "dmc_proprio_newest",
        "DM Control from joint states as the newest official code runs it (size 1m, repeat 1, "
        "ratio 1024); no published scores.",
        {
            "env.observe": "proprio",
            "env.num": 16,
            "env.repeat": 1,
            "train.ratio": 1024,
            "steps": 1_100_000,
        },
        suite="dmc",
        pictures=False,
        size="1m",
    ),
    Preset(
        "dmc_vision_newest",
        "DM Control from pictures as the newest official code runs it (repeat 1, ratio 256); no "
        "published scores.",
        {
            "env.observe": "vision",
            "env.num": 16,
            "env.size": 64,
            "env.repeat": 1,
            "train.ratio": 256,
            "steps": 1_100_000,
        },
        suite="dmc",
        pictures=True,
    ),
    Preset(
        "crafter",
        "Crafter with reward, 1M steps, 64x64 pictures.",
        {"env.num": 1, "env.size": 64, "train.ratio": 512, "steps": 1_100_000},
        suite="crafter",
        pictures=True,
    ),
    Preset(
        "procgen",
        "ProcGen, hard, 50M steps, 96x96 pictures from the high-resolution frame.",
        {"env.num": 16, "env.size": 96, "train.ratio": 64, "steps": 110_000_000},
        suite="procgen",
        pictures=True,
    ),
    Preset(
        "bsuite",
        "Behaviour suite; its own logging counts the episodes.",
        {"env.num": 1, "train.ratio": 1024, "steps": 10_000_000_000},
        suite="bsuite",
    ),
    Preset(
        "dmlab",
        "DeepMind Lab, 100M frames, 64x64 pictures.",
        {"env.num": 16, "env.size": 64, "env.repeat": 4, "train.ratio": 32, "steps": 26_000_000},
        suite="dmlab",
        pictures=True,
    ),
    Preset(
        "minecraft",
        "Minecraft diamond, 100M steps of 64x64 pictures and inventory, episodes of 36000 steps.",
        {
            "env.num": 16,
            "env.size": 64,
            "env.limit": 36_000,
            "train.ratio": 32,
            "steps": 10_000_000_000,
        },
        suite="minecraft",
        pictures=True,
    ),
    Preset(
        "loconav",
        "Ant and quadruped mazes.",
        {"env.num": 16, "env.repeat": 1, "train.ratio": 256, "steps": 10_000_000_000},
        suite="loconav",
    ),
)
