"""A run whose numbers stopped being finite: how that is noticed, told, and mended.

Everything is read off the metrics that every update gives anyway. Normalisation layers hide
enormous parameters (their outputs stay of size one, and where pictures are all that is decoded,
every loss stays finite): therefore the size of the parameters counts too.
"""

import contextlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reverie import files
from reverie.config.schema import Config
from reverie.folder.errors import Diverged, RunError
from reverie.module import named_leaves

LARGEST_PARAMETER = 1e3
"""Root mean square of all parameters that no healthy agent reaches: all presets begin and end
below 1. (A loss has no such bound: huge rewards and observations make huge losses, and clipping
keeps what is learned from them small.)"""

MARKER = "diverged.json"
RATES = ("optim.lr", *(f"optim.{group}.lr" for group in ("world", "actor", "critic", "ensemble")))
MENDING = (*RATES, "world.balance.lr", "device.precision")
"""Settings that a run may change after such a stop."""


def is_sound(values: Mapping[str, float]) -> bool:
    """Whether all metrics of an update are finite, and its parameters of a size that occurs."""
    small = values.get("train/param_rms", 0.0) <= LARGEST_PARAMETER
    return small and all(map(math.isfinite, values.values()))


def diagnosis(values: Mapping[str, float], agent: Any, config: Config) -> str:
    """What is wrong with the numbers of an update, in one sentence; "" if nothing is.

    Args:
        values: its metrics by name.
        agent: parameters after it or after the one that followed.
        config: for the advice.
    """
    update = int(values.get("train/updates", 0))
    broken = [name for name, value in values.items() if not math.isfinite(value)]
    if broken:
        losses = [name for name in broken if name.startswith("loss/")]
        what = f"numbers that are not finite in {', '.join(losses or broken)}"
        return _sentence(f"update {update} gave {what}", agent, config)
    size = values.get("train/param_rms", 0.0)
    if size > LARGEST_PARAMETER:
        what = f"update {update} made the parameters absurdly large (root mean square {size:.3g})"
        return _sentence(what, agent, config)
    return ""


def _sentence(found: str, agent: Any, config: Config) -> str:
    lost, large = _tensors(agent)
    named = lost or large
    how = "no longer finite" if lost else "of absurd size"
    more = f" and {len(named) - 5} more" if len(named) > 5 else ""
    tensors = f"; parameters {how}: {', '.join(named[:5])}{more}" if named else ""
    precise = ", use --device.precision f32" if config.device.precision == "bf16" else ""
    return (
        f"{found}{tensors}. The run stops; the checkpoint before it is intact. Lower "
        f"{_rates(named, config)}{precise}, or look for extreme observations and rewards, then "
        "resume."
    )


def _tensors(agent: Any) -> tuple[list[str], list[str]]:
    """Names of the tensors that are not finite, and of those that are too large."""
    lost, large = [], []
    for name, leaf in named_leaves(agent).items():
        size = math.sqrt(float(np.mean(np.square(np.asarray(leaf, np.float64)))))
        if not math.isfinite(size):
            lost.append(name)
        elif size > LARGEST_PARAMETER:
            large.append(name)
    return lost, large


def _rates(tensors: list[str], config: Config) -> str:
    """The learning rates of the optimisers in use that moved these tensors."""
    parts = {
        "actor.": "actor",
        "critic.": "critic",
        "explorer.actor.": "explorer_actor",
        "explorer.critic.": "explorer_critic",
        "explorer.ensemble.": "ensemble",
    }
    groups = {
        next((group for start, group in parts.items() if name.startswith(start)), "world")
        for name in tensors
    } or {"world"}
    ordered = [group for group in ("world", *parts.values()) if group in groups]
    return " and ".join(dict.fromkeys(config.optim.peak(group)[0] for group in ordered))


@contextlib.contextmanager
def marked(logdir: Path) -> Iterator[None]:
    """A stop on bad numbers inside is noted in the run folder, if its disk lets us."""
    try:
        yield
    except Diverged as error:
        with contextlib.suppress(OSError):
            record = json.dumps({"reason": str(error)}).encode()
            partial = logdir / f".partial-{MARKER}"
            files.replace(logdir / MARKER, record, partial=partial)
        raise


def stopped(logdir: Path) -> bool:
    """Whether the run stopped on its numbers and has not been saved since."""
    return (logdir / MARKER).is_file()


def forget(logdir: Path) -> None:
    """The run is saved again: its settings are as fixed as before."""
    try:
        (logdir / MARKER).unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"cannot remove {logdir / MARKER}: {error.strerror}.") from error


def notice(step: int, changes: Mapping[str, Any]) -> str:
    """What is said of settings (dotted path -> [before, now]) that a resumed run has otherwise."""
    told = ", ".join(f"{path} {now!r} instead of {old!r}" for path, (old, now) in changes.items())
    why = "this run stopped on numbers that were not finite or absurd; "
    why = why if any(path in MENDING for path in changes) else ""
    return f"{why}from step {step:,} on it has {told}. config.json records the change."
