"""Settings of the game, grid and toy suites that have no published block of DreamerV3. Ours.

They follow the published ones of the nearest kind: sparse rewards get several environments and
many updates, as MiniGrid's preset does; long budgets get few.
"""

from reverie.config.preset import Preset, table

GAMES = table(
    Preset(
        "minihack",
        "MiniHack, 1M steps (the budget a task of Continual-Dreamer); 64x64 pictures of the "
        "surroundings, an update every 4 steps.",
        {"env.num": 4, "train.ratio": 256, "steps": 1_000_000},
        suite="minihack",
        pictures=True,
    ),
    Preset(
        "nethack",
        "NetHack, 10M steps: long games, so many environments and few updates.",
        {"env.num": 16, "train.ratio": 32, "steps": 10_000_000},
        suite="nethack",
        pictures=True,
    ),
    Preset(
        "minatar",
        "MinAtar, 5M steps as in its paper; 10x10 pictures with one channel for each kind of "
        "thing.",
        {"env.num": 8, "train.ratio": 64, "steps": 5_000_000},
        suite="minatar",
        pictures=True,
    ),
    Preset(
        "pinpad",
        "PinPad, 2M steps of 64x64 pictures: sparse rewards and a memory of the pads.",
        {"env.num": 8, "train.ratio": 64, "steps": 2_000_000},
        suite="pinpad",
        pictures=True,
    ),
    Preset(
        "popgym",
        "POPGym, 15M steps as in its paper.",
        {"env.num": 16, "train.ratio": 32, "steps": 15_000_000},
        suite="popgym",
        pictures=False,
    ),
    Preset(
        "vizdoom",
        "ViZDoom's scenarios, 1M steps of 4 frames, 64x64 pictures.",
        {"env.num": 8, "env.size": 64, "env.repeat": 4, "train.ratio": 64, "steps": 1_000_000},
        suite="vizdoom",
        pictures=True,
    ),
    Preset(
        "miniworld",
        "MiniWorld, 1M steps of 64x64 pictures: sparse rewards.",
        {"env.num": 4, "env.size": 64, "train.ratio": 128, "steps": 1_000_000},
        suite="miniworld",
        pictures=True,
    ),
    Preset(
        "retro",
        "Console games, 5M steps of 4 frames, 64x64 pictures; a process holds one game.",
        {"env.num": 8, "env.size": 64, "env.repeat": 4, "train.ratio": 64, "steps": 5_000_000},
        suite="retro",
        pictures=True,
    ),
    Preset(
        "maniskill",
        "ManiSkill from 64x64 pictures and the robot's own state, 1M steps.",
        {"env.num": 4, "env.size": 64, "train.ratio": 256, "steps": 1_000_000},
        suite="maniskill",
        pictures=True,
    ),
    Preset(
        "envpool",
        "Environments of envpool's builds, as any Gymnasium id.",
        {"env.num": 1, "train.ratio": 256, "steps": 100_000, "train.log_every": 500},
        suite="envpool",
    ),
)
