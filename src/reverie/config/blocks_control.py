"""Presets of the MuJoCo family of suites: visual DM Control, mazes, arms. Data only.

Protocols (repeat, limits, budget, evaluation) are the published ones; they serve every agent.
"""

from typing import Any

from reverie.config.preset import Preset, table

VISUAL: dict[str, Any] = {
    "env.observe": "vision",
    "env.num": 1,
    "env.size": 64,
    "env.repeat": 2,
    "train.ratio": 204.8,
    "train.eval_every": 10_000,
    "train.eval_episodes": 10,
    "steps": 502_000,
}
"""HarmonyDream's visual DM Control: with its DreamerV3 16 x 64 rows every 5 steps."""

ARMS: dict[str, Any] = {
    "env.observe": "vision",
    "env.size": 64,
    "env.repeat": 1,
    "train.eval_every": 10_000,
    "train.eval_episodes": 10,
}
"""Robot arms from pictures."""

CONTROL = table(
    Preset(
        "dmc_remastered",
        "DMC-Remastered, 1M frames of 64x64 pictures, another look every episode (HarmonyDream's "
        "protocol: repeat 2, 16 x 64 rows every 5 steps, 10 evaluation episodes every 10k steps). "
        "Its hopper runs leave the camera where it is: name the other --env.remastered.factors.",
        VISUAL,
        suite="dmcr",
        pictures=True,
    ),
    Preset(
        "dmc_background",
        "DM Control before a moving picture, 1M frames of 64x64 pictures (HarmonyDream's protocol, "
        "as dmc_remastered); --env.background.videos names the folder of videos.",
        VISUAL,
        suite="dmcbg",
        pictures=True,
    ),
    Preset(
        "metaworld",
        "Meta-World from the 64x64 corner camera, 255k steps (HarmonyDream's protocol for its "
        "DreamerV3: 5 environments, 500 replayed rows a step, success over 10 episodes every 10k).",
        {**ARMS, "env.num": 5, "train.ratio": 500, "steps": 255_000},
        suite="metaworld",
        pictures=True,
    ),
    Preset(
        "robodesk",
        "RoboDesk from 64x64 pictures, 500k steps of dense reward (ours: no published block; the "
        "scene is slow to draw, so every row is used often).",
        {**ARMS, "env.num": 4, "train.ratio": 256, "steps": 500_000},
        suite="robodesk",
        pictures=True,
    ),
    Preset(
        "mujoco",
        "Gymnasium-MuJoCo from states, 1M steps (ours: no published block; DM Control's ratio).",
        {"env.observe": "proprio", "env.num": 4, "train.ratio": 512, "steps": 1_000_000},
        suite="mujoco",
        pictures=False,
    ),
    Preset(
        "robotics",
        "Gymnasium-Robotics from states and goals, 1M steps (ours: no published block).",
        {
            "env.observe": "proprio",
            "env.num": 4,
            "train.ratio": 512,
            "train.eval_episodes": 20,
            "steps": 1_000_000,
        },
        suite="robotics",
        pictures=False,
    ),
    Preset(
        "memmaze",
        "Memory Maze from 64x64 pictures, 100M steps as its authors trained (arXiv:2210.13383; the "
        "other numbers are DMLab's, the official code's other 3-D suite).",
        {"env.num": 16, "env.size": 64, "train.ratio": 32, "steps": 100_000_000},
        suite="memmaze",
        pictures=True,
    ),
    Preset(
        "craftax",
        "Craftax and Craftax-Classic, 1M steps of 16 copies stepped in one compiled call (its "
        "data-limited budget; the replay ratio is ours).",
        {"env.num": 16, "train.ratio": 128, "steps": 1_000_000},
        suite="craftax",
    ),
    Preset(
        "compiled",
        "Small JAX-native environments (gymnax, navix, XLand-MiniGrid, Jumanji, pgx): 16 copies in "
        "one compiled call, 500k steps (ours).",
        {"env.num": 16, "train.ratio": 128, "train.eval_envs": 8, "steps": 500_000},
        suite="gymnax",
    ),
    Preset(
        "brax",
        "Brax and MuJoCo Playground from states: 16 copies in one compiled call, 1M steps (ours; "
        "DM Control's ratio).",
        {"env.num": 16, "train.ratio": 512, "train.eval_envs": 8, "steps": 1_000_000},
        suite="brax",
        pictures=False,
    ),
)
