"""Two environments in turn: while one is stepped, the other prepares the next episode."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import gymnasium


class Alone:
    """An environment in a thread of its own: drawing contexts belong to the thread they began in.

    It is made at the first call of `run`.
    """

    def __init__(self, make_one: Callable[[], gymnasium.Env]):
        self._make_one = make_one
        self._env: gymnasium.Env | None = None
        self._pool = ThreadPoolExecutor(1, "reverie-ahead")

    def run(self, verb: Callable[[gymnasium.Env], Any]) -> Future:
        """Apply `verb` to the environment, after all that was asked for before."""
        return self._pool.submit(self._apply, verb)

    def _apply(self, verb: Callable[[gymnasium.Env], Any]) -> Any:
        if self._env is None:
            self._env = self._make_one()
        return verb(self._env)

    def close(self) -> None:
        """Close the environment, where there is one, and end the thread. May be called twice."""
        if self._env is not None:
            self.run(lambda env: env.close()).result()
            self._env = None
        self._pool.shutdown()


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
        self._now, self._twin = Alone(make_one), Alone(make_one)
        self._next: tuple[int, Future] | None = None
        env = self._now.run(lambda env: env).result()
        self.observation_space, self.action_space = env.observation_space, env.action_space
        self.render_mode, self.metadata = env.render_mode, env.metadata

    def prepare(self, seed: int) -> None:
        """Begin to reset the twin to the episode of `seed`; returns at once."""
        self._next = seed, self._twin.run(lambda env: env.reset(seed=seed))

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and info of the episode of `seed`."""
        expected, self._next = self._next, None
        if expected is not None and expected[0] == seed:
            answer = expected[1].result()
            self._now, self._twin = self._twin, self._now
            return answer
        return self._now.run(lambda env: env.reset(seed=seed, options=options)).result()

    def step(self, action: Any):
        """A step of the present episode."""
        return self._now.run(lambda env: env.step(action)).result()

    def render(self) -> Any:
        """A picture of the present episode."""
        return self._now.run(lambda env: env.render()).result()

    def close(self) -> None:
        """Close both."""
        self._now.close()
        self._twin.close()
