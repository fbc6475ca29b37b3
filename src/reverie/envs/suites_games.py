"""Suites of games, grid worlds and small tests of memory or behaviour."""

from reverie.envs import names, names_games
from reverie.envs.minigrid_variants import VARIANTS
from reverie.envs.suite import Suite

PROCGEN_ADVICE = (
    "Its wheels ask for numpy below 2 but run with ours, so no extra can install them: pip install "
    "'gym==0.26.0' filelock cffi moderngl glfw imageio-ffmpeg; pip install --no-deps "
    "procgen-mirror==0.10.7 gym3==0.3.3. envpool's build comes with 'reverie[envpool]' as "
    "envpool_CoinrunHard-v0; its levels and scores differ."
)
"""How to obtain the original build."""

GAMES = {
    "minigrid": Suite(
        "reverie.envs.minigrid:build",
        lambda: [*names.minigrid_ids(), *VARIANTS],
        "grid world {}, as pictures",
        extra="minigrid",
        preset="minigrid",
        board=True,
        long=("multiroom_n4", "multiroom_n6", *names.LONG_ROOMS),
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
        board=True,
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
        long=("medium", "hard"),  # a memory of many more steps than a short window holds
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
        long=("",),  # most are screens and bodies
        open=True,
    ),
}
