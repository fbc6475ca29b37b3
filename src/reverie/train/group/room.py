"""How many seeds the memory holds."""

import jax

from reverie.folder.errors import RunError
from reverie.replay.store import available_bytes
from reverie.train.group.apart import is_apart
from reverie.train.loop import Run
from reverie.train.plan import Plan, size

STATES = 2
"""How often a learner's arrays are held: its own, and while a checkpoint of it is written; once
more where they are stacked."""


def check_host(run: Run, seeds: int) -> None:
    """Raises RunError where replays and learners of so many seeds like `run` exceed the memory."""
    free = available_bytes()
    states = STATES if is_apart(run) else STATES + 1
    one = run.replay.planned_bytes + states * run.learner.nbytes
    if run.device is not None and jax.default_backend() == "cpu":
        one += run.device.nbytes
    if free is not None and seeds * one > free:
        raise RunError(_sentence(seeds, one, free, "memory"))
    if run.device is not None:
        run.device.check_memory(seeds)


def check_plan(plan: Plan) -> None:
    """The same when the update is compiled, which says how much the device must hold."""
    stats = jax.local_devices()[0].memory_stats() or {}
    limit, one = stats.get("bytes_limit"), plan.device_bytes // plan.seeds
    if limit is not None and plan.device_bytes > limit:
        raise RunError(_sentence(plan.seeds, one, limit, "device memory"))


def _sentence(seeds: int, one: int, free: int, what: str) -> str:
    fit = free // one
    remedy = f"at most {fit} fit at once" if fit else "not even one fits"
    less = "give --seeds fewer at a time" if fit > 1 else "lower --size or --replay.capacity"
    return (
        f"{seeds} seeds in one process would need {size(seeds * one)} of {what} ({size(one)} "
        f"each), and {size(free)} are free: {remedy}; {less}, or --no-together runs one after "
        "another."
    )
