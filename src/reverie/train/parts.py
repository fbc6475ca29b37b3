"""A checkpoint of several processes: their parts of it, joined into the tree of one, and back.

What belongs to environments and to sequences is joined along its first axis; everything else is the
same in all processes, or kept by the first. The tree does not tell how many they were.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reverie.replay.shares import SHARES
from reverie.train import checkpoint

if TYPE_CHECKING:
    from reverie.train.loop import Run


def own(run: "Run", files: Path) -> dict[str, Any]:
    """What this process alone knows: its environments, its replay, its rows of the update."""
    pending = run.learner.pending_state()
    if pending is not None:
        first = run.peers.index * run.envs.num
        stream, row = pending["ticket"]
        pending["ticket"] = [stream + first, row]
    return {
        "actor": run.actor.state(),
        "envs": run.envs.state(),
        "episodes": run.episodes.state(),
        "pending": pending,
        "replay": run.replay.save(files),
    }


def gathered(run: "Run", part: Mapping[str, Any]) -> dict[str, Any] | None:
    """The parts of all processes as one, on the first of them; None on the others.

    They are handed over in files of the run folder, which all processes see.
    """
    peers, folder = run.peers, run.logdir / f".partial-process-{run.peers.index}"
    path = checkpoint.save(folder, run.step, part) if peers.index else folder
    places = peers.gather(str(path))
    found = None
    if not peers.index:
        found = joined([part, *(checkpoint.load(Path(place)) for place in places[1:])])
    peers.gather("read")
    if peers.index:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The trees of `own`, of all processes in their order, as that of one."""
    return {
        "actor": {
            "carry": _along([part["actor"]["carry"] for part in parts]),
            "count": parts[0]["actor"]["count"],
            "action": _along([part["actor"]["action"] for part in parts]),
        },
        "envs": {
            "restarted": sum(part["envs"]["restarted"] for part in parts),
            "envs": [env for part in parts for env in part["envs"]["envs"]],
        },
        "episodes": _along([part["episodes"] for part in parts]),
        "pending": _pending([part["pending"] for part in parts]),
        "replay": {SHARES: [share for part in parts for share in part["replay"][SHARES]]},
    }


def _along(trees: Sequence[Any]) -> Any:
    first = trees[0]
    if isinstance(first, Mapping):
        return {name: _along([tree[name] for tree in trees]) for name in first}
    return None if first is None else np.concatenate(trees)


def _pending(parts: Sequence[Any]) -> Any:
    if parts[0] is None:
        return None
    columns = zip(*(part["ticket"] for part in parts), strict=True)
    ticket = [np.concatenate(column) for column in columns]
    written = _along([part["written"] for part in parts])
    return {**parts[0], "ticket": ticket, "written": written}


def part_of(tree: Mapping[str, Any], index: int, count: int) -> dict[str, Any]:
    """What process `index` of `count` takes from a checkpoint's tree; the other way round."""
    envs = _share(tree["envs"]["envs"], index, count)
    learner, pending = tree["learner"], tree["learner"]["pending"]
    if pending is not None:
        stream, row = (_share(column, index, count) for column in pending["ticket"])
        written = _cut(pending["written"], index, count)
        ticket = [stream - index * len(envs), row]
        learner = learner | {"pending": pending | {"ticket": ticket, "written": written}}
    actor = tree["actor"]
    cut = {name: _cut(actor[name], index, count) for name in ("carry", "action")}
    restarted = 0 if index else tree["envs"]["restarted"]
    clocks = tree["clocks"] | ({"restarted": 0} if index else {})
    return {
        **tree,
        "clocks": clocks,
        "learner": learner,
        "actor": actor | cut,
        "envs": {"restarted": restarted, "envs": envs},
        "episodes": _cut(tree["episodes"], index, count),
        "replay": {SHARES: _share(tree["replay"].get(SHARES, []), index, count)},
    }


def _cut(tree: Any, index: int, count: int) -> Any:
    if isinstance(tree, Mapping):
        return {name: _cut(part, index, count) for name, part in tree.items()}
    return None if tree is None else _share(tree, index, count)


def _share(rows: Any, index: int, count: int) -> Any:
    each = len(rows) // count
    return rows[index * each : (index + 1) * each]
