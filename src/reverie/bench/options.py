"""What the three benchmarks are asked to measure."""

from dataclasses import dataclass
from typing import Literal

from tyro.conf import Positional

from reverie.config.errors import ConfigError
from reverie.config.sizes import SIZES

Precision = Literal["f32", "bf16"]
Kind = Literal["auto", "cpu", "gpu", "tpu"]


def check(size: str, repeats: int) -> None:
    """Raises ConfigError for an unknown size or less than one repeat."""
    if size not in SIZES:
        raise ConfigError(f"there is no size {size!r}; the sizes are {', '.join(SIZES)}.")
    if repeats < 1:
        raise ConfigError(f"--repeats must be at least 1, found {repeats}.")


@dataclass(frozen=True)
class UpdateOptions:
    """One learning update: parameters, compile time, milliseconds, arithmetic and memory."""

    size: str = "12m"
    """Model size."""
    obs: Literal["image", "vector", "both"] = "image"
    """Observations: a 64x64x3 picture, 24 numbers, or both."""
    precision: Precision = "f32"
    """Compute dtype."""
    device: Kind = "auto"
    """Device that computes; auto: the best that JAX finds."""
    dry: bool = False
    """Count parameters and arithmetic only; run nothing."""
    json: str = ""
    """File for the numbers, one JSON object; empty: only the table on the terminal."""
    repeats: int = 5
    """Timed repeats; the median is reported."""

    def __post_init__(self):
        check(self.size, self.repeats)


@dataclass(frozen=True)
class ActOptions:
    """Acting: milliseconds from an observation to an action, by number of environments."""

    size: str = "12m"
    """Model size."""
    obs: Literal["image", "vector", "both"] = "image"
    """Observations: a 64x64x3 picture, 24 numbers, or both."""
    envs: tuple[int, ...] = (1, 4, 16)
    """Numbers of environments that are acted for at once."""
    precision: Precision = "f32"
    """Compute dtype."""
    device: Kind = "auto"
    """Device that computes; auto: the best that JAX finds."""
    json: str = ""
    """File for the numbers, one JSON object; empty: only the table on the terminal."""
    repeats: int = 5
    """Timed repeats; the median is reported."""

    def __post_init__(self):
        check(self.size, self.repeats)
        if not self.envs or min(self.envs) < 1:
            raise ConfigError(f"--envs takes numbers of at least 1, found {self.envs}.")


@dataclass(frozen=True)
class EnvOptions:
    """An environment: steps a second alone, in processes, and with replay insertion."""

    task: Positional[str]
    """Environment: suite_task or gym:ID (see `reverie tasks`)."""
    num: int = 1
    """Environments side by side."""
    seconds: float = 3.0
    """Length of one timed repeat."""
    json: str = ""
    """File for the numbers, one JSON object; empty: only the table on the terminal."""
    repeats: int = 5
    """Timed repeats; the median is reported."""

    def __post_init__(self):
        check("1m", self.repeats)
        if self.num < 1 or self.seconds <= 0:
            raise ConfigError(
                "--num must be at least 1 and --seconds greater than 0, found "
                f"{self.num} and {self.seconds:g}."
            )
