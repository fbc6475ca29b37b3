"""What a checkpoint of a run holds: the state of every station, and how it is put back."""

from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from reverie.folder import divergence
from reverie.folder.errors import Damaged
from reverie.records import specs_from_json, specs_to_json
from reverie.replay import shares
from reverie.train import checkpoint, parts, recovery
from reverie.train.metrics_prefix import METRICS, check_metrics
from reverie.train.recovery import folders

if TYPE_CHECKING:
    from reverie.train.loop import Run


def save(run: "Run") -> Path:
    """Write a checkpoint, whose folder comes back, and delete what no kept checkpoint needs.

    Raises RunError or ReplayError if the disk refuses, or if the newest update's numbers are not
    finite (Diverged); earlier checkpoints are intact then.
    """
    checkpoints, files = folders(run.logdir)
    run.learner.check()
    if run.device is not None:
        run.device.bring_home()
    shared = {}
    if run.peers.count > 1:
        shared = parts.gathered(run, parts.own(run, files))
    if shared is None:  # the first process writes
        return Path(run.peers.gather("")[0])
    pending = shared.pop("pending", None)
    tree = {
        **{name: part.state() for name, part in stateful(run).items() if name not in shared},
        **(shared or {"envs": run.envs.state(), "replay": run.replay.save(files)}),
        "logger": run.logger.state(),
        "clocks": clocks(run),
        "specs": {
            "obs": specs_to_json(run.envs.obs_specs),
            "action": specs_to_json(run.envs.action_specs),
        },
        "spaces": run.envs.own_spaces,
    }
    if shared:
        tree["learner"]["pending"] = pending
    path = checkpoint.save(checkpoints, run.step, tree, {METRICS: tree["logger"]})
    divergence.forget(run.logdir)
    checkpoint.prune(checkpoints, run.config.train.keep)
    manifests = checkpoint.replay_manifests(checkpoints)
    if manifests is not None:
        shares.prune(files, manifests)
    run.peers.gather(str(path))
    return path


class Stateful(Protocol):
    """Whatever goes on after a resume as if nothing had happened."""

    def state(self) -> dict[str, Any]:
        """All that `load` needs, as a tree of JSON values and arrays."""
        ...

    def load(self, state: Any) -> Any:
        """Continue where `state` was taken."""
        ...


def stateful(run: "Run") -> dict[str, Stateful]:
    """The parts of a run that are saved and put back alike, under their names in a checkpoint.

    Three more have something of their own to say: the replay has files beside its state, the
    environments tell which open episodes cannot be rebuilt, and the logger is made where it was.
    """
    return {
        "learner": run.learner,
        "actor": run.actor,
        "episodes": run.episodes,
        "places": run.visit_counts,
        "ratio": run.ratio,
        "mean": run.mean,
        "callbacks": run.callbacks,
    }


SINCE = ("places", "callbacks")
"""Parts that checkpoints of runs without them did not hold."""


def clocks(run: "Run") -> dict[str, Any]:
    """Counters of the loop, and what it is about to do."""
    return {
        "step": run.step,
        "due": run.due,
        "updates": run.updates,
        "ended": run.ended,
        "chores": list(run.chores),
        "visit": run.visit,
        "restarted": run.restarted,
        "seconds": run.stopwatch.elapsed(),
    }


def begin(run: "Run", from_step: int | None, changes: Mapping[str, Any]) -> int | None:
    """Put `run` where its newest checkpoint, or that of `from_step`, was taken.

    `changes`: settings that differ from those before (see `folder/divergence.py`).

    Returns the length of metrics.jsonl at that moment; None if there is no checkpoint.
    Raises RunError or ReplayError, naming an earlier checkpoint that is whole, if it is damaged.
    """
    path = recovery.choose(run.logdir, from_step)
    if changes:
        step = 0 if path is None else checkpoint.step_of(path)
        run.notices.append(divergence.notice(step, changes))
    if path is None:
        return None
    with recovery.advised(run.logdir, path):
        offset = resume(run, path)
        try:
            check_metrics(run.logdir, path)
        except Damaged as error:
            if from_step is None:
                raise
            run.notices.append(f"{error} It goes on as it is.")
    run.peers.gather("read")
    if from_step is not None and not run.peers.index:
        recovery.rewind(run.logdir, path)
    return offset


def beyond(run: "Run", from_step: int | None) -> str:
    """What is said where the checkpoint to resume from has more steps than are asked for; "" where
    it has not. Raises RunError as `begin` does."""
    path = recovery.choose(run.logdir, from_step)
    step, steps = 0 if path is None else checkpoint.step_of(path), run.config.steps
    if step - steps < run.num:  # the last turn may go a little beyond
        return ""
    return (
        f"this run is further than {steps:,} steps: it stands at step {step:,}, so nothing is "
        "done. Give more --steps to go on, --from STEP to go back to an earlier checkpoint, or "
        "another --logdir for a new run."
    )


def resume(run: "Run", path: Path | None = None) -> int | None:
    """Put `run` where the checkpoint `path` (None: the newest) was taken.

    Returns the length of metrics.jsonl at that moment; None if there is no checkpoint.
    Raises RunError, ReplayError or EnvError if the checkpoint cannot be read or is of another run.
    """
    path = path or recovery.choose(run.logdir)
    if path is None:
        return None
    tree = checkpoint.load(path)
    with checkpoint.reading(path):
        check_kinds(tree)
        if run.peers.count > 1:
            tree = parts.part_of(tree, run.peers.index, run.peers.count)
        _restore(run, tree, f"when {path} was written")
        run.callbacks.resumed(path)
        run.notices = [
            f"resumed at step {run.step:,}.",
            *_rebuild(run, tree["envs"]),
            *run.notices,
        ]
    if not checkpoint.has_manifest(path):
        run.notices.append(
            f"the checkpoint {path} is one of version 0.1 and carries no digests: damage in it "
            "cannot be noticed. The next ones do."
        )
    return tree["logger"]["offset"]


COUNT, TREE = (int,), (dict,)
KINDS: dict[str, tuple[type, ...]] = {
    "clocks/step": COUNT,
    "clocks/due": COUNT,
    "clocks/updates": COUNT,
    "clocks/chores": (list,),
    "clocks/seconds": (int, float),
    "learner/state": TREE,
    "learner/acting": TREE,
    "learner/newest": TREE,
    "learner/pending": (dict, NoneType),
    "actor/action": TREE,
    "actor/count": COUNT,
    "episodes/returns": (np.ndarray,),
    "episodes/lengths": (np.ndarray,),
    "envs/envs": (list,),
    "replay": TREE,
    "ratio": TREE,
    "mean/sums": TREE,
    "mean/counts": TREE,
    "logger/offset": COUNT,
    "specs/obs": TREE,
    "specs/action": TREE,
}
"""What a checkpoint must hold at these places, so that nothing wrong is noticed hours later."""


def check_kinds(tree: Any) -> None:
    """Raises TypeError naming the first place of a checkpoint's tree that holds another kind."""
    for place, kinds in KINDS.items():
        value = tree
        for name in place.split("/"):
            if not isinstance(value, dict) or name not in value:
                raise TypeError(f"state.json lacks {place}")
            value = value[name]
        if not isinstance(value, kinds) or isinstance(value, bool):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise TypeError(f"{place} is {type(value).__name__}, expected {wanted}")
        if kinds == COUNT and value < 0:
            raise ValueError(f"{place} is {value}, expected at least 0")
    if not all(isinstance(chore, str) for chore in tree["clocks"]["chores"]):
        raise TypeError("clocks/chores holds something else than texts")


def _restore(run: "Run", tree: dict[str, Any], when: str) -> None:
    counts = tree["clocks"]
    if counts.get("visit"):
        run.enter(counts["visit"])
    run.restarted = counts.get("restarted", 0)
    there = {side: specs_from_json(tree["specs"][side]) for side in ("obs", "action")}
    here = {"obs": run.envs.obs_specs, "action": run.envs.action_specs}
    checkpoint.check_specs(there, here, when)
    for name, part in stateful(run).items():
        if name in tree or name not in SINCE:
            part.load(tree[name])
    run.replay.load(folders(run.logdir)[1], tree["replay"])
    run.step, run.due, run.updates = counts["step"], counts["due"], counts["updates"]
    run.ended = counts.get("ended", 1)  # absent where a run knew no prefill, and had none
    run.chores = list(counts["chores"])
    run.stopwatch.resume(counts["seconds"], run.step, run.updates)


def _rebuild(run: "Run", envs: dict[str, Any]) -> list[str]:
    """Replay the open episodes; a sentence if some cannot be rebuilt."""
    lost = [str(index) for index, same in enumerate(run.envs.load(envs)) if not same]
    if not lost:
        return []
    return [
        f"the open episode of environment {', '.join(lost)} cannot be rebuilt: the environment "
        "does not repeat itself for the same seed and actions. A new episode begins there, and "
        "the run goes on with other numbers than it would have had."
    ]
