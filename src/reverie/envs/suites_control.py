"""Suites of bodies and arms: DM Control and its visual versions, MuJoCo, robot arms, mazes."""

from reverie.envs import names, names_control
from reverie.envs.suite import Suite

_CUP = {"cup_catch": "ball_in_cup_catch"}

CONTROL = {
    "dmc": Suite(
        "reverie.envs.dmc:build",
        names.dmc_names,
        "DM Control: {}",
        extra="dmc",
        preset="dmc_proprio",
        long=("",),
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
        long=("",),
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
        long=("",),
    ),
    "robotics": Suite(
        "reverie.envs.mujoco:build_robotics",
        names_control.robotics_ids,
        "Gymnasium-Robotics: {}",
        extra="robotics",
        preset="robotics",
        long=("",),
    ),
    "memmaze": Suite(
        "reverie.envs.memmaze:build",
        lambda: names_control.MEMORY_MAZES,
        "Memory Maze {}: remember the way",
        extra="memmaze",
        preset="memmaze",
    ),
}
