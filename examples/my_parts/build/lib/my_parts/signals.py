"""A priority: what the reward head did not know."""

from dataclasses import dataclass

from reverie.replay.signal import AbstractStepSignal


@dataclass(frozen=True)
class RewardError(AbstractStepSignal):
    """The loss of the reward head at a step, nats."""

    def score(self, found):
        return found.loss("rew")
