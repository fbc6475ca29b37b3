"""Atari games through the Arcade Learning Environment, with the protocols of the benchmarks."""

from typing import Any

import gymnasium
import numpy as np

from reverie.envs.adapter import TERMINAL
from reverie.envs.base import Split
from reverie.envs.options import EnvConfig
from reverie.envs.pictures import resize

LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in the gray picture (ITU-R BT.601)."""
NOOP = 0
"""ALE's action that presses nothing."""


class AtariGame(gymnasium.Env):
    """One game. Reads `repeat`, `size`, `gray`, `resize`, `sticky`, `noops`, `actions`, `lives`.

    A step holds one action for `repeat` frames, sums their rewards and shows the pixelwise maximum
    of the last two frames. With `resize` "bilinear" that is resized by Pillow's filter and then
    made gray; with "area" it is the emulator's own gray, averaged over areas, exactly as in
    Gymnasium's AtariPreprocessing (DreamerV2; HarmonyDream in colour). With sticky actions each
    frame keeps the previous action with probability `sticky`. A reset restores the
    state right after loading the game, then plays 0 … `noops` frames of no-op (uniformly drawn).

    Sticky draws are ours instead of the emulator's, by the same rule, so that an episode follows
    from its reset seed alone without loading the ROM again (60 ms).
    Source: Machado et al. 2018 (arXiv:1709.06009); DreamerV3's environment settings.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(
        self,
        game: str,
        config: EnvConfig,
        *,
        mode: int | None = None,
        difficulty: int | None = None,
    ):
        import ale_py
        from ale_py import roms

        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        self._ale = ale_py.ALEInterface()
        for key, value in (
            ("random_seed", 0),
            ("frame_skip", 1),
            ("max_num_frames_per_episode", 0),
        ):
            self._ale.setInt(key, value)
        self._ale.setFloat("repeat_action_probability", 0.0)
        self._ale.loadROM(str(roms.get_rom_path(game)))
        self._set_variant(mode, difficulty)
        self._start = self._ale.cloneSystemState()
        every = config.actions == "all"
        self._actions = self._ale.getLegalActionSet() if every else self._ale.getMinimalActionSet()
        self._config = config
        self._held = self._actions[NOOP]
        self._rng = np.random.default_rng(0)
        self._lives = 0
        height, width = self._ale.getScreenDims()
        self._native_gray = config.gray and config.resize == "area"
        channels = 1 if self._native_gray else 3
        self._frames = np.zeros((2, height, width, channels), np.uint8)
        shape = (config.size, config.size, 1 if config.gray else 3)
        self.observation_space = gymnasium.spaces.Box(0, 255, shape, np.uint8)
        self.action_space = gymnasium.spaces.Discrete(len(self._actions))
        self.render_mode = "rgb_array"

    def _set_variant(self, mode: int | None, difficulty: int | None) -> None:
        if mode is not None:
            self._ale.setMode(mode)
        if difficulty is not None:
            self._ale.setDifficulty(difficulty)
        self._ale.reset_game()

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First picture (size, size, 1 or 3) uint8, and an empty info."""
        self._rng = np.random.default_rng(seed)
        self._restart()
        for _ in range(self._rng.integers(0, self._config.noops + 1)):
            self._frame(NOOP)
            if self._ale.game_over(with_truncation=False):
                self._restart()
        self._look(0)
        self._frames[1] = self._frames[0]
        self._lives = self._ale.lives()
        return self._picture(), {}

    def _restart(self) -> None:
        self._ale.reset_game()  # counters of lives and scores that a saved state lacks
        self._ale.restoreSystemState(self._start)
        self._held = self._ale.getLegalActionSet()[NOOP]

    def _frame(self, action: Any) -> float:
        sticky = self._config.sticky
        if sticky == 0.0 or self._rng.random() >= sticky:
            self._held = action
        return self._ale.act(self._held)

    def step(self, action: int):
        """Picture, summed reward, whether the game is over, False, info."""
        chosen, repeat = self._actions[action], self._config.repeat
        total, over, life = 0.0, False, False
        for frame in range(repeat):
            total += self._frame(chosen)
            over = self._ale.game_over(with_truncation=False)
            life = life or self._lost_life()
            stop = over or (life and self._config.lives != "unused")
            if stop or frame >= repeat - 2:
                self._look(frame % 2)
            if stop:
                break
        ended = over or (life and self._config.lives == "reset")
        info = {TERMINAL: True} if life and self._config.lives == "discount" else {}
        return self._picture(), total, ended, False, info

    def _lost_life(self) -> bool:
        before, self._lives = self._lives, self._ale.lives()
        return 0 < self._lives < before

    def _look(self, slot: int) -> None:
        if self._native_gray:
            self._ale.getScreenGrayscale(self._frames[slot, ..., 0])
        else:
            self._ale.getScreenRGB(self._frames[slot])

    def _picture(self) -> np.ndarray:
        frame = np.maximum(self._frames[0], self._frames[1])
        image = resize(frame, self._config.size, self._config.resize)
        if self._native_gray or not self._config.gray:
            return image
        return (image @ LUMA).astype(np.uint8)[..., None]

    def render(self) -> np.ndarray:
        """The screen in full size, uint8 (210, 160, 3) in most games."""
        return self._ale.getScreenRGB()


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """A game of either protocol: what differs are the settings in `config`."""
    return AtariGame(name, config, **kwargs)
