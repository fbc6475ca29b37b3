"""Whether run folders belong to one group: config.json of each says which."""

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reverie.config.schema import Config
from reverie.folder.errors import RunError
from reverie.folder.run_folder import logdir_of, read_group
from reverie.train import checkpoint

Group = Mapping[str, Any]
"""`id`, and the `seeds` that began together."""


def group_of(configs: Sequence[Config]) -> Group:
    """The group that the run folders belong to; a new one where none does.

    Raises RunError where one of them belongs to another group, or is missing although others have
    been learned in. Nothing is written.
    """
    folders = {config.seed: logdir_of(config) for config in configs}
    there = {s: f for s, f in folders.items() if os.path.lexists(f / "config.json")}
    groups = {seed: read_group(folder / "config.json") for seed, folder in there.items()}
    first = next((seed for seed, group in groups.items() if group), None)
    if first is None:
        return {"id": secrets.token_hex(8), "seeds": [*folders]}
    group = groups[first]
    for seed, other in groups.items():
        if other != group:
            what = f"the group {_told(other)}" if other else "no group"
            raise RunError(
                f"the run folder {folders[seed]} (seed {seed}) belongs to {what}, and "
                f"{folders[first]} (seed {first}) to the group {_told(group)}. {_NOTHING}"
            )
    if {*group["seeds"]} != {*folders}:
        raise RunError(
            f"the run folder {folders[first]} belongs to the group {_told(group)}, and --seeds "
            f"names {_listed([*folders])}: give the seeds of the group to resume it. {_NOTHING}"
        )
    _check_all_there(folders, there)
    return group


def _check_all_there(folders: Mapping[int, Path], there: Mapping[int, Path]) -> None:
    """Raises RunError for a missing folder of a group in which something has been learned."""
    missing = [seed for seed in folders if seed not in there]
    if missing and any(checkpoint.complete(f / "checkpoints") for f in there.values()):
        raise RunError(
            f"the run folder {folders[missing[0]]} (seed {missing[0]}) is missing, and the other "
            f"seeds of its group have been learned. Put it back, or {_NOTHING[0].lower()}"
            f"{_NOTHING[1:]}"
        )


def _told(group: Group) -> str:
    return f"{group['id']} of seeds {_listed(group['seeds'])}"


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


_NOTHING = (
    "Give --no-together to run one after another, or another --logdir for new runs. Nothing was "
    "changed."
)
