"""MiniHack and NetHack: a picture of the surroundings and the numbers of the status line."""

import warnings
from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import EnvError, Split
from reverie.envs.names_games import CD_MINIHACK, minihack_ids, nethack_ids
from reverie.envs.options import EnvConfig
from reverie.envs.pictures import resize

CD_CAP = 100
"""Steps after which Continual-Dreamer truncates an episode."""
CD_PAD = 2
"""Black pixels around its 144x144 picture."""
CD_KWARGS = {
    "character": "mon-hum-neu-mal",
    "reward_win": 1,
    "reward_lose": 0,
    "penalty_step": -0.001,
    "penalty_time": 0.0,
    "penalty_mode": "constant",
    "observation_keys": ("pixel_crop",),
}
"""Its arguments of MiniHack."""
CROP = 9
"""Cells a side of the picture that a NetHack task shows, the hero in the middle."""


class Dungeon(gymnasium.Wrapper):
    """A NetHack game whose episodes follow from their seeds, with its ends told apart.

    `reset(seed=…)` alone would not seed the game: its own `seed` is called first, without the
    reseeding by true randomness that NetHack does now and then. MiniHack's rooms that are made by
    MiniGrid get their seed too, which the package's own `seed` fails to give them. An episode that
    runs out of steps is a truncation (the package calls it terminal too); death and success are
    true ends.
    """

    def __init__(self, env: gymnasium.Env):
        gymnasium.Wrapper.__init__(self, env)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and info."""
        from nle.env.base import NLE  # pyright: ignore[reportMissingImports]

        core: Any = self.env.unwrapped
        NLE.seed(core, seed, seed, reseed=False)
        if "minigrid_env" in vars(core):
            core.minigrid_env.unwrapped.np_random = np.random.default_rng(seed)
        core._frozen_steps = 0  # the package carries this count into the next episode
        return self.env.reset(options=options)

    def step(self, action: Any):
        """What the game answers; `aborted` becomes a truncation."""
        observation, reward, ended, cut, info = self.env.step(action)
        aborted = ended and int(info["end_status"]) == -1
        return observation, reward, ended and not aborted, cut or aborted, info


class Surroundings(gymnasium.ObservationWrapper):
    """Shows `pixel_crop` as `image` of `size` pixels a side; the other keys stay.

    With `paper` as in Continual-Dreamer: black edges of 2 pixels, then the nearest pixel.
    """

    def __init__(self, env: gymnasium.Env, *, size: int, paper: bool):
        gymnasium.ObservationWrapper.__init__(self, env)
        self._size, self._paper = size, paper
        shown: Any = env.observation_space
        parts = {key: s for key, s in shown.spaces.items() if key not in _REPLACED}
        parts["image"] = gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8)
        self.observation_space = gymnasium.spaces.Dict(parts)

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The same observation with the picture."""
        picture = observation["pixel_crop"]
        if self._paper:
            picture = np.pad(picture, ((CD_PAD, CD_PAD), (CD_PAD, CD_PAD), (0, 0)))
        how = "nearest" if self._paper else "bilinear"
        rest = {key: part for key, part in observation.items() if key not in _REPLACED}
        return {**rest, "image": resize(picture, self._size, how)}


_REPLACED = ("pixel_crop", "glyphs_crop")


class Tiles(gymnasium.ObservationWrapper):
    """Adds to NetHack's glyphs the picture of the 9x9 cells around the hero, as `pixel_crop`."""

    def __init__(self, env: gymnasium.Env):
        gymnasium.ObservationWrapper.__init__(self, env)
        from minihack.tiles import GlyphMapper  # pyright: ignore[reportMissingImports]

        self._mapper = GlyphMapper()
        shown: Any = env.observation_space
        crop = gymnasium.spaces.Box(0, 255, (CROP * 16, CROP * 16, 3), np.uint8)
        self.observation_space = gymnasium.spaces.Dict({**shown.spaces, "pixel_crop": crop})

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The same observation with the picture."""
        half = CROP // 2
        column, row = observation["blstats"][:2]
        padded = np.pad(observation["glyphs"], half)
        crop = padded[row : row + CROP, column : column + CROP]
        return {**observation, "pixel_crop": self._mapper.to_rgb(crop)}


class Screen(gymnasium.Wrapper):
    """Draws for people: the whole map in tiles, uint8 (336, 1264, 3)."""

    def __init__(self, env: gymnasium.Env):
        gymnasium.Wrapper.__init__(self, env)
        from minihack.tiles import GlyphMapper  # pyright: ignore[reportMissingImports]

        self._mapper = GlyphMapper()

    @property
    def render_mode(self) -> str:
        """Pictures are made without asking the game."""
        return "rgb_array"

    def render(self) -> Any:
        """The map."""
        core: Any = self.env.unwrapped
        return self._mapper.to_rgb(core.last_observation[core._glyph_index])


def build_minihack(
    name: str, config: EnvConfig, split: Split, /, **kwargs: Any
) -> tuple[gymnasium.Env, list[str]]:
    """A MiniHack task. Reads `size`; `kwargs` go to the environment.

    Shown are a picture of the 9x9 cells around the hero and `blstats`; `observation_keys` of
    `kwargs` adds others of the package's. Tasks that begin with `cd_` have Continual-Dreamer's
    settings: a neutral monk, small penalties, only the picture, 100 steps.

    Raises ImportError if nle or minihack is missing, EnvError for an id that the package registers
    but cannot build (the crossings, Boxoban without its maps).
    """
    _import("minihack")
    paper = name.startswith("cd_")
    id = CD_MINIHACK[name] if paper else minihack_ids()[name]
    settings = {**(CD_KWARGS if paper else {"observation_keys": ("blstats",)}), **kwargs}
    keys = dict.fromkeys([*settings["observation_keys"], "pixel_crop"])
    try:
        env = gymnasium.make(
            id, disable_env_checker=True, **{**settings, "observation_keys": [*keys]}
        )
    except (AssertionError, ImportError) as error:
        reason = str(error) or "its crossings do not fit the MiniGrid of today"
        raise EnvError(f"{id} cannot be built by the installed minihack: {reason}") from None
    env = Surroundings(Screen(Dungeon(env)), size=config.size, paper=paper)
    if paper:
        env = gymnasium.wrappers.TimeLimit(env, CD_CAP)
    return env, [f"Observation 'image': 9x9 cells around the hero, {config.size} pixels a side."]


def build_nethack(
    name: str, config: EnvConfig, split: Split, /, **kwargs: Any
) -> tuple[gymnasium.Env, list[str]]:
    """A task of the NetHack Learning Environment. Reads `size`; `kwargs` go to the environment.

    Shown are a picture of the 9x9 cells around the hero, `glyphs` (21, 79) and `blstats`;
    `observation_keys` of `kwargs` chooses others, which always include these two.

    Raises ImportError if nle or minihack (for its tiles) is missing.
    """
    _import("nle")
    _import("minihack")
    keys = dict.fromkeys(["glyphs", "blstats", *kwargs.get("observation_keys", ())])
    settings = {"save_ttyrec_every": 0, **kwargs, "observation_keys": [*keys]}
    env = gymnasium.make(nethack_ids()[name], disable_env_checker=True, **settings)
    env = Surroundings(Tiles(Screen(Dungeon(env))), size=config.size, paper=False)
    return env, [f"Observation 'image': 9x9 cells around the hero, {config.size} pixels a side."]


def _import(name: str) -> None:
    """Registers the ids; the package's own warning about pkg_resources is not the user's."""
    import importlib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        importlib.import_module(name)
