"""The configuration as dotted paths and as JSON (see `part/edits.py`, `part/saved.py`)."""

import functools
from collections.abc import Collection, Mapping
from typing import Any

from reverie.config import version_0_1
from reverie.config.schema import Config
from reverie.part import edits, saved, tree
from reverie.part.edits import apply as apply
from reverie.part.path import get as get
from reverie.part.saved import to_json as to_json
from reverie.part.tree import diff as diff
from reverie.part.tree import flat as flat


def override(config: Config, path: str, value: Any) -> Config:
    """A copy of `config` whose field at the dotted `path` is `value`, checked against its type.

    Raises:
        ConfigError: no such field (names the nearest), wrong type, or a value that does not go
            with the other fields.
    """
    return edits.apply(config, {path: value})


@functools.cache
def field_types() -> Mapping[str, Any]:
    """The annotation of every path, those of alternatives included."""
    return {path: leaf.kind for path, leaf in tree.every(Config()).items()}


@functools.cache
def field_docs() -> Mapping[str, str]:
    """Meaning and unit of every path, those of alternatives included."""
    return {path: leaf.doc for path, leaf in tree.every(Config()).items()}


def from_json(values: Any, *, allow: Collection[str] | None = None) -> Config:
    """The configuration that `to_json` wrote; a field it lacks has the schema's default.

    Raises ConfigError: a key that no longer exists, a wrong value, or a part from a package outside
    Reverie that `allow` does not name (None allows all).
    """
    if isinstance(values, Mapping) and version_0_1.is_old(saved.flatten(values)):
        return saved.from_flat(Config(), version_0_1.today(saved.flatten(values)), allow=allow)
    return saved.from_json(Config(), _moved(values), allow=allow)


def _moved(values: Any) -> Any:
    """`values` with `world.objective.beside_pictures` where it stands today: `world`."""
    if not (isinstance(values, Mapping) and isinstance(world := values.get("world"), Mapping)):
        return values
    objective = world.get("objective")
    if not isinstance(objective, Mapping) or "beside_pictures" not in objective:
        return values
    kept = {name: value for name, value in objective.items() if name != "beside_pictures"}
    moved = {"objective": kept, "beside_pictures": objective["beside_pictures"]}
    return {**values, "world": {**world, **moved}}
