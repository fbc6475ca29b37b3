"""What the loop on the device cannot do, and what it is for: one sentence each."""

from collections.abc import Iterator

import jax

from reverie.behavior.bonus import AbstractBonus
from reverie.config.schema import Config
from reverie.envs import registry
from reverie.envs.catalog import parse
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError
from reverie.part.part import name_of
from reverie.replay.signal import AbstractSignal
from reverie.replay.store import available_bytes
from reverie.replay.unit import AbstractUnit, Row
from reverie.train.sequence import MakeEnv

SHARE = 0.9
"""Share of the device's memory that the rows may take: the learner needs some too."""

HOST = "or leave --loop out (host)"


def check(config: Config, make_env: MakeEnv) -> None:
    """Raises ConfigError where `config` asks for something that runs on the host alone; EnvError
    for an unknown task."""
    _check_task(config, make_env)
    for path, value, remedy in _hindrances(config):
        raise ConfigError(f"--loop device does not go with {path} {value}: {remedy}, {HOST}.")


def _check_task(config: Config, make_env: MakeEnv) -> None:
    if config.sequence.tasks:
        raise ConfigError(
            "--loop device is for one task, and this is a sequence of "
            f"{len(config.sequence.tasks)}: leave --loop out (host)."
        )
    suite = "" if make_env is not None or ":" in config.task else parse(config.task)[0]
    if suite and registry.row(suite).compiled:
        return
    names = [name for name, row in registry.every().items() if row.compiled]
    raise ConfigError(
        f"--loop device needs an environment of pure JAX functions, and {config.task!r} is none: "
        f"the suites that are: {', '.join(names)} (tasks: `reverie tasks SUITE`; your own: a suite "
        "with compiled=True, docs/environments.md). Choose one of their tasks, "
        f"{HOST}."
    )


def _hindrances(config: Config) -> Iterator[tuple[str, str, str]]:
    """Options in the way: path, value, and what to do."""
    replay = config.replay
    if not isinstance(replay.unit, Row):
        name = name_of(AbstractUnit, replay.unit)
        yield "replay.unit", repr(name), "the ring on the device keeps rows: set --replay.unit row"
    if replay.signal.sweep[0]:
        name = name_of(AbstractSignal, replay.signal)
        what = "set it to 0"
        yield "replay.signal.sweep_every", f"{replay.signal.sweep[0]} of {name!r}", what
    if replay.shares > 1:
        yield "replay.shares", str(replay.shares), "the ring on the device is whole: set it to 1"
    if config.device.mesh:
        yield "device.mesh", repr(config.device.mesh), "it runs on one device"
    if config.bonus.active:
        yield (
            "bonus",
            repr(name_of(AbstractBonus, config.bonus)),
            "visits are counted on the host: set --bonus none",
        )


def check_memory(nbytes: int, rows: int, seeds: int = 1) -> None:
    """Raises RunError where `rows` rows of each seed, of `nbytes` a seed, do not fit the device's
    memory."""
    stats = jax.local_devices()[0].memory_stats() or {}
    limit, every = stats.get("bytes_limit", available_bytes()), seeds * nbytes
    if limit is None or every <= SHARE * limit:
        return
    fit = int(SHARE * limit / every * rows)
    of_all = f" for each of {seeds} seeds" if seeds > 1 else ""
    fewer = "give --seeds fewer at a time, " if seeds > 1 else ""
    raise RunError(
        f"--loop device would keep {rows:,} rows of the replay{of_all}, {every / 1e9:.2f} GB, in "
        f"the device's memory, which holds {limit / 1e9:.2f} GB: set --replay.capacity {fit} or "
        f"less, {fewer}{HOST}."
    )
