"""Names of the tasks of game, grid and toy suites, as data: nothing here imports a simulator.

Tests compare every list with the installed simulator.
"""
# ruff: noqa: SIM905 (hundreds of quoted names would be harder to read)

import functools as ft

MINIHACK_IDS = """
Room-5x5 Room-Random-5x5 Room-Dark-5x5 Room-Monster-5x5 Room-Trap-5x5 Room-Ultimate-5x5
Room-15x15 Room-Random-15x15 Room-Dark-15x15 Room-Monster-15x15 Room-Trap-15x15
Room-Ultimate-15x15 Corridor-R2 Corridor-R3 Corridor-R5 KeyRoom-Fixed-S5 KeyRoom-S5 KeyRoom-S15
KeyRoom-Dark-S5 KeyRoom-Dark-S15 MazeWalk-9x9 MazeWalk-Mapped-9x9 MazeWalk-15x15
MazeWalk-Mapped-15x15 MazeWalk-45x19 MazeWalk-Mapped-45x19 CorridorBattle CorridorBattle-Dark
MultiRoom-N2 MultiRoom-N4 MultiRoom-N6 MultiRoom-N10 MultiRoom-N6-OpenDoor
MultiRoom-N10-OpenDoor MultiRoom-N2-Locked MultiRoom-N4-Locked MultiRoom-N6-Locked
MultiRoom-N2-Lava MultiRoom-N4-Lava MultiRoom-N6-Lava MultiRoom-N10-Lava
MultiRoom-N6-Lava-OpenDoor MultiRoom-N10-Lava-OpenDoor MultiRoom-N2-Monster
MultiRoom-N4-Monster MultiRoom-N6-Monster MultiRoom-N2-Extreme MultiRoom-N4-Extreme
MultiRoom-N6-Extreme MultiRoom-N2-LavaMonsters MultiRoom-N4-LavaMonsters
MultiRoom-N6-LavaMonsters LavaCrossingS9N1 LavaCrossingS9N2 LavaCrossingS9N3 LavaCrossingS11N5
LavaCrossingS19N13 LavaCrossingS19N17 SimpleCrossingS9N1 SimpleCrossingS9N2 SimpleCrossingS9N3
SimpleCrossingS11N5 Memento-Short-F2 Memento-F2 Memento-F4 Boxoban-Unfiltered Boxoban-Medium
Boxoban-Hard River River-Monster River-Lava River-MonsterLava River-Narrow HideNSeek-Mapped
HideNSeek HideNSeek-Lava HideNSeek-Big Labyrinth-Big Labyrinth-Small ExploreMaze-Easy
ExploreMaze-Hard ExploreMaze-Easy-Mapped ExploreMaze-Hard-Mapped Eat Pray Sink Wield Wear PutOn
Zap Read Eat-Fixed Pray-Fixed Sink-Fixed Wield-Fixed Wear-Fixed PutOn-Fixed Zap-Fixed Read-Fixed
Eat-Distr Pray-Distr Sink-Distr Wield-Distr Wear-Distr PutOn-Distr Zap-Distr Read-Distr
ClosedDoor LockedDoor LockedDoor-Fixed WoD-Easy-Full WoD-Easy-Restricted WoD-Medium-Full
WoD-Medium-Restricted WoD-Hard-Full WoD-Hard-Restricted WoD-Pro-Full WoD-Pro-Restricted
Levitate-Boots-Full Levitate-Boots-Restricted Levitate-Ring-Full Levitate-Ring-Restricted
Levitate-Potion-Full Levitate-Potion-Restricted Levitate-Random-Full Levitate-Boots-Fixed
Levitate-Ring-Fixed Levitate-Potion-Fixed Freeze-Wand-Full Freeze-Wand-Restricted
Freeze-Horn-Full Freeze-Horn-Restricted Freeze-Random-Full Freeze-Random-Restricted
Freeze-Lava-Full Freeze-Lava-Restricted LavaCross-Levitate-Potion-Pickup-Full
LavaCross-Levitate-Potion-Pickup-Restricted LavaCross-Levitate-Potion-Inv-Full
LavaCross-Levitate-Potion-Inv-Restricted LavaCross-Levitate-Ring-Pickup-Full
LavaCross-Levitate-Ring-Pickup-Restricted LavaCross-Levitate-Ring-Inv-Full
LavaCross-Levitate-Ring-Inv-Restricted LavaCross-Levitate-Full LavaCross-Levitate-Restricted
LavaCross-Full LavaCross-Restricted Quest-Easy Quest-Medium Quest-Hard Sokoban4a-v1 Sokoban4b-v1
Sokoban3a-v1 Sokoban3b-v1 Sokoban2a-v1 Sokoban2b-v1 Sokoban1a-v1 Sokoban1b-v1
""".split()
"""MiniHack ids without `MiniHack-` and `-v0` (other versions keep theirs).

The crossings and Boxoban ids are registered but cannot be built by the package of today.
"""

NETHACK_IDS = """
Score Staircase StaircasePet Oracle Gold Eat Scout Challenge
""".split()
"""Tasks of the NetHack Learning Environment: ids without `NetHack` and `-v0`."""

CD_MINIHACK = {
    "cd_room_random_15x15": "MiniHack-Room-Random-15x15-v0",
    "cd_room_monster_15x15": "MiniHack-Room-Monster-15x15-v0",
    "cd_room_trap_15x15": "MiniHack-Room-Trap-15x15-v0",
    "cd_room_ultimate_15x15": "MiniHack-Room-Ultimate-15x15-v0",
    "cd_river_narrow": "MiniHack-River-Narrow-v0",
    "cd_river": "MiniHack-River-v0",
    "cd_river_monster": "MiniHack-River-Monster-v0",
    "cd_hidenseek": "MiniHack-HideNSeek-v0",
    "cd_corridorbattle": "MiniHack-CorridorBattle-v0",
    "cd_river_lava": "MiniHack-River-Lava-v0",
    "cd_river_monsterlava": "MiniHack-River-MonsterLava-v0",
}
"""MiniHack tasks with Continual-Dreamer's settings: the eight of its sequence in their order, then
the three that it ran alone."""


@ft.cache
def minihack_ids() -> dict[str, str]:
    """Our name -> Gymnasium id: lower case, "_" for "-", versions other than 0 keep their `_v1`."""
    return {
        stem.lower().replace("-", "_"): "MiniHack-" + stem + ("" if stem[-3:-1] == "-v" else "-v0")
        for stem in MINIHACK_IDS
    }


@ft.cache
def nethack_ids() -> dict[str, str]:
    """Our name -> Gymnasium id."""
    return {stem.lower(): f"NetHack{stem}-v0" for stem in NETHACK_IDS}


BSUITE_SETTINGS = {
    **dict.fromkeys(("bandit", "bandit_noise", "bandit_scale"), 20),
    **dict.fromkeys(("cartpole", "cartpole_noise", "cartpole_scale", "cartpole_swingup"), 20),
    **dict.fromkeys(("catch", "catch_noise", "catch_scale"), 20),
    **dict.fromkeys(("deep_sea", "deep_sea_stochastic"), 21),
    "discounting_chain": 20,
    "memory_len": 23,
    "memory_size": 17,
    **dict.fromkeys(("mnist", "mnist_noise", "mnist_scale"), 20),
    **dict.fromkeys(("mountain_car", "mountain_car_noise", "mountain_car_scale"), 20),
    **dict.fromkeys(("umbrella_distract", "umbrella_length"), 23),
}
"""Families of the behaviour suite and how many settings each has."""

MINATAR_GAMES = ("asterix", "breakout", "freeway", "seaquest", "space_invaders")
"""MinAtar's games."""

POPGYM_GAMES = """
Autoencode RepeatPrevious RepeatFirst CountRecall PositionOnlyCartPole PositionOnlyPendulum
VelocityOnlyCartpole NoisyPositionOnlyCartPole NoisyPositionOnlyPendulum MultiarmedBandit
HigherLower Battleship Concentration MineSweeper
""".split()
"""POPGym's games without `popgym-`, the difficulty and `-v0`."""

VIZDOOM_IDS = {
    name: f"Vizdoom{stem}-v1"
    for name, stem in {
        "basic": "Basic",
        "deadly_corridor": "DeadlyCorridor",
        "defend_center": "DefendCenter",
        "defend_line": "DefendLine",
        "health_gathering": "HealthGathering",
        "health_gathering_supreme": "HealthGatheringSupreme",
        "my_way_home": "MyWayHome",
        "predict_position": "PredictPosition",
        "take_cover": "TakeCover",
        "deathmatch": "Deathmatch",
    }.items()
}
"""ViZDoom's scenarios: our name -> Gymnasium id."""

MINIWORLD_IDS = """
CollectHealth FourRooms Hallway Maze MazeS2 MazeS3 MazeS3Fast OneRoom OneRoomS6 OneRoomS6Fast
PickupObjects PutNext RoomObjects Sidewalk Sign TMaze TMazeLeft TMazeRight ThreeRooms WallGap
YMaze YMazeLeft YMazeRight
""".split()
"""MiniWorld ids without `MiniWorld-` and `-v0`."""

PROCGEN_GAMES = """
bigfish bossfight caveflyer chaser climber coinrun dodgeball fruitbot heist jumper leaper maze
miner ninja plunder starpilot
""".split()
"""The sixteen games of ProcGen."""

DMLAB_LEVELS = """
rooms_collect_good_objects_train rooms_collect_good_objects_test
rooms_exploit_deferred_effects_train rooms_exploit_deferred_effects_test
rooms_select_nonmatching_object rooms_watermaze rooms_keys_doors_puzzle
language_select_described_object language_select_located_object language_execute_random_task
language_answer_quantitative_question lasertag_one_opponent_small lasertag_three_opponents_small
lasertag_one_opponent_large lasertag_three_opponents_large natlab_fixed_large_map
natlab_varying_map_regrowth natlab_varying_map_randomized skymaze_irreversible_path_hard
skymaze_irreversible_path_varied psychlab_arbitrary_visuomotor_mapping
psychlab_continuous_recognition psychlab_sequential_comparison psychlab_visual_search
explore_object_locations_small explore_object_locations_large explore_obstructed_goals_small
explore_obstructed_goals_large explore_goal_locations_small explore_goal_locations_large
explore_object_rewards_few explore_object_rewards_many
""".split()
"""The thirty levels of DMLab-30; two of them have a test level of their own."""

MINECRAFT_TASKS = {
    "diamond": "Minecraft: twelve milestones to a diamond, by MineRL",
    "wood": "Minecraft: every log pays, by MineRL",
    "climb": "Minecraft: height pays, by MineRL",
    "hunt_cow": "Minecraft: hunt a cow, by MineDojo (--preset harmony_minecraft)",
}
"""Tasks in Minecraft and what they are."""

MANISKILL_EXAMPLES = ("PickCube-v1", "PushCube-v1", "StackCube-v1", "PegInsertionSide-v1")
"""Some of ManiSkill's tasks."""


@ft.cache
def bsuite_ids() -> tuple[str, ...]:
    """All settings, `FAMILY/NUMBER`."""
    return tuple(f"{name}/{i}" for name, count in BSUITE_SETTINGS.items() for i in range(count))


@ft.cache
def popgym_ids() -> dict[str, str]:
    """Our name, for example `repeat_previous_easy`, -> Gymnasium id."""
    return {
        f"{_snake(game)}_{level.lower()}": f"popgym-{game}{level}-v0"
        for level in ("Easy", "Medium", "Hard")
        for game in POPGYM_GAMES
    }


@ft.cache
def miniworld_ids() -> dict[str, str]:
    """Our name, the id in lower case -> Gymnasium id."""
    return {stem.lower(): f"MiniWorld-{stem}-v0" for stem in MINIWORLD_IDS}


def _snake(name: str) -> str:
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    return "_".join(words.lower().split())


PINPAD_FLOORS = ("three", "four", "five", "six", "seven", "eight")
"""PinPad, named after the number of pads."""

PROBES = {
    "constant": "constant reward: heads and critic",
    "observation": "reward from the observation: encoder",
    "delay": "delayed reward: returns",
    "action": "reward from the action: continuous actor",
    "memory": "reward from a remembered observation",
}
"""The probes, and what each of them checks."""
