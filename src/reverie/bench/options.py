"""What the benchmarks are asked to measure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tyro.conf import Positional

from reverie.config.mesh import read_mesh
from reverie.config.sizes import SIZES
from reverie.part.errors import ConfigError, suggest

Obs = Literal["image", "vector", "both"]
Precision = Literal["f32", "bf16"]
Kind = Literal["auto", "cpu", "gpu", "tpu"]


def check_sizes(sizes: Sequence[str]) -> None:
    """Raises ConfigError for no size or an unknown one (nearest named)."""
    for size in sizes:
        if size not in SIZES:
            hint = suggest(size, SIZES)
            hint = hint if hint.startswith("did") else f"the sizes are {', '.join(SIZES)}."
            raise ConfigError(f"there is no size {size!r}; {hint}")
    check_some("size", sizes)


def check_some(name: str, values: Sequence[str]) -> None:
    """Raises ConfigError for an empty list or a value given twice."""
    if not values or len(set(values)) < len(values):
        raise ConfigError(f"--{name} takes different values, at least one; found {[*values]}.")


def check_repeats(repeats: int) -> None:
    """Raises ConfigError for less than one repeat."""
    if repeats < 1:
        raise ConfigError(f"--repeats must be at least 1, found {repeats}.")


def check_mesh(text: str) -> None:
    """Raises ConfigError for what is no mesh."""
    read_mesh(text, "--mesh")


def check_seeds(seeds: int, mesh: str) -> None:
    """Raises ConfigError for less than one seed, and for several on a mesh."""
    if seeds < 1:
        raise ConfigError(f"--seeds must be at least 1, found {seeds}.")
    if mesh and seeds > 1:
        raise ConfigError(
            f"--mesh spreads one learner over devices, and --seeds {seeds} share one: leave one of "
            "them out."
        )


GROUPS = ("net", "world", "behavior", "explore", "optim", "train", "replay")
"""Groups of the configuration that `--set` reaches."""

DEVICE = (
    *("device.scan", "device.unroll", "device.command_buffers", "device.deterministic"),
    *("device.memory", "device.preallocate"),
)
"""Options of the device that it reaches where an update is run."""


def read_pairs(words: Sequence[str]) -> dict[str, str]:
    """Dotted path -> text of the changes KEY=VALUE.

    Raises ConfigError for a word of another form or a key given twice.
    """
    changes: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise ConfigError(f"--set takes KEY=VALUE, found {word!r}.")
        if key in changes:
            raise ConfigError(f"--set is given {key!r} twice; keep one of them.")
        changes[key] = value
    return changes


def read_changes(words: Sequence[str], device: Sequence[str] = DEVICE) -> dict[str, str]:
    """The changes KEY=VALUE of an update's configuration.

    Raises ConfigError as `read_pairs` does, and for a key of a group that an update does not
    depend on, or of the group `device` that is not listed. Key and value themselves are checked
    where they are applied.
    """
    changes = read_pairs(words)
    for key in changes:
        if key.partition(".")[0] not in GROUPS and key not in device:
            groups = ", ".join(GROUPS)
            raise ConfigError(
                f"--set cannot change {key!r} here: it takes keys of {groups}, and "
                f"{', '.join(device)}; size and precision have options of their own."
            )
    return changes


@dataclass(frozen=True)
class UpdateOptions:
    """One learning update: parameters, compile time, milliseconds, arithmetic and memory.

    Several sizes, observations or precisions are measured in turns, in one process.
    """

    size: tuple[str, ...] = ("12m",)
    """Model sizes."""
    obs: tuple[Obs, ...] = ("image",)
    """Observations: a 64x64x3 picture, 24 numbers, or both. Actions: 6 classes for the picture
    alone, else 6 numbers."""
    precision: tuple[Precision, ...] = ("f32",)
    """Compute dtypes."""
    device: Kind = "auto"
    """Device that computes; auto: the best that JAX finds."""
    seeds: int = 1
    """Seeds that learn at once in one program; times and arithmetic are those of all of them."""
    dry: bool = False
    """Count parameters and arithmetic only; run nothing."""
    json: str = ""
    """File for the numbers, one JSON object; empty: only the table on the terminal."""
    repeats: int = 5
    """Timed repeats; the median is reported."""
    set: tuple[str, ...] = ()
    """Changes of the configuration, KEY=VALUE, such as world.encoder.stack=patch."""
    profile: str = ""
    """Folder for a profile of each case; its longest operations are shown. Empty: no profile."""
    mesh: str = ""
    """Devices that each case is measured on besides one, as `device.mesh` takes them; the speed is
    compared, and what the devices exchange is counted. Empty: one device alone."""

    def __post_init__(self):
        check_mesh(self.mesh)
        check_sizes(self.size)
        check_some("obs", self.obs)
        check_some("precision", self.precision)
        check_repeats(self.repeats)
        check_seeds(self.seeds, self.mesh)
        read_changes(self.set)
        if self.dry and self.profile:
            raise ConfigError("--profile runs updates and --dry runs none: leave one of them out.")


COUNTED = ("device.unroll",)
"""Options of the device that change what is counted."""


@dataclass(frozen=True)
class LaunchOptions:
    """Launches of one learning update on a GPU that need not be here: nothing is run.

    Needs the compiler of `reverie[cuda]`.
    """

    size: tuple[str, ...] = ("12m",)
    """Model sizes."""
    obs: tuple[Obs, ...] = ("image",)
    """Observations, as in `bench update`."""
    precision: tuple[Precision, ...] = ("bf16",)
    """Compute dtypes."""
    seeds: int = 1
    """Seeds that learn at once in one program."""
    gpu: Literal["h200", "a100", "l4", "rtx4090"] = "h200"
    """GPU that the update is compiled for (`bench/gpus.py`)."""
    scan: Literal["recomputed", "stored"] = "recomputed"
    """Form of the scan over observed rows: `device.scan`."""
    json: str = ""
    """File for the numbers, one JSON object; empty: only the table on the terminal."""
    set: tuple[str, ...] = ()
    """Changes of the configuration, KEY=VALUE."""
    mesh: str = ""
    """Such GPUs that one learner is spread over, as `device.mesh` takes them: what they exchange is
    counted. Empty: one."""

    def __post_init__(self):
        check_mesh(self.mesh)
        check_sizes(self.size)
        check_some("obs", self.obs)
        check_some("precision", self.precision)
        check_seeds(self.seeds, self.mesh)
        read_changes(self.set, COUNTED)


@dataclass(frozen=True)
class ActOptions:
    """Acting: milliseconds from an observation to an action, by number of environments."""

    size: str = "12m"
    """Model size."""
    obs: Obs = "image"
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
    """Rounds of CALLS timed calls each (see `bench/act.py`)."""

    def __post_init__(self):
        check_sizes([self.size])
        check_repeats(self.repeats)
        if not self.envs or min(self.envs) < 1 or len(set(self.envs)) < len(self.envs):
            raise ConfigError(
                f"--envs takes different numbers of at least 1, found {[*self.envs]}."
            )


@dataclass(frozen=True)
class EnvOptions:
    """An environment: steps a second alone, in processes, and with replay insertion."""

    task: Positional[str]
    """Environment: suite_task, gym:ID (see `reverie tasks`), or MODULE:FUNCTION."""
    num: int = 1
    """Environments side by side."""
    workers: int = 0
    """Processes that share them where there are processes; 0: one each."""
    seconds: float = 3.0
    """Length of one timed repeat."""
    json: str = ""
    """File for the numbers, one JSON object; empty: only the table on the terminal."""
    repeats: int = 5
    """Timed repeats; the median is reported."""

    def __post_init__(self):
        check_repeats(self.repeats)
        if self.num < 1 or self.seconds <= 0:
            raise ConfigError(
                "--num must be at least 1 and --seconds greater than 0, found "
                f"{self.num} and {self.seconds:g}."
            )
        if not 0 <= self.workers <= self.num:
            raise ConfigError(f"--workers must lie in 0 ... {self.num}, found {self.workers}.")


@dataclass(frozen=True)
class ReplayOptions:
    """Drawing windows, writing scores back, inserting rows: milliseconds, rows a second, bytes."""

    windows: int = 1_000_000
    """Windows that can be drawn."""
    batch: int = 16
    """Windows a batch."""
    length: int = 65
    """Rows of a window, the first of which is not scored."""
    streams: int = 4
    """Environments whose rows lie side by side."""
    quick: bool = False
    """Leave the tree of pointers out: it takes seconds to build and 500 bytes a window."""
    json: str = ""
    """File for the numbers, one JSON object; empty: only the table on the terminal."""
    repeats: int = 5
    """Timed repeats; the median is reported."""

    def __post_init__(self):
        check_repeats(self.repeats)
        if min(self.windows, self.batch, self.streams) < 1 or self.length < 2:
            raise ConfigError(
                "--windows, --batch and --streams must be at least 1, --length at least 2, found "
                f"{self.windows}, {self.batch}, {self.streams} and {self.length}."
            )
