"""What a checkpoint writes down about the replay, and whether it fits this run. JSON throughout."""

from collections.abc import Mapping
from typing import Any

from reverie.replay.errors import ReplayError
from reverie.replay.store import MUTABLE, Store

FORMAT = 1
"""Version of the manifest; it counts up when the meaning of a part changes."""

PARTS = ("format", "layout", "keep", "online", "counters", "sampler", "files")

LATER = "sampler"
"""The part that manifests of uniform draws did without, before there were others."""


def make_layout(store: Store, *, streams: int, length: int, online: bool) -> dict[str, Any]:
    """What a manifest and the replay that loads it must have in common.

    `length` belongs to it because the tiles of the online queue have this length, `block` because
    a file covers so many slots of every stream.
    """
    return {
        "streams": streams,
        "length": length,
        "block": store.block,
        "online": online,
        "mutable": list(store.groups.get(MUTABLE, ())),
        "columns": {name: [list(c.shape), c.dtype.name] for name, c in store.columns.items()},
    }


def check_manifest(manifest: Any, layout: Mapping[str, Any]) -> None:
    """Raises ReplayError unless `manifest` is complete, of this format and of this layout."""
    if not isinstance(manifest, Mapping) or set(manifest) | {LATER} != set(PARTS):
        raise ReplayError(
            "this is not the manifest of a replay (a JSON object with "
            f"{', '.join(PARTS)}): resume from another checkpoint."
        )
    if manifest["format"] != FORMAT:
        raise ReplayError(
            f"the replay was saved in format {manifest['format']}, this version reads {FORMAT}: "
            "resume with the version of Reverie that wrote the run."
        )
    for name, expected in layout.items():
        found = manifest["layout"].get(name)
        if found != expected:
            raise ReplayError(
                f"the saved replay has {name} = {found}, this run has {expected}: resume with the "
                "configuration of the run, or choose another --logdir."
            )
