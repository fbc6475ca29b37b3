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

SUITES = {"dmcr": "dmc_remastered", "dmcbg": "dmc_background"}
"""The preset of each suite."""

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
)
