"""The suites that come with Reverie, one row each: all that is known of them. Data only.

A new suite is one row here or in the file of its family, one file with its adapter, one extra in
`pyproject.toml`, and a preset in `config/` where none of those there fits. Rows are looked up
through `registry.py`, which adds those of other packages.
"""

from reverie.envs import names, names_games
from reverie.envs.suite import Suite
from reverie.envs.suites_compiled import COMPILED
from reverie.envs.suites_control import CONTROL
from reverie.envs.suites_games import GAMES
from reverie.envs.suites_unpackaged import UNPACKAGED

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
    **CONTROL,
    **COMPILED,
    **GAMES,
    **UNPACKAGED,
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
