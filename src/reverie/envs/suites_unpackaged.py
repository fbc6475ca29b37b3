"""Suites that no extra can install and that are tested on stand-ins only (`unpackaged/`)."""

from reverie.envs import names_games
from reverie.envs.suite import Suite

UNPACKAGED = {
    "dmlab": Suite(
        "reverie.envs.unpackaged.dmlab:build",
        lambda: names_games.DMLAB_LEVELS,
        "DeepMind Lab {} (untested here)",
        preset="dmlab",
        own_repeat=True,
        advice="No registry offers it: build github.com/google-deepmind/lab and install its wheel.",
    ),
    "minecraft": Suite(
        "reverie.envs.unpackaged.minecraft:build",
        lambda: names_games.MINECRAFT_TASKS,
        "Minecraft {}",
        preset="minecraft",
        special={
            name: f"{text} (untested here)" for name, text in names_games.MINECRAFT_TASKS.items()
        },
        advice="No registry offers one that runs: install MineRL 0.4.4 (hunt_cow: MineDojo) and "
        "Java 8 as their guides say.",
    ),
    "rlbench": Suite(
        "reverie.envs.unpackaged.rlbench:build",
        lambda: ("reach_target", "push_button"),
        "RLBench {} (untested here)",
        preset="harmony_rlbench",
        by_agent={"v2": "harmony_rlbench"},
        own_repeat=True,
        advice="No registry offers it: install CoppeliaSim, PyRep and RLBench as the guide at "
        "github.com/stepjam/RLBench says.",
    ),
    "maniskill": Suite(
        "reverie.envs.unpackaged.maniskill:build",
        lambda: names_games.MANISKILL_EXAMPLES,
        "ManiSkill {} (untested here; any of its ids works)",
        preset="maniskill",
        open=True,
        advice="Install it with: pip install mani-skill; it needs a GPU with Vulkan.",
    ),
}
