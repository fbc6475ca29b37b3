"""The run stops as soon as it reaches a return."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

from reverie.callbacks.base import Callback
from reverie.callbacks.control import Control
from reverie.callbacks.events import Episode, Evaluation, Start
from reverie.callbacks.watched import check_watched
from reverie.part.errors import ConfigError, suggest
from reverie.part.values import coerce
from reverie.watch.text import number

KINDS = ("eval", "episode")
EPISODES = 20
"""Training episodes whose mean counts where nothing else is said."""


class StopOnReturn(Callback):
    """Stops the run when its return reaches `threshold`, environment units.

    Args:
        threshold: the return that is enough.
        episodes: on "episode": the mean of so many training episodes counts, the newest ones (None:
            20). on "eval": the least number of episodes of an evaluation that counts (None: any).
        on: what is looked at: evaluations (`train.eval_every` must be set) or training episodes.

    The same call again stops at once where the threshold was reached before; with a higher one, or
    without this callback, the run goes on. Raises ConfigError for a wrong argument.
    """

    def __init__(
        self,
        threshold: float,
        episodes: int | None = None,
        *,
        on: Literal["eval", "episode"] = "eval",
    ):
        if on not in KINDS:
            raise ConfigError(f"on must be 'eval' or 'episode'; {suggest(str(on), KINDS)}")
        self.threshold = coerce(threshold, float, "threshold")
        wanted = EPISODES if on == "episode" else 1
        self.episodes = wanted if episodes is None else coerce(episodes, int, "episodes")
        if self.episodes < 1:
            raise ConfigError(f"episodes must be at least 1, found {episodes!r}.")
        self.on = on
        self.load({})

    def on_start(self, event: Start, run: Control) -> None:
        """Stop at once where nothing is left to reach."""
        if not event.resumed:
            self.load({})
        if self.on == "eval":
            check_watched("eval/return", event, "StopOnReturn")
            have = event.config.train.eval_episodes
            if have < self.episodes:
                raise ConfigError(
                    f"StopOnReturn wants {self.episodes} episodes an evaluation, and "
                    f"train.eval_episodes is {have}."
                )
        if self.reached is not None and self.reached >= self.threshold:
            run.stop(f"it had reached {number(self.reached)}, and {self.threshold:g} is enough")

    def on_episode(self, event: Episode, run: Control) -> None:
        """Look at the mean of the newest training episodes."""
        if self.on == "episode":
            self.returns.append(event.total_reward)
            if len(self.returns) == self.episodes:
                mean = sum(self.returns) / self.episodes
                self._look(mean, f"of the last {self.episodes} episodes", run)

    def on_evaluation(self, event: Evaluation, run: Control) -> None:
        """Look at the mean of an evaluation."""
        if self.on == "eval" and event.episodes >= self.episodes:
            self._look(event.mean_return, f"of {event.episodes} evaluation episodes", run)

    def _look(self, mean: float, of: str, run: Control) -> None:
        if mean >= self.threshold:
            self.reached = mean
            run.stop(f"the mean return {of} is {number(mean)}, and {self.threshold:g} is enough")

    def state(self) -> dict[str, Any]:
        """The newest returns, and what was reached."""
        return {"returns": list(self.returns), "reached": self.reached}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on with them; with {} from the beginning."""
        self.returns = deque[float](state.get("returns", ()), maxlen=self.episodes)
        self.reached: float | None = state.get("reached")
