"""Names of the tasks of the MuJoCo suites, as data: nothing here imports a simulator.

Tests compare every list with the installed simulator.
"""
# ruff: noqa: SIM905 (quoted names would be harder to read)

import functools as ft
import itertools
import re

METAWORLD_TASKS = """
assembly basketball bin_picking box_close button_press_topdown button_press_topdown_wall
button_press button_press_wall coffee_button coffee_pull coffee_push dial_turn disassemble
door_close door_lock door_open door_unlock hand_insert drawer_close drawer_open faucet_open
faucet_close hammer handle_press_side handle_press handle_pull_side handle_pull lever_pull
peg_insert_side pick_place_wall pick_out_of_hole reach push_back push pick_place plate_slide
plate_slide_side plate_slide_back plate_slide_back_side peg_unplug_side soccer stick_push
stick_pull push_wall reach_wall shelf_place sweep_into sweep window_open window_close
""".split()
"""Meta-World's 50 tasks, without `-v3`."""

ROBODESK_TASKS = """
open_slide open_drawer push_green stack upright_block_off_table flat_block_in_bin
flat_block_in_shelf lift_upright_block lift_ball push_blue push_red flat_block_off_table
ball_off_table upright_block_in_bin ball_in_bin upright_block_in_shelf ball_in_shelf
lift_flat_block
""".split()
"""RoboDesk's tasks; the first nine are its core."""

MUJOCO_IDS = """
Reacher Pusher InvertedPendulum InvertedDoublePendulum HalfCheetah Hopper Swimmer Walker2d Ant
Humanoid HumanoidStandup
""".split()
"""Gymnasium's MuJoCo ids, all of them `-v5`."""

_MAZES = """
UMaze Open Open_Diverse_G Open_Diverse_GR Medium Medium_Diverse_G Medium_Diverse_GR Large
Large_Diverse_G Large_Diverse_GR
""".split()
_TOUCH = ("", "_BooleanTouchSensors", "_ContinuousTouchSensors")
_HANDS = """
BlockRotateZ BlockRotateParallel BlockRotateXYZ Block EggRotate Egg PenRotate Pen
""".split()

MEMORY_MAZES = [
    f"{size}{kind}"
    for size in ("9x9", "11x11", "13x13", "15x15")
    for kind in ("", "_vis", "_extraobs", "_6cl")
]
"""Memory Maze: size, and a variant of the package."""

LOCONAV_TASKS = [f"ant_{arena}" for arena in ("maze_s", "maze_m", "maze_l", "maze_xl", "maze_xxl")]
LOCONAV_TASKS += ["ant_empty"]
"""Mazes for dm_control's ant."""


def spelled(id: str) -> str:
    """A Gymnasium id without its version in our spelling: "half_cheetah" of "HalfCheetah"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", id).lower()


@ft.cache
def mujoco_ids() -> dict[str, str]:
    """Our name -> id, for Gymnasium's MuJoCo environments."""
    return {spelled(stem): f"{stem}-v5" for stem in MUJOCO_IDS}


@ft.cache
def robotics_ids() -> dict[str, str]:
    """Our name -> id, for Gymnasium-Robotics; `_dense` marks a dense reward, `_sparse` a sparse.

    Where neither is said it is what the package calls by the plain name.
    """
    groups = [
        ("-v4", ["FetchSlide", "FetchPickAndPlace", "FetchReach", "FetchPush"]),
        ("-v3", ["HandReach", *(f"PointMaze_{maze}" for maze in _MAZES)]),
        ("-v5", [f"AntMaze_{maze}" for maze in _MAZES]),
        ("-v1", [f"HandManipulate{a}{b}" for a, b in itertools.product(_HANDS, _TOUCH)]),
        ("-v1", [f"HandManipulate{thing}Full" for thing in ("Block", "Egg", "Pen")]),
    ]
    pairs = [(stem + end, v) for v, stems in groups for stem in stems for end in ("", "Dense")]
    adroit = ("Door", "Hammer", "Pen", "Relocate")
    pairs += [(f"AdroitHand{a}{b}", "-v1") for a in adroit for b in ("", "Sparse")]
    pairs += [("FrankaKitchen", "-v1")]
    return {spelled(stem): stem + version for stem, version in pairs}
