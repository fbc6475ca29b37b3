"""What a run will need, computed before its first step."""

import functools as ft
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp

from reverie.config.schema import Config
from reverie.folder.errors import RunError
from reverie.machine.flops import best_speed, count_flops
from reverie.machine.readings import peak_bytes, resident_bytes
from reverie.module import count_params
from reverie.replay.rows import Columns, is_latent, row_bytes
from reverie.replay.shares import AnyReplay
from reverie.train.compiling import Compiled
from reverie.train.learner import Learner, packed_step
from reverie.train.losses import compute_dtype
from reverie.train.state import TrainState

ATTAINED = 0.5
"""Share of the machine's matrix speed that an update reaches (a CPU: 0.4 at 1m, 0.7 at 12m)."""

LAUNCH = 150e-6
"""Seconds that an accelerator takes at least for one step of a loop: its kernels are started one
by one. From 22 ms an update that others report for size 1m; not measured by us."""


NAME_BYTES = 350
"""Bytes that a checkpoint spends on the name, shape and place of a tensor."""


class Plan(NamedTuple):
    """Predicted needs of a whole run."""

    params: int  # trainable scalars
    host_bytes: int  # replay
    device_bytes: int  # learner, batch and temporaries of the update; of each device of a mesh
    disk_bytes: int  # replay files and checkpoints
    updates: float
    update_flops: float
    seconds: float  # learning alone, if the update runs at the measured matrix speed
    compile_seconds: float
    prefill: int = 0  # environment steps of random actions that are left
    pretrain: int = 0  # updates right after them
    runtime_bytes: int = 0  # host: Python, JAX, compiler and programs, and on a CPU the learner
    update_bytes: int = 0  # host: what an update or a checkpoint takes for a while
    peak_bytes: int = 0  # host: the most that this process took before, for its compiler
    devices: int = 1  # that one learner is spread over
    rows_bytes: int = 0  # device: rows of the replay, where the loop runs there
    seeds: int = 1  # that share the process, the update and all of the above but `params`
    flags: str = ""  # of XLA, the user's and those of `device`

    @property
    def total_bytes(self) -> int:
        """Host memory of this process at most; 0 where the system does not tell its own."""
        if not self.runtime_bytes:
            return 0
        return max(self.runtime_bytes + self.host_bytes + self.update_bytes, self.peak_bytes)

    def rows(self) -> list[tuple[str, str]]:
        """Lines for the banner: what, how much."""
        shared = [("seeds", f"{self.seeds} in one process")] if self.seeds > 1 else []
        return [
            *shared,
            ("parameters", f"{self.params:,}{' a seed' if shared else ''}"),
            ("host memory", self._host()),
            ("device memory", self._device()),
            ("disk", f"{size(self.disk_bytes)} when the run is full"),
            *self._first(),
            ("updates", self._updates()),
            ("learning", f"about {duration(self.seconds)}, predicted from the matrix speed"),
            ("compiled", f"in {self.compile_seconds:.1f} s (cached for the next run)"),
            *([("XLA_FLAGS", self.flags)] if self.flags else []),
        ]

    def _updates(self) -> str:
        all_seeds = " for all seeds at once" if self.seeds > 1 else ""
        flops = f"{self.update_flops / 1e9:,.1f} GFLOP each"
        return f"{self.updates:,.0f}{all_seeds} of {flops}"

    def _device(self) -> str:
        each = f", on each of {self.devices} devices" if self.devices > 1 else ""
        rows = f", {size(self.rows_bytes)} of it the replay's rows" if self.rows_bytes else ""
        return f"{size(self.device_bytes)} for the learner{each}{rows}"

    def _host(self) -> str:
        replay = f"{size(self.host_bytes)} for the full replay"
        if not self.total_bytes:
            return replay
        return (
            f"{size(self.total_bytes)}: {replay}, {size(self.runtime_bytes)} that the runtime "
            f"(JAX, the programs) holds now, {size(self.update_bytes)} for a while; "
            f"{size(self.peak_bytes)} at most until now"
        )

    def outcome(self, peak: int) -> str:
        """What was planned beside what was taken: `peak`, bytes of this process."""
        return f"host memory: {size(self.total_bytes)} planned, {size(peak)} at most taken."

    def _first(self) -> list[tuple[str, str]]:
        """What happens before the usual alternation of steps and updates."""
        then = f", then {self.pretrain:,} updates at once" if self.pretrain else ""
        random = f"{self.prefill:,} steps and until an episode has ended"
        return [("first", f"random actions for {random}{then}")] if self.prefill else []


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.3g} {unit}" if unit != "GB" else f"{count:,.2f} GB"
        count /= 1000
    raise AssertionError


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours" if seconds < 172_800 else f"{seconds / 86_400:,.0f} days"


def make_plan(
    config: Config,
    learner: Learner,
    replay: AnyReplay,
    update: Compiled,
    steps_left: int,
    *,
    seeds: int = 1,
    rows_bytes: int = 0,
) -> Plan:
    """What the rest of the run needs, from its compiled update.

    Args:
        learner: of one seed, and so is `replay`.
        update: of all `seeds` at once.
        rows_bytes: what the rows of one replay take there; 0 in the loop of the host.
    """
    options = config.train
    prefill = max(0, options.prefill - (config.steps - steps_left))
    pretrain = options.pretrain if steps_left == config.steps or prefill else 0
    shape = config.device.mesh_shape
    devices = 1 if shape is None else shape.devices
    updates = (steps_left - prefill) * options.ratio / (options.batch * options.length) + pretrain
    return Plan(
        params=count_params(learner.train_state.agent),
        host_bytes=seeds * replay.planned_bytes,
        device_bytes=update.nbytes or seeds * learner.nbytes,
        disk_bytes=seeds * disk_bytes(config, learner, replay),
        updates=updates,
        update_flops=update.flops,
        seconds=updates * update_seconds(config, update.flops // devices),
        compile_seconds=update.seconds,
        prefill=prefill,
        pretrain=pretrain,
        runtime_bytes=max(resident_bytes() - seeds * replay.live_bytes, 0),
        update_bytes=max(2 * seeds * learner.nbytes, _scratch(update)),
        devices=devices,
        seeds=seeds,
        rows_bytes=seeds * rows_bytes,
        peak_bytes=peak_bytes(),
        flags=os.environ.get("XLA_FLAGS", ""),
    )


def _scratch(update: Compiled) -> int:
    """Host memory of an update while it runs; on an accelerator it is the device's."""
    return update.scratch if jax.default_backend() == "cpu" else 0


def disk_bytes(config: Config, learner: Learner, replay: AnyReplay) -> int:
    """Disk that replay and checkpoints take at most: while one more than `train.keep` is written.

    Updates rewrite latents everywhere, so every checkpoint has latents of its own; the other
    columns of a row are shared, but for the file that was not yet full. Where retention lets units
    go from anywhere, no file need be shared.
    """
    row = row_bytes(replay.columns)
    latents = sum(column.nbytes for name, column in replay.columns.items() if is_latent(name))
    tensors = len(jax.tree.leaves((learner.train_state, learner.acting, learner.newest)))
    own = replay.planned_bytes // row * latents + config.replay.chunk * row
    if replay.wraps:
        own = replay.disk_bytes
    own += config.train.batch * config.train.length * latents  # of the update in flight
    own += learner.nbytes + NAME_BYTES * tensors
    return replay.disk_bytes + own * (config.train.keep + 1)


def update_flops(config: Config, state: TrainState, columns: Columns) -> int:
    """Arithmetic of one update of one seed (`count_flops`), from shapes alone.

    Args:
        state: shapes of the learner's state.
        columns: of the rows that it learns from.
    """
    batch = (config.train.batch, config.replay.context + config.train.length)
    rows = {k: jax.ShapeDtypeStruct((*batch, *c.shape), c.dtype) for k, c in columns.items()}
    fixed = config.optim.numbers(config.world.balance.sigma_lr)
    numbers = {name: jnp.float32(value) for name, value in fixed.items()}
    step = ft.partial(packed_step, config=config)
    return count_flops(jax.make_jaxpr(step)(state, rows, jax.random.key(0), numbers))


def update_seconds(config: Config, flops: int) -> float:
    """Predicted time of one update: the arithmetic of a device, and the launches of steps that must
    wait; the messages between the devices of a mesh are left out."""
    arithmetic = flops / (ATTAINED * best_speed(compute_dtype(config.device.precision)))
    if jax.default_backend() == "cpu":
        return arithmetic
    return arithmetic + LAUNCH * (2 * config.train.length + config.behavior.imagine)


def check_disk(logdir: Path, needed: int) -> None:
    """Raises RunError if the disk of the run folder cannot take `needed` bytes (`disk_bytes`).

    What an earlier part of the run has written there already counts as taken.
    """
    free = shutil.disk_usage(logdir).free + used_bytes(logdir)
    if needed > free:
        raise RunError(
            f"the run would need {size(needed)} of disk in {logdir}, {size(free)} are "
            "free: lower --replay.capacity or --steps, or choose a --logdir on another disk."
        )


def used_bytes(logdir: Path) -> int:
    """Bytes of the replay files and checkpoints of a run folder."""
    files = [p for part in ("replay", "checkpoints") for p in (logdir / part).rglob("*")]
    return sum(path.stat().st_size for path in files if path.is_file())
