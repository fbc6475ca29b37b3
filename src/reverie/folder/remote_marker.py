"""What a copy of a run folder holds: the list that is written last."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

VERSION = 1
PARTS = ("config.json", "metrics.jsonl", "metrics.before.jsonl", "report.html", "simulators.log")
FOLDERS = ("checkpoints", "replay", "videos")
"""What is copied of a run folder; logs of trackers are theirs to keep."""
TOPS = {name.split(".")[0] for name in (*PARTS, *FOLDERS)}


class Entry(NamedTuple):
    """A file of the copy."""

    at: str
    size: int
    digest: str


@dataclass(frozen=True)
class Marker:
    """The files of a copy by their names in the run folder; `saved` counts the markers before."""

    saved: int = 0
    files: Mapping[str, Entry] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is written."""
        listed = {name: list(entry) for name, entry in sorted(self.files.items())}
        return {"version": VERSION, "saved": self.saved, "files": listed}


def marker_from(tree: Any) -> Marker:
    """What `to_json` gave. Raises LookupError, TypeError or ValueError for anything else."""
    if tree["version"] != VERSION:
        raise ValueError(f"version {tree['version']!r}, this version of Reverie reads {VERSION}")
    found = {}
    for name, (at, size, text) in tree["files"].items():
        for path in (name, at):
            parts = path.split("/")
            if parts[0].split(".")[0] not in TOPS or {"..", ""} & set(parts) or "\\" in path:
                raise ValueError(f"it names the file {path!r}")
        found[name] = Entry(str(at), int(size), str(text))
    return Marker(int(tree["saved"]), found)
