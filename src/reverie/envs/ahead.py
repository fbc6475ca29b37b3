"""Two environments in turn: while one is stepped, the other prepares the next episode."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import gymnasium


class Ahead(gymnasium.Env):
    """An environment whose resets are dear, and a twin that resets in a thread meanwhile.

    `prepare(seed)` says which episode comes next. If that episode is asked for, the twin takes
    over and its observation is there already; otherwise it is reset as usual, and nothing else
    differs: an episode is a function of its seed and its actions.

    Args:
        make_one: makes the environment; it is called twice, the second time when `prepare` is
            first used. The environments must not share state.
    """

    def __init__(self, make_one: Callable[[], gymnasium.Env]):
        self._make_one, self._env = make_one, make_one()
        self._twin: gymnasium.Env | None = None
        self._pool = ThreadPoolExecutor(1, "reverie-ahead")
        self._next: tuple[int, Future] | None = None
        self.observation_space = self._env.observation_space
        self.action_space = self._env.action_space
        self.render_mode = self._env.render_mode
        self.metadata = self._env.metadata

    def prepare(self, seed: int) -> None:
        """Begin to reset the twin to the episode of `seed`; returns at once."""
        self._wait()
        self._next = seed, self._pool.submit(self._reset_twin, seed)

    def _reset_twin(self, seed: int) -> tuple[Any, dict]:
        if self._twin is None:
            self._twin = self._make_one()
        return self._twin.reset(seed=seed)

    def _wait(self) -> Any:
        """The prepared episode's first observation and info, or None; errors are raised here."""
        if self._next is None:
            return None
        _, answer = self._next
        self._next = None
        return answer.result()

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and info of the episode of `seed`."""
        expected = None if self._next is None else self._next[0]
        answer = self._wait()
        if answer is None or expected != seed or self._twin is None:
            return self._env.reset(seed=seed, options=options)
        self._env, self._twin = self._twin, self._env
        return answer

    def step(self, action: Any):
        """A step of the present episode."""
        return self._env.step(action)

    def render(self) -> Any:
        """A picture of the present episode."""
        return self._env.render()

    def close(self) -> None:
        """Close both."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for env in (self._env, self._twin):
            if env is not None:
                env.close()
