"""What a checkpoint of a run holds: the state of every station, and how it is put back."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.records import specs_from_json, specs_to_json
from reverie.replay.files import prune as prune_files
from reverie.replay.keep import Ticket
from reverie.train import checkpoint

if TYPE_CHECKING:
    from reverie.train.loop import Run


def folders(logdir: Path) -> tuple[Path, Path]:
    """Where a run's checkpoints and its replay files are."""
    return logdir / "checkpoints", logdir / "replay"


def save(run: "Run") -> None:
    """Write a checkpoint and delete what no kept checkpoint needs.

    Raises RunError or ReplayError if the disk refuses, or if the newest update's numbers are not
    finite; earlier checkpoints are intact then.
    """
    checkpoints, files = folders(run.logdir)
    run.learner.check()
    tree = {
        "learner": run.learner.saved(),
        "actor": run.actor.saved(),
        "episodes": run.episodes.saved(),
        "envs": run.envs.state(),
        "replay": run.replay.save(files),
        "places": run.visit_counts.saved(),
        "ratio": run.ratio.state(),
        "mean": run.mean.state(),
        "logger": run.logger.state(),
        "clocks": clocks(run),
        "specs": {
            "obs": specs_to_json(run.envs.obs_specs),
            "action": specs_to_json(run.envs.action_specs),
        },
    }
    checkpoint.save(checkpoints, run.step, tree)
    checkpoint.prune(checkpoints, run.config.train.keep)
    manifests = checkpoint.replay_manifests(checkpoints)
    if manifests is not None:
        prune_files(files, manifests)


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


def resume(run: "Run") -> int | None:
    """Put `run` where its newest complete checkpoint was taken.

    Returns the length of metrics.jsonl at that moment; None if there is no checkpoint.
    Raises RunError, ReplayError or EnvError if the checkpoint cannot be read or is of another run.
    """
    found = checkpoint.complete(folders(run.logdir)[0])
    if not found:
        return None
    tree = checkpoint.load(found[-1])
    counts = tree["clocks"]
    if counts.get("visit"):
        run.enter(counts["visit"])
    run.restarted = counts.get("restarted", 0)
    there = {side: specs_from_json(tree["specs"][side]) for side in ("obs", "action")}
    here = {"obs": run.envs.obs_specs, "action": run.envs.action_specs}
    checkpoint.check_specs(there, here, f"when {found[-1]} was written")
    run.learner.restore(tree["learner"], Ticket)
    run.actor.restore(tree["actor"], run.learner.acting)
    run.episodes.restore(tree["episodes"])
    run.replay.load(folders(run.logdir)[1], tree["replay"])
    run.ratio.load(tree["ratio"])
    if "places" in tree:
        run.visit_counts.restore(tree["places"])
    run.mean.load(tree["mean"])
    run.step, run.due, run.updates = counts["step"], counts["due"], counts["updates"]
    run.ended = counts.get("ended", 1)  # absent where a run knew no prefill, and had none
    run.chores = list(counts["chores"])
    run.stopwatch.resume(counts["seconds"], run.step, run.updates)
    run.notices = [f"resumed at step {run.step:,}.", *_rebuild(run, tree["envs"])]
    return tree["logger"]["offset"]


def _rebuild(run: "Run", envs: dict[str, Any]) -> list[str]:
    """Replay the open episodes; a sentence if some cannot be rebuilt."""
    lost = [str(index) for index, same in enumerate(run.envs.restore(envs)) if not same]
    if not lost:
        return []
    return [
        f"the open episode of environment {', '.join(lost)} cannot be rebuilt: the environment "
        "does not repeat itself for the same seed and actions. A new episode begins there, and "
        "the run goes on with other numbers than it would have had."
    ]
