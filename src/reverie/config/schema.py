"""The root of the configuration: a tree of frozen records and parts, one docstring a field.

Every station has its records in a file of its own (`options.py`, and one a part); those of the run
itself stand in `run.py`. Their defaults are the only ones; presets (`presets.py`) and flags
(`edit.py`) return changed copies. Every record checks itself when it is built: types and ranges of
its fields, and what several fields have to agree on; a ConfigError names the fields and their
values.
Where a number comes from a paper it is the official DreamerV3's (arXiv:2301.04104v2 and its code).
"""

from dataclasses import dataclass, field
from typing import Literal

from reverie.behavior.bonus import AbstractBonus, NoBonus
from reverie.behavior.explorer import AbstractExplorer, NoExplorer
from reverie.behavior.gradient import AbstractGradient
from reverie.behavior.options import BehaviorConfig
from reverie.config.families import FAMILIES
from reverie.config.mesh import check_batch, nearest
from reverie.config.run import DeviceConfig, LogConfig, TrainConfig
from reverie.config.sequence import SequenceConfig
from reverie.envs.options import EnvConfig
from reverie.nn.options import NetConfig
from reverie.nn.stacks import AbstractStack
from reverie.optim.laprop import LaProp
from reverie.optim.optimizer import AbstractOptimizer
from reverie.part.checks import Checker
from reverie.part.errors import ConfigError
from reverie.part.needs import DREAMS, ENSEMBLE, LATENTS, Claim, check_needs
from reverie.part.part import name_of
from reverie.part.tree import claims
from reverie.part.values import SEEDS
from reverie.replay.options import ReplayConfig
from reverie.replay.signal import AbstractSignal
from reverie.world.options import WorldConfig

SizeName = Literal[
    "auto",
    "debug",
    "tiny",
    "1m",
    "12m",
    "25m",
    "50m",
    "100m",
    "200m",
    "400m",
    "xs",
    "s",
    "m",
    "l",
    "xl",
    "w200",
    "w600",
    "w1024",
]
"""Sizes of all agents (`families.py`)."""


@dataclass(frozen=True)
class Config:
    """A whole run."""

    task: str = "gym:CartPole-v1"
    """Environment: suite_task or gym:ID (see `reverie tasks`)."""
    agent: Literal["v3", "v3-2023", "v2"] = "v3"
    """Agent preset that was applied."""
    size: SizeName = "auto"
    """Model size preset that was applied, one of the agent's. auto: what the observations need,
    chosen when the environment has shown them."""
    preset: str = ""
    """Benchmark preset that was applied; published: what belongs to the task's suite."""
    pinned: tuple[str, ...] = ()
    """Model fields set by hand, which the automatic size leaves alone (empty once it is chosen)."""
    seed: int = 0
    """Root of all randomness: networks, policy, replay and environments."""
    steps: int = 1_000_000
    """Environment steps of the whole run, all environments together. As in the official V3 the
    first observation of an episode counts as one."""
    logdir: str = ""
    """Run folder, or its URL (s3://..., docs/scale.md); the same command with the same folder
    resumes. Empty: runs/TASK-AGENT-SEED."""
    sequence: SequenceConfig = field(default_factory=SequenceConfig)
    env: EnvConfig = field(default_factory=EnvConfig)
    replay: ReplayConfig = field(default_factory=ReplayConfig)
    net: NetConfig = field(default_factory=NetConfig)
    world: WorldConfig = field(default_factory=WorldConfig)
    behavior: BehaviorConfig = field(default_factory=BehaviorConfig)
    explore: AbstractExplorer = field(default_factory=NoExplorer)
    """Who seeks something else than the task's reward."""
    bonus: AbstractBonus = field(default_factory=NoBonus)
    """What is added to training rewards for rare visits."""
    optim: AbstractOptimizer = field(default_factory=LaProp)
    """How gradients become changes of the parameters."""
    train: TrainConfig = field(default_factory=TrainConfig)
    log: LogConfig = field(default_factory=LogConfig)
    device: DeviceConfig = field(default_factory=DeviceConfig)

    def __post_init__(self):
        check = Checker(self, "")
        check.require(self.task.strip() != "", "task", "the name of an environment")
        check.at_least(1, "steps")
        check.at_least(0, "seed")
        check.require(self.seed < SEEDS, "seed", f"at most {SEEDS - 1}")
        rule = "the dotted names of fields, and empty unless size is 'auto'"
        check.require(not self.pinned or self.size == "auto", "pinned", rule)
        total = self.sequence.total
        rule = f"at most {total}, the steps of the whole sequence"
        check.require(not total or self.steps <= total, "steps", rule)
        _check_size(self)
        _check_stack(self)
        _check_starts(self)
        _check_capacity(self)
        _check_scores(self)
        _check_gradients(self)
        _check_prefill(self)
        _check_needs(self)
        check_batch(self.device.mesh_shape, self.train.batch)
        _check_shares(self)


def _check_size(config: Config) -> None:
    family = FAMILIES[config.agent]
    if config.size not in ("auto", *family):
        raise ConfigError(
            f"size {config.size!r} is none of agent {config.agent!r}; its sizes are auto, "
            f"{', '.join(family)}."
        )


def _check_stack(config: Config) -> None:
    stack = config.world.encoder.stack
    if config.net.maps == "whole" and not stack.whole_maps:
        raise ConfigError(
            "net.maps 'whole' goes with world.encoder.stack valid or same, found "
            f"{name_of(AbstractStack, stack)!r}."
        )


def _check_starts(config: Config) -> None:
    starts, length = config.behavior.starts, config.train.length
    if starts > length:
        raise ConfigError(
            f"behavior.starts ({starts}) must be at most train.length ({length}), the trained rows "
            "of a sequence; 0 takes all of them."
        )


def _check_prefill(config: Config) -> None:
    if config.train.prefill >= config.steps:
        raise ConfigError(
            f"train.prefill ({config.train.prefill}) must be less than steps ({config.steps}): "
            "nothing is learned before those random steps are over."
        )


def _check_capacity(config: Config) -> None:
    train, replay = config.train, config.replay
    window = train.length + replay.context
    if replay.unit.rows and not replay.draw.pieces:
        _check_pieces(config, window)
    need = train.batch * train.length + config.env.num * (window - 1)
    if replay.capacity < need:
        raise ConfigError(
            f"replay.capacity ({replay.capacity} rows) must be at least {need}: learning starts at "
            f"train.batch x train.length = {train.batch} x {train.length} windows, and each of the "
            f"env.num = {config.env.num} streams needs train.length + replay.context - 1 = "
            f"{window - 1} rows more."
        )


def _check_pieces(config: Config, window: int) -> None:
    """Chunks and splices: enough of them, each long enough to hold a window."""
    train, replay, rows = config.train, config.replay, config.replay.unit.rows
    if rows < window:
        raise ConfigError(
            f"replay.unit.rows ({rows}) must be at least train.length + replay.context = {window}: "
            "sequences never leave their unit."
        )
    units = -(-train.batch * train.length // (rows - window + 1)) + 2 * config.env.num
    if replay.capacity < units * rows:
        raise ConfigError(
            f"replay.capacity ({replay.capacity} rows) must be at least {units * rows}: learning "
            f"starts at train.batch x train.length = {train.batch} x {train.length} windows, a "
            f"unit of replay.unit.rows = {rows} holds {rows - window + 1} of them, and up to two "
            f"units of each of the env.num = {config.env.num} streams are not complete."
        )


def _check_gradients(config: Config) -> None:
    """Losses of the behaviour reach the representation only through one common gradient."""
    behavior = config.behavior
    if behavior.actor_grad_start and behavior.gradient.through:
        raise ConfigError(
            f"behavior.gradient ({name_of(AbstractGradient, behavior.gradient)!r}) must be "
            "'reinforce' while behavior.actor_grad_start is True: gradients through a dream take "
            "its start as it is."
        )
    if config.train.update == "joint":
        return
    crossing = {
        "behavior.actor_grad_start": behavior.actor_grad_start,
        "behavior.replay_grad": behavior.replay_grad and behavior.replay_value,
    }
    for name in (name for name, on in crossing.items() if on):
        raise ConfigError(
            f"{name} must be False while train.update is 'ordered': actor and critic then learn "
            "after the world model, and nothing of theirs reaches it."
        )


def _check_scores(config: Config) -> None:
    needs, starts = config.replay.signal.needs(), config.behavior.starts
    signal = name_of(AbstractSignal, config.replay.signal)
    if ENSEMBLE in needs - config.explore.offers():
        raise ConfigError(
            f"replay.signal {signal!r} needs an ensemble: add --explore plan2explore, or use "
            "--replay.signal kl."
        )
    if DREAMS in needs and starts not in (0, config.train.length):
        raise ConfigError(
            f"replay.signal {signal!r} needs a dream from every trained row, and "
            f"behavior.starts is {starts}: set it to 0, or use kl."
        )


def _check_shares(config: Config) -> None:
    shares = config.replay.shares
    for name, count in (("env.num", config.env.num), ("train.batch", config.train.batch)):
        if count % shares:
            near = " or ".join(str(number) for number in nearest(shares, count))
            raise ConfigError(
                f"replay.shares ({shares}) must divide {name} ({count}): take {near} shares, or "
                f"{name} {(count // shares + 1) * shares}."
            )


def _check_needs(config: Config) -> None:
    """What any part needs of the others, those of other packages included."""
    facts = {LATENTS: config.replay.context > 0}
    facts[DREAMS] = config.behavior.starts in (0, config.train.length)
    offered = frozenset(need for need, there in facts.items() if there)
    check_needs([*claims(config), Claim("", "", frozenset(), offered)])
