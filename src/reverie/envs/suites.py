"""The suites that come with Reverie, one row each: all that is known of them. Data only.

A new suite is one row here, one file with its adapter, one extra in `pyproject.toml`, and a preset
in `config/` where none of those there fits. Rows are looked up through `registry.py`, which adds
those of other packages.
"""

import functools as ft

from reverie.envs import names, names_control, names_games, names_jax
from reverie.envs.minigrid_variants import VARIANTS
from reverie.envs.suite import Suite

PROCGEN_ADVICE = (
    "Its wheels ask for numpy below 2 but run with ours, so no extra can install them: pip install "
    "'gym==0.26.0' filelock cffi moderngl glfw imageio-ffmpeg; pip install --no-deps "
    "procgen-mirror==0.10.7 gym3==0.3.3. envpool's build comes with 'reverie[envpool]' as "
    "envpool_CoinrunHard-v0; its levels and scores differ."
)
"""How to obtain the original build."""


def dmc_names() -> list[str]:
    """The suite's tasks and those of manipulation, which begin with `manip_`."""
    return [*names.DMC_TASKS, *(f"manip_{name}" for name in names.MANIP_TASKS)]


@ft.cache
def minigrid_ids() -> dict[str, str]:
    """Our name -> Gymnasium id, for MiniGrid and BabyAI.

    The name is the id in lower case with "_" for "-", without `MiniGrid-` and `-v0`; BabyAI names
    begin with `babyai_`, and versions other than 0 keep their `_v1`.
    """
    pairs = [("", "MiniGrid-", stem) for stem in names.MINIGRID_IDS]
    pairs += [("babyai_", "BabyAI-", stem) for stem in names.BABYAI_IDS]
    return {
        ours + stem.lower().replace("-", "_"): theirs + stem + ("" if _versioned(stem) else "-v0")
        for ours, theirs, stem in pairs
    }


def _versioned(stem: str) -> bool:
    return stem[-3:-1] == "-v" and stem[-1].isdigit()


_CUP = {"cup_catch": "ball_in_cup_catch"}

SUITES = {
    "atari": Suite(
        "reverie.envs.atari:build",
        lambda: names.ATARI_GAMES,
        "Atari game {}, 200M protocol: sticky, 18 actions",
        extra="atari",
        preset="atari",
        by_agent={"v2": "v2_atari"},
        aliases={"james_bond": "jamesbond"},
        own_repeat=True,
        special={
            name: f"Atari game {name.replace('_', ' ')}, not one of the benchmark's 57"
            for name in names.ATARI_GAMES
            if name not in names.ATARI57_GAMES
        },
    ),
    "atari100k": Suite(
        "reverie.envs.atari:build",
        lambda: names.ATARI100K_GAMES,
        "Atari game {}, 100k protocol: needed actions",
        extra="atari",
        preset="atari100k",
        by_agent={"v3-2023": "v3_2023_atari100k"},
        unlisted=lambda: names.ATARI_GAMES,
        aliases={"james_bond": "jamesbond"},
        own_repeat=True,
    ),
    "dmc": Suite(
        "reverie.envs.dmc:build",
        dmc_names,
        "DM Control: {}",
        extra="dmc",
        preset="dmc_proprio",
        by_agent={"v2": "v2_dmc_proprio", "v3-2023": "v3_2023_dmc_proprio"},
        aliases=_CUP,
        own_repeat=True,
    ),
    "dmcr": Suite(
        "reverie.envs.scenes.remastered:build",
        lambda: names.REMASTERED_TASKS,
        "DMC-Remastered: {}, another look every episode",
        extra="dmc",
        preset="dmc_remastered",
        by_agent={"v2": "harmony_dmc_remastered"},
        aliases=_CUP,
        own_repeat=True,
    ),
    "dmcbg": Suite(
        "reverie.envs.scenes.background:build",
        lambda: names.DMC_TASKS,
        "DM Control before a moving picture: {}",
        extra="dmc",
        preset="dmc_background",
        by_agent={"v2": "harmony_dmc_natural_background"},
        aliases=_CUP,
        own_repeat=True,
    ),
    "loconav": Suite(
        "reverie.envs.loconav:build",
        lambda: names_control.LOCONAV_TASKS,
        "find the goal of a maze: {}",
        extra="dmc",
        preset="loconav",
        own_repeat=True,
        open=True,
    ),
    "metaworld": Suite(
        "reverie.envs.metaworld:build",
        lambda: names_control.METAWORLD_TASKS,
        "Meta-World: {}, a robot arm",
        extra="metaworld",
        preset="metaworld",
        by_agent={"v2": "harmony_metaworld", "v3-2023": "harmony_metaworld_v3"},
    ),
    "robodesk": Suite(
        "reverie.envs.robodesk:build",
        lambda: names_control.ROBODESK_TASKS,
        "RoboDesk: {}",
        extra="robodesk",
        preset="robodesk",
    ),
    "mujoco": Suite(
        "reverie.envs.mujoco:build",
        names_control.mujoco_ids,
        "Gymnasium-MuJoCo: {}",
        extra="mujoco",
        preset="mujoco",
    ),
    "robotics": Suite(
        "reverie.envs.mujoco:build_robotics",
        names_control.robotics_ids,
        "Gymnasium-Robotics: {}",
        extra="robotics",
        preset="robotics",
    ),
    "memmaze": Suite(
        "reverie.envs.memmaze:build",
        lambda: names_control.MEMORY_MAZES,
        "Memory Maze {}: remember the way",
        extra="memmaze",
        preset="memmaze",
    ),
    "craftax": Suite(
        "reverie.envs.functional.craftax:build",
        lambda: names_jax.CRAFTAX_TASKS,
        "Craftax {}, in JAX",
        extra="craftax",
        preset="craftax",
        compiled=True,
    ),
    "gymnax": Suite(
        "reverie.envs.functional.gymnax:build",
        names_jax.gymnax_ids,
        "gymnax: {}, in JAX",
        extra="gymnax",
        preset="compiled",
        compiled=True,
    ),
    "navix": Suite(
        "reverie.envs.functional.navix:build",
        lambda: names_jax.NAVIX_TASKS,
        "navix: {}, a grid world in JAX",
        extra="navix",
        preset="compiled",
        compiled=True,
        open=True,
    ),
    "xminigrid": Suite(
        "reverie.envs.functional.xminigrid:build",
        names_jax.xminigrid_ids,
        "XLand-MiniGrid: {}, in JAX",
        extra="xminigrid",
        preset="compiled",
        compiled=True,
    ),
    "jumanji": Suite(
        "reverie.envs.functional.jumanji:build",
        names_jax.jumanji_ids,
        "Jumanji: {}, in JAX",
        extra="jumanji",
        preset="compiled",
        compiled=True,
    ),
    "pgx": Suite(
        "reverie.envs.functional.pgx:build",
        names_jax.pgx_ids,
        "pgx: {}, in JAX, others move at random",
        extra="pgx",
        preset="compiled",
        compiled=True,
    ),
    "brax": Suite(
        "reverie.envs.functional.brax:build",
        lambda: names_jax.BRAX_TASKS,
        "Brax: {}, in JAX",
        extra="brax",
        preset="brax",
        compiled=True,
    ),
    "playground": Suite(
        "reverie.envs.functional.brax:build_playground",
        names_jax.playground_ids,
        "MuJoCo Playground: {}, in JAX",
        extra="playground",
        preset="brax",
        compiled=True,
    ),
    "minigrid": Suite(
        "reverie.envs.minigrid:build",
        lambda: [*minigrid_ids(), *VARIANTS],
        "grid world {}, as pictures",
        extra="minigrid",
        preset="minigrid",
        special={name: variant.meaning for name, variant in VARIANTS.items()},
    ),
    "minihack": Suite(
        "reverie.envs.minihack:build_minihack",
        lambda: [*names_games.minihack_ids(), *names_games.CD_MINIHACK],
        "MiniHack {}, a picture of the surroundings",
        extra="nethack",
        preset="minihack",
        special={
            name: f"{id} as Continual-Dreamer ran it: neutral monk, cut after 100 steps"
            for name, id in names_games.CD_MINIHACK.items()
        },
    ),
    "nethack": Suite(
        "reverie.envs.minihack:build_nethack",
        names_games.nethack_ids,
        "NetHack, task {}",
        extra="nethack",
        preset="nethack",
    ),
    "crafter": Suite(
        "reverie.envs.crafter:build",
        lambda: ("reward", "noreward"),
        "Crafter, survival in an open world, {}",
        extra="crafter",
        preset="crafter",
        by_agent={"v2": "v2_crafter"},
    ),
    "bsuite": Suite(
        "reverie.envs.bsuite:build",
        names_games.bsuite_ids,
        "behaviour suite, setting {}",
        extra="bsuite",
        preset="bsuite",
    ),
    "procgen": Suite(
        "reverie.envs.unpackaged.procgen:build",
        lambda: names_games.PROCGEN_GAMES,
        "ProcGen game {}, original build, hard levels",
        preset="procgen",
        advice=PROCGEN_ADVICE,
    ),
    "minatar": Suite(
        "reverie.envs.minatar:build",
        lambda: names_games.MINATAR_GAMES,
        "MinAtar {}, 10x10 cells",
        extra="minatar",
        preset="minatar",
    ),
    "pinpad": Suite(
        "reverie.envs.pinpad:build",
        lambda: names_games.PINPAD_FLOORS,
        "PinPad: {} pads to be stepped on in order",
        preset="pinpad",
    ),
    "popgym": Suite(
        "reverie.envs.popgym:build",
        names_games.popgym_ids,
        "POPGym {}, partially observed",
        extra="popgym",
        preset="popgym",
    ),
    "vizdoom": Suite(
        "reverie.envs.vizdoom:build",
        lambda: names_games.VIZDOOM_IDS,
        "Doom scenario {}",
        extra="vizdoom",
        preset="vizdoom",
        own_repeat=True,
    ),
    "miniworld": Suite(
        "reverie.envs.miniworld:build",
        names_games.miniworld_ids,
        "MiniWorld {}, first person",
        extra="miniworld",
        preset="miniworld",
    ),
    "retro": Suite(
        "reverie.envs.retro:build",
        lambda: ("Airstriker-Genesis-v0",),
        "console game {} (others: your ROMs)",
        extra="retro",
        preset="retro",
        open=True,
    ),
    "envpool": Suite(
        "reverie.envs.envpool:build",
        lambda: ("CoinrunHard-v0", "CoinrunEasy-v0", "Pong-v5"),
        "{}, envpool's own build (any id of envpool works)",
        extra="envpool",
        preset="envpool",
        open=True,
    ),
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
    "probe": Suite(
        "reverie.envs.probes:build",
        lambda: names_games.PROBES,
        "tiny environment with a known optimum: {}",
        preset="probe",
        special=names_games.PROBES,
    ),
}
"""Suites by the first part of their tasks' names, in the order in which they are listed.
`gym` is not among them: its tasks are written gym:ID."""
