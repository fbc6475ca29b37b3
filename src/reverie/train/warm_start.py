"""The weights of another run as the beginning of a new one.

Its folder may be anybody's: only arrays are read, by name and shape, and nothing in it is obeyed.
Optimiser, update counter and loss balance start afresh; the slow critics and the scale of returns
belong to their critics and come with them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from reverie.config.start import Start
from reverie.folder import run_folder
from reverie.folder.errors import RunError
from reverie.module import named_leaves
from reverie.train import checkpoint, chosen, weights

if TYPE_CHECKING:
    from reverie.train.loop import Run

GROUPS = {
    "agent.world.": "world",
    "agent.actor.": "actor",
    "agent.critic.": "critic",
    "slow_critic.": "critic",
    "agent.explorer.actor.": "explorer's actor",
    "agent.explorer.": "explorer",
    "memory.slow_critic.": "explorer",
}
"""Groups of weights by the beginnings of their names; the first that fits."""

SCALES = {"returns": "critic", "rewards": "critic", "memory.returns": "explorer"}
SCALES |= {"memory.rewards": "explorer"}
"""What is remembered beside weights, by the group that it goes with; fresh where it differs."""

TAKEN = {
    "all": ("world", "critic", "actor", "explorer", "explorer's actor"),
    "world": ("world",),
    "without_actor": ("world", "critic", "explorer"),
}
SHOWN = 3
"""Tensors that do not fit and are named."""


def begin(run: "Run", start: Start | None, *, resumed: bool) -> dict[str, Any]:
    """What config.json says of the weights that `run` began from; where it begins now, they are
    taken. {}: fresh ones.

    Raises RunError where they do not fit or cannot be read, or where a run that is there already
    began from others.
    """
    if not resumed:
        return {} if start is None else _take(run, start)
    there = run_folder.read_init(run.logdir / "config.json")
    if start is not None and {k: there.get(k) for k in start.told()} != start.told():
        began = f"from {there.get('run')} ({there.get('take')})" if there else "from fresh weights"
        raise RunError(
            f"the run folder {run.logdir} holds a run that began {began}: --init {start.run} "
            f"({start.take}) would start a new one. Give another --logdir, or leave --init out to "
            "go on."
        )
    return there


def _take(run: "Run", start: Start) -> dict[str, Any]:
    if run.logdir.resolve() in (start.run.resolve(), *start.run.resolve().parents):
        raise RunError(f"--init {start.run} is this run's own folder: name another run's.")
    path = _checkpoint(start.run)
    wanted, saved = named_leaves(run.learner.train_state), _arrays(path)
    groups = [group for group in TAKEN[start.take] if _has(wanted, group)]
    groups = [group for group in groups if _has(saved, group) or not group.startswith("explorer")]
    step = weights.step_of(path)
    taken = _fitting(wanted, saved, groups, f"{start.run} (step {step:,})")
    leaves = [jnp.array(taken.get(name, leaf)) for name, leaf in wanted.items()]
    structure = jax.tree.structure(run.learner.train_state)
    run.learner.begin_from(jax.tree.unflatten(structure, leaves))
    rest = [group for group in TAKEN["all"] if group not in groups and _has(wanted, group)]
    count = sum(int(np.size(array)) for array in taken.values())
    run.notices.append(
        f"it starts from the weights of {start.run} (step {step:,}): "
        f"{len(taken)} tensors of {', '.join(groups)} with {count:,} numbers are taken; fresh are "
        f"{', '.join([*rest, 'the optimiser'])}."
    )
    return start.told() | {"step": step, "taken": list(taken), "fresh": rest}


def _has(names: Mapping[str, Any], group: str) -> bool:
    return any(_group(name) == group for name in names)


def _group(name: str) -> str:
    return next((group for begin, group in GROUPS.items() if name.startswith(begin)), "")


def _checkpoint(folder: Path) -> Path:
    """The checkpoint that a run folder, a folder of checkpoints, or its own path means."""
    if checkpoint.is_one(folder):
        return folder
    return next(reversed(checkpoint.complete(folder)), None) or chosen.choose(folder)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a learner by name. Raises RunError where the checkpoint holds none."""
    tree = weights.read(path)
    with weights.reading(path):
        state = tree["learner"]["state"]
        wrong = [name for name, value in state.items() if not isinstance(value, np.ndarray)]
        if wrong:
            raise TypeError(f"{wrong[0]} of the learner is no array")
    return weights.learned(tree)


def _fitting(
    wanted: Mapping[str, Any], saved: Mapping[str, np.ndarray], groups: list[str], where: str
) -> dict[str, np.ndarray]:
    """The saved arrays of `groups`, and the scales that go with them.

    Raises RunError naming weights that do not fit or are not finite.
    """
    names = [name for name in {**wanted, **saved} if _group(name) in groups]
    wrong = [name for name in names if _shape(wanted.get(name)) != _shape(saved.get(name))]
    if wrong:
        told = [
            f"{name} is {_shape(saved.get(name))} there and {_shape(wanted.get(name))} here"
            for name in wrong[:SHOWN]
        ]
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise RunError(
            f"the weights of {where} do not fit: {'; '.join(told)}{more}, {len(wrong)} of "
            f"{len(names)} tensors. Nothing was started: give this run the options of that one, "
            "or take less with --init_take world or without_actor."
        )
    broken = [name for name in names if not np.isfinite(saved[name].astype(np.float64)).all()]
    if broken:
        raise RunError(f"the weights of {where} are not finite in {broken[0]}: take another run.")
    scales = {group: _scale(wanted, saved, group) for group in SCALES if SCALES[group] in groups}
    return {name: saved[name] for name in names} | {
        name: saved[name] for found in scales.values() for name in found
    }


def _scale(wanted: Mapping[str, Any], saved: Mapping[str, np.ndarray], start: str) -> list[str]:
    """Names of what a scale remembers, where it is of one kind on both sides."""
    here, there = (
        {n: _shape(v) for n, v in side.items() if n == start or n.startswith(f"{start}.")}
        for side in (wanted, saved)
    )
    return list(here) if here == there else []


def _shape(array: Any) -> str:
    return "missing" if array is None else f"{array.dtype}{tuple(array.shape)}"
