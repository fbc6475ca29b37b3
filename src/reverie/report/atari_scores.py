"""Atari100k: scores of random play, of a human, and of published agents, game by game.

Random and human are the standard table of the benchmark. Sources of the agents' columns, each a
mean over seeds in the game's own points:

- `v3_repro`, `harmony`: DreamerV3 as HarmonyDream's authors reran it, and with HarmonyDream (arXiv
  2310.00344): 5 seeds, the last of 20 evaluations (400k frames, 100 episodes each), recomputed
  from the scores of thuml/HarmonyDream; the second numbers are standard deviations over seeds.
- `v3_2024`: the scores that danijar/dreamerv3 published in April 2024, training episodes that end
  in frames 390k to 400k, up to 5 seeds (up_n_down: one). `v3_2023`: its first version's, frames
  380k to 400k (chopper_command from 320k).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Game:
    """One game's scores, points."""

    random: float
    human: float
    v3_repro: float
    v3_repro_std: float
    harmony: float
    harmony_std: float
    v3_2024: float
    v3_2023: float


GAMES: dict[str, Game] = {
    "alien": Game(227.8, 7127.7, 785.7, 130.0, 889.7, 127.7, 1118.0, 1079.0),
    "amidar": Game(5.8, 1719.5, 175.4, 21.2, 141.1, 21.0, 97.5, 141.2),
    "assault": Game(222.4, 742.0, 679.9, 61.0, 1002.7, 331.4, 683.5, 669.7),
    "asterix": Game(210.0, 8503.3, 973.9, 93.5, 1140.3, 186.1, 1062.0, 946.4),
    "bank_heist": Game(14.2, 753.1, 893.5, 164.6, 1068.6, 112.2, 397.8, 622.7),
    "battle_zone": Game(2360.0, 37187.5, 11314.0, 1382.8, 16456.0, 1214.8, 20300.0, 12400.0),
    "boxing": Game(0.1, 12.1, 78.3, 11.4, 79.6, 4.6, 82.1, 73.8),
    "breakout": Game(1.7, 30.5, 24.0, 8.9, 52.6, 32.4, 9.7, 27.9),
    "chopper_command": Game(811.0, 7387.8, 1390.2, 227.7, 1509.6, 742.1, 2222.0, 410.0),
    "crazy_climber": Game(10780.5, 35829.4, 78968.6, 4351.2, 82739.0, 5740.2, 86225.0, 84880.0),
    "demon_attack": Game(152.1, 1971.0, 241.5, 42.4, 202.6, 34.5, 577.2, 433.7),
    "freeway": Game(0.0, 29.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "frostbite": Game(65.2, 4334.7, 938.7, 886.0, 678.7, 833.7, 3377.0, 945.1),
    "gopher": Game(257.6, 2412.5, 4936.1, 4483.5, 13042.8, 12666.1, 2160.0, 5754.0),
    "hero": Game(1027.0, 30826.4, 12180.0, 2593.6, 13378.0, 87.5, 13354.0, 11145.0),
    "jamesbond": Game(29.0, 302.8, 318.1, 187.2, 317.1, 153.6, 540.0, 480.4),
    "kangaroo": Game(52.0, 3035.0, 2773.2, 3680.4, 5117.6, 4025.8, 2643.0, 3790.0),
    "krull": Game(1598.0, 2665.5, 7625.4, 1095.8, 7753.6, 883.4, 8171.0, 7922.0),
    "kung_fu_master": Game(258.5, 22736.3, 23753.4, 7510.3, 22274.0, 3880.4, 25900.0, 24210.0),
    "ms_pacman": Game(307.3, 6951.6, 1688.6, 345.0, 1680.7, 339.4, 1521.0, 1358.0),
    "pong": Game(-20.7, 14.6, 16.1, 3.7, 18.6, 1.2, -4.0, 18.9),
    "private_eye": Game(24.9, 69571.3, 1036.4, 2147.8, 2932.2, 2485.1, 3238.0, 1081.0),
    "qbert": Game(163.9, 13455.0, 2872.2, 1253.6, 3932.5, 370.2, 2921.0, 3291.0),
    "road_runner": Game(11.5, 7845.0, 14248.4, 3706.1, 14646.4, 4378.0, 19230.0, 14995.0),
    "seaquest": Game(68.4, 42054.7, 544.1, 76.6, 665.3, 101.0, 962.0, 610.0),
    "up_n_down": Game(533.4, 11693.2, 5636.1, 2688.3, 10873.6, 11467.5, 46910.0, 7982.0),
}
"""The 26 games, in the spelling of the tasks."""


@dataclass(frozen=True)
class Reference:
    """A published agent: its column of `GAMES`, and the aggregates that need all its seeds."""

    name: str
    column: str
    iqm: float | None = None  # of 26 games x 5 seeds, human = 1


LAST_EVALUATION = (
    Reference("DreamerV3, HarmonyDream's rerun, at 400k", "v3_repro", 0.472),
    Reference("HarmonyDream on DreamerV3, at 400k", "harmony", 0.607),
)
"""What stands beside our last evaluations."""

LAST_EPISODES = (
    Reference("DreamerV3, published 2024", "v3_2024"),
    Reference("DreamerV3, published 2023", "v3_2023"),
)
"""What stands beside our training episodes of frames 390k to 400k."""
