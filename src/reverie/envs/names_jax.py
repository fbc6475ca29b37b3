"""Names of the tasks of the JAX-native suites, as data: nothing here imports a simulator.

Tests compare them with the installed packages.
"""
# ruff: noqa: SIM905 (quoted names would be harder to read)

import functools as ft

from reverie.envs.names_control import spelled

CRAFTAX_TASKS = ["classic_pixels", "classic_symbolic", "pixels", "symbolic"]
"""Craftax."""

NAVIX_TASKS = """
empty_5x5 empty_6x6 empty_8x8 empty_16x16 empty_random_5x5 empty_random_6x6 empty_random_8x8
empty_random_16x16 doorkey_5x5 doorkey_6x6 doorkey_8x8 doorkey_16x16 doorkey_random_5x5
doorkey_random_6x6 doorkey_random_8x8 doorkey_random_16x16 fourrooms keycorridors3r1
keycorridors3r2 keycorridors3r3 keycorridors4r3 keycorridors5r3 keycorridors6r3 lavagaps5
lavagaps6 lavagaps7 simplecrossings9n1 simplecrossings9n2 simplecrossings9n3
simplecrossings11n5 dynamic_obstacles_5x5 dynamic_obstacles_5x5_random dynamic_obstacles_6x6
dynamic_obstacles_6x6_random dynamic_obstacles_8x8 dynamic_obstacles_16x16 distshift1
distshift2 gotodoor_5x5 gotodoor_6x6 gotodoor_8x8
""".split()
"""navix, those that version 0.7.4 knows."""

BRAX_TASKS = """
ant halfcheetah hopper humanoid humanoidstandup inverted_pendulum inverted_double_pendulum
pusher reacher swimmer walker2d
""".split()
"""Brax."""


@ft.cache
def gymnax_ids() -> dict[str, str]:
    """Our name -> gymnax's; the ones that download data are left out."""
    ids = """
    CartPole-v1 Pendulum-v1 Acrobot-v1 MountainCar-v0 MountainCarContinuous-v0 Asterix-MinAtar
    Breakout-MinAtar Freeway-MinAtar Seaquest-MinAtar SpaceInvaders-MinAtar Catch-bsuite
    DeepSea-bsuite MemoryChain-bsuite UmbrellaChain-bsuite DiscountingChain-bsuite
    SimpleBandit-bsuite FourRooms-misc MetaMaze-misc PointRobot-misc BernoulliBandit-misc
    GaussianBandit-misc Reacher-misc Swimmer-misc Pong-misc FrozenLake-misc
    """.split()
    return {_plain(id): id for id in ids}


def _plain(id: str) -> str:
    stem, _, kind = id.partition("-")
    kind = "" if kind.startswith("v") else "_" + kind.lower().replace("-", "_")
    return spelled(stem) + kind


@ft.cache
def xminigrid_ids() -> dict[str, str]:
    """Our name -> XLand-MiniGrid's."""
    rooms = {1: "9x9 11x11 13x13 15x15 17x17", 2: "9x9 11x11 13x13 15x15 17x17"}
    rooms |= {4: "9x9 11x11 13x13 15x15 17x17", 6: "13x13 17x17 19x19", 9: "16x16 19x19 25x25"}
    ids = [f"XLand-MiniGrid-R{n}-{size}" for n, sizes in rooms.items() for size in sizes.split()]
    ids += [
        f"MiniGrid-{stem}"
        for stem in """
        BlockedUnlockPickUp DoorKey-5x5 DoorKey-6x6 DoorKey-8x8 DoorKey-16x16 Empty-5x5 Empty-6x6
        Empty-8x8 Empty-16x16 EmptyRandom-5x5 EmptyRandom-6x6 EmptyRandom-8x8 EmptyRandom-16x16
        FourRooms LockedRoom MemoryS8 MemoryS16 MemoryS32 MemoryS64 MemoryS128 Playground Unlock
        UnlockPickUp
        """.split()
    ]
    return {
        id.replace("XLand-MiniGrid", "xland").replace("MiniGrid-", "").lower().replace("-", "_"): id
        for id in ids
    }


@ft.cache
def jumanji_ids() -> dict[str, str]:
    """Our name -> Jumanji's; Sokoban, which downloads its levels, is left out."""
    ids = """
    LevelBasedForaging-v0 GraphColoring-v1 Snake-v1 JobShop-v0 SlidingTilePuzzle-v0 MMST-v0 CVRP-v1
    MultiCVRP-v0 SearchAndRescue-v0 Game2048-v1 Minesweeper-v0 RubiksCube-v0 Sudoku-very-easy-v0
    Maze-v0 Tetris-v0 PacMan-v1 RubiksCube-partly-scrambled-v0 BinPack-v2 RobotWarehouse-v0
    Sudoku-v0 Knapsack-v1 TSP-v1 FlatPack-v0 Connector-v3 Cleaner-v0
    """.split()
    return {spelled(id[:-3]).replace("-", "_"): id for id in ids}


@ft.cache
def pgx_ids() -> dict[str, str]:
    """Our name -> pgx's."""
    ids = """
    2048 animal_shogi backgammon chess connect_four gardner_chess go_9x9 go_19x19 hex kuhn_poker
    leduc_holdem minatar-asterix minatar-breakout minatar-freeway minatar-seaquest
    minatar-space_invaders othello shogi sparrow_mahjong tic_tac_toe
    """.split()
    return {id.replace("-", "_"): id for id in ids}


@ft.cache
def playground_ids() -> dict[str, str]:
    """Our name -> MuJoCo Playground's; its robots, whose models are downloads, are left out."""
    ids = """
    AcrobotSwingup AcrobotSwingupSparse BallInCup CartpoleBalance CartpoleBalanceSparse
    CartpoleSwingup CartpoleSwingupSparse CheetahRun FingerSpin FingerTurnEasy FingerTurnHard
    FishSwim HopperHop HopperStand HumanoidStand HumanoidWalk HumanoidRun PendulumSwingup PointMass
    ReacherEasy ReacherHard SwimmerSwimmer6 WalkerRun WalkerStand WalkerWalk
    """.split()
    return {spelled(id): id for id in ids}
