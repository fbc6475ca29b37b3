"""What callbacks are shown: one frozen record an event.

`step` is everywhere the number of environment steps of all environments together, as in
metrics.jsonl: of an event on the way, those before the row that it belongs to. Arrays are copies
that cannot be written, mappings cannot be changed: E environments, a spec's own shape behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reverie.config.schema import Config


@dataclass(frozen=True)
class Start:
    """The run begins, or goes on from a checkpoint. Nothing has been done yet."""

    step: int
    resumed: bool
    """Whether it goes on from a checkpoint; `load` has been called then."""
    config: Config
    """The resolved configuration; `config.steps` is where the run ends."""
    logdir: Path
    """The run folder."""


@dataclass(frozen=True)
class StepBatch:
    """One row of every environment: what they answered, and what is done next."""

    step: int
    obs: Mapping[str, np.ndarray]
    """(E, *shape) by key: uint8 pictures, float32 numbers, int32 classes."""
    reward: np.ndarray
    """(E,) float32, environment units: what led to this observation."""
    is_first: np.ndarray
    """(E,) bool: the first row of an episode."""
    is_last: np.ndarray
    """(E,) bool: the episode ends here, terminated or truncated."""
    is_terminal: np.ndarray
    """(E,) bool: terminated."""
    action: Mapping[str, np.ndarray]
    """(E, *shape) by key, chosen at this observation, in the agent's terms: classes from 0, numbers
    in [-1, 1]; zero where the episode ends here."""
    log: Mapping[str, np.ndarray]
    """(E, *shape) by name: what the environments show to people only."""


@dataclass(frozen=True)
class Episode:
    """A training episode has ended."""

    step: int
    total_reward: float
    """Its return: the sum of its rewards, environment units."""
    length: int
    """Agent steps."""
    log: Mapping[str, float]
    """Largest value in the episode of every number that the environment shows to people only."""


@dataclass(frozen=True)
class Metrics:
    """The line of a log interval (`train.log_every`): means over its updates."""

    step: int
    values: Mapping[str, float]
    """By the names of docs/metrics.md; units stand there."""


@dataclass(frozen=True)
class Evaluation:
    """An evaluation is over."""

    step: int
    mean_return: float
    """Over its episodes (in a sequence of tasks: over the tasks), environment units."""
    std_return: float
    """Standard deviation over its episodes."""
    episodes: int
    values: Mapping[str, float]
    """All its numbers by the names of docs/metrics.md: `eval/return`, `eval/length`,
    `eval/return/TASK`, `eval/log/NAME`, ..."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint is complete on disk."""

    step: int
    path: Path
    """Its folder; it goes when `train.keep` newer ones are there, so keep it with
    `Control.keep`."""


@dataclass(frozen=True)
class End:
    """The run is over and saved; nothing is saved after this but what the callback writes itself.

    Not after a second signal, or where the process is killed.
    """

    step: int
    finished: bool
    """Whether all steps are done."""
    reason: str
    """Why it ended before; "" where it is finished."""
