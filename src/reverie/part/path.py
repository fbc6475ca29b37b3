"""One path of a tree: the value there, or what is wrong with a path that leads nowhere."""

import dataclasses
from typing import Any

from reverie.part import part as parts
from reverie.part.errors import ConfigError, suggest
from reverie.part.part import Part
from reverie.part.tree import flat, leaves


def get(record: Any, path: str) -> Any:
    """The value at `path`, of a choice its name. Raises ConfigError where there is no such path."""
    known = flat(record)
    if path not in known:
        raise ConfigError(unknown(record, path))
    return known[path]


def unknown(record: Any, path: str) -> str:
    """What is wrong with a path that does not exist: where the nearest or the same name stands."""
    known = flat(record)
    groups = {name.rpartition(".")[0] for name in known} - {""}
    if path in groups and path not in known:
        below = [name for name in known if name.startswith(f"{path}.")]
        return f"{path!r} is a group of fields; name one of them: {', '.join(below)}."
    group, _, name = path.rpartition(".")
    other = elsewhere(record, path)
    if other:
        return other
    ends = {leaf.rpartition(".")[2]: leaf for leaf in known}
    if name in ends and group not in groups:
        return f"there is no configuration key {path!r}; did you mean {ends[name]!r}?"
    if group in groups:
        inside = [leaf.removeprefix(f"{group}.") for leaf in known if leaf.startswith(f"{group}.")]
        hint = suggest(name, inside)
        return f"there is no configuration key {path!r} in {group!r}; {hint}"
    hint = suggest(path, known)
    if not hint.startswith("did"):
        tops = sorted({name.partition(".")[0] for name in groups})
        single = [name for name in known if "." not in name]
        hint = f"the groups are {', '.join(tops)}; the single keys {', '.join(single)}."
    return f"there is no configuration key {path!r}; {hint}"


def elsewhere(record: Any, path: str) -> str:
    """The sentence for an option of an alternative that is not chosen; empty if it is none."""
    below = (leaf for leaf in leaves(record) if path.startswith(f"{leaf.path}."))
    said = (
        not_its_own(leaf.path, leaf.kind, leaf.part, path.removeprefix(f"{leaf.path}."))
        for leaf in below
        if leaf.part
    )
    return next((sentence for sentence in said if sentence), "")


def not_its_own(path: str, slot: type[Part], chosen: Part, option: str) -> str:
    """The sentence for an option that another member of the slot at `path` has, and not the one
    chosen there; empty if there is none."""
    if option.partition(".")[0] in {item.name for item in dataclasses.fields(chosen)}:  # type: ignore[arg-type]
        return ""
    owners = [name for name in parts.members(slot) if option in _options(slot, name)]
    if not owners:
        return ""
    listed = " or ".join(repr(name) for name in owners)
    return (
        f"{path} is {parts.name_of(slot, chosen)!r}, which has no option {option!r}; {listed} has: "
        f"choose it with --{path} {owners[0]}."
    )


def _options(slot: type[Part], name: str) -> set[str]:
    try:
        return {leaf.path for leaf in leaves(parts.find(slot, name)())}
    except (ConfigError, TypeError):  # a package that cannot be imported, or needs arguments
        return set()
