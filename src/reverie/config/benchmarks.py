"""The table of all benchmark presets. Data only; the blocks stand in the files imported here."""

from reverie.config.blocks_continual import CONTINUAL
from reverie.config.blocks_control import CONTROL
from reverie.config.blocks_games import GAMES
from reverie.config.blocks_harmony import HARMONY
from reverie.config.blocks_own import OWN
from reverie.config.blocks_stacks import STACKS
from reverie.config.blocks_v2 import V2
from reverie.config.blocks_v3 import V3
from reverie.config.blocks_v3_2023 import V3_2023

BENCHMARKS = {
    **OWN,
    **V3,
    **GAMES,
    **CONTROL,
    **V2,
    **V3_2023,
    **HARMONY,
    **STACKS,
    **CONTINUAL,
}
"""Presets by name."""
