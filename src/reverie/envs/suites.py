"""The suites: what the list of tasks and the error messages must know of each. Data only.

A new suite is one row here, one `case` in `make.py` (or in the file of its family), one preset in
`config/benchmarks.py`, one extra in `pyproject.toml`, and one file with its adapter.
"""

import functools as ft
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from reverie.envs import names, names_control, names_games, names_jax
from reverie.envs.minigrid_variants import VARIANTS
from reverie.envs.pinpad import FLOORS
from reverie.envs.probes import PROBES


@dataclass(frozen=True)
class Suite:
    """One suite.

    `names` gives the tasks' names without the suite's, `extra` the extra of our package that
    installs the simulator ('' if it comes with Reverie). `meaning` describes a task in the list;
    `{}` stands for its name in words. `own_repeat` says that the adapter itself repeats actions.
    """

    names: Callable[[], Iterable[str]]
    extra: str
    meaning: str
    own_repeat: bool = False
    special: Mapping[str, str] = field(default_factory=dict)
    """Meaning of single tasks that have one of their own."""
    open: bool = False
    """Names that are not listed are passed on: the simulator knows more of them."""
    advice: str = ""
    """How to obtain the simulator where no extra can."""


_MINECRAFT = names_games.MINECRAFT_TASKS

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


SUITES = {
    "atari": Suite(
        lambda: names.ATARI_GAMES,
        "atari",
        "Atari game {}, 200M protocol: sticky, 18 actions",
        own_repeat=True,
        special={
            name: f"Atari game {name.replace('_', ' ')}, not one of the benchmark's 57"
            for name in names.ATARI_GAMES
            if name not in names.ATARI57_GAMES
        },
    ),
    "atari100k": Suite(
        lambda: names.ATARI100K_GAMES,
        "atari",
        "Atari game {}, 100k protocol: needed actions",
        own_repeat=True,
    ),
    "dmc": Suite(dmc_names, "dmc", "DM Control: {}", own_repeat=True),
    "dmcr": Suite(
        lambda: names.REMASTERED_TASKS,
        "dmc",
        "DMC-Remastered: {}, another look every episode",
        own_repeat=True,
    ),
    "dmcbg": Suite(
        lambda: names.DMC_TASKS, "dmc", "DM Control before a moving picture: {}", own_repeat=True
    ),
    "loconav": Suite(
        lambda: names_control.LOCONAV_TASKS,
        "dmc",
        "find the goal of a maze: {}",
        own_repeat=True,
        open=True,
    ),
    "metaworld": Suite(
        lambda: names_control.METAWORLD_TASKS, "metaworld", "Meta-World: {}, a robot arm"
    ),
    "robodesk": Suite(lambda: names_control.ROBODESK_TASKS, "robodesk", "RoboDesk: {}"),
    "mujoco": Suite(names_control.mujoco_ids, "mujoco", "Gymnasium-MuJoCo: {}"),
    "robotics": Suite(names_control.robotics_ids, "robotics", "Gymnasium-Robotics: {}"),
    "memmaze": Suite(
        lambda: names_control.MEMORY_MAZES, "memmaze", "Memory Maze {}: remember the way"
    ),
    "craftax": Suite(lambda: names_jax.CRAFTAX_TASKS, "craftax", "Craftax {}, in JAX"),
    "gymnax": Suite(names_jax.gymnax_ids, "gymnax", "gymnax: {}, in JAX"),
    "navix": Suite(
        lambda: names_jax.NAVIX_TASKS, "navix", "navix: {}, a grid world in JAX", open=True
    ),
    "xminigrid": Suite(names_jax.xminigrid_ids, "xminigrid", "XLand-MiniGrid: {}, in JAX"),
    "jumanji": Suite(names_jax.jumanji_ids, "jumanji", "Jumanji: {}, in JAX"),
    "pgx": Suite(names_jax.pgx_ids, "pgx", "pgx: {}, in JAX, others move at random"),
    "brax": Suite(lambda: names_jax.BRAX_TASKS, "brax", "Brax: {}, in JAX"),
    "playground": Suite(names_jax.playground_ids, "playground", "MuJoCo Playground: {}, in JAX"),
    "minigrid": Suite(
        lambda: [*minigrid_ids(), *VARIANTS],
        "minigrid",
        "grid world {}, as pictures",
        special={name: variant.meaning for name, variant in VARIANTS.items()},
    ),
    "minihack": Suite(
        lambda: [*names_games.minihack_ids(), *names_games.CD_MINIHACK],
        "nethack",
        "MiniHack {}, a picture of the surroundings",
        special={
            name: f"{id} as Continual-Dreamer ran it: neutral monk, cut after 100 steps"
            for name, id in names_games.CD_MINIHACK.items()
        },
    ),
    "nethack": Suite(names_games.nethack_ids, "nethack", "NetHack, task {}"),
    "crafter": Suite(
        lambda: ("reward", "noreward"), "crafter", "Crafter, survival in an open world, {}"
    ),
    "bsuite": Suite(names_games.bsuite_ids, "bsuite", "behaviour suite, setting {}"),
    "procgen": Suite(
        lambda: names_games.PROCGEN_GAMES,
        "",
        "ProcGen game {}, original build, hard levels",
        advice=PROCGEN_ADVICE,
    ),
    "minatar": Suite(lambda: names_games.MINATAR_GAMES, "minatar", "MinAtar {}, 10x10 cells"),
    "pinpad": Suite(lambda: FLOORS, "", "PinPad: {} pads to be stepped on in order"),
    "popgym": Suite(names_games.popgym_ids, "popgym", "POPGym {}, partially observed"),
    "vizdoom": Suite(
        lambda: names_games.VIZDOOM_IDS, "vizdoom", "Doom scenario {}", own_repeat=True
    ),
    "miniworld": Suite(names_games.miniworld_ids, "miniworld", "MiniWorld {}, first person"),
    "retro": Suite(
        lambda: ("Airstriker-Genesis-v0",),
        "retro",
        "console game {} (others: your ROMs)",
        open=True,
    ),
    "envpool": Suite(
        lambda: ("CoinrunHard-v0", "CoinrunEasy-v0", "Pong-v5"),
        "envpool",
        "{}, envpool's own build (any id of envpool works)",
        open=True,
    ),
    "dmlab": Suite(
        lambda: names_games.DMLAB_LEVELS,
        "",
        "DeepMind Lab {} (untested here)",
        own_repeat=True,
        advice="No registry offers it: build github.com/google-deepmind/lab and install its wheel.",
    ),
    "minecraft": Suite(
        lambda: names_games.MINECRAFT_TASKS,
        "",
        "Minecraft {}",
        special={name: f"{text} (untested here)" for name, text in _MINECRAFT.items()},
        advice="No registry offers one that runs: install MineRL 0.4.4 (hunt_cow: MineDojo) and "
        "Java 8 as their guides say.",
    ),
    "rlbench": Suite(
        lambda: ("reach_target", "push_button"),
        "",
        "RLBench {} (untested here)",
        own_repeat=True,
        advice="No registry offers it: install CoppeliaSim, PyRep and RLBench as the guide at "
        "github.com/stepjam/RLBench says.",
    ),
    "maniskill": Suite(
        lambda: names_games.MANISKILL_EXAMPLES,
        "",
        "ManiSkill {} (untested here; any of its ids works)",
        open=True,
        advice="Install it with: pip install mani-skill; it needs a GPU with Vulkan.",
    ),
    "probe": Suite(
        lambda: PROBES,
        "",
        "tiny environment with a known optimum: {}",
        special={name: probe.meaning for name, probe in PROBES.items()},
    ),
}
"""Suites by the first part of their tasks' names, in the order in which they are listed.
`gym` is not among them: its tasks are written gym:ID."""

MORE_NAMES: dict[str, Callable[[], Iterable[str]]] = {"atari100k": lambda: names.ATARI_GAMES}
"""Tasks that a suite can play besides those it lists."""
