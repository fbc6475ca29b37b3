"""The text of `reverie train TASK --help`: a first page, or options with composed defaults."""

import dataclasses
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from textwrap import TextWrapper
from typing import Any, Literal

from reverie.config.overview import ALL, OVERVIEW, PRESETS, RUN, check_topic, page
from reverie.config.presets import expected_pictures
from reverie.config.schema import Config
from reverie.config.sizes import with_size
from reverie.part import part as parts
from reverie.part import tree
from reverie.part.part import is_slot, slot_of_many
from reverie.part.tree import Leaf

WIDTH = 100
HIDDEN = ("task", "agent", "size", "preset", "pinned")
"""Paths of the configuration that are no flags of their own."""


def text_of(launch: Any, named: Mapping[str, str], lone: Mapping[str, str]) -> str:
    """The help for what `launch` (`launch.Launch`) composes: the page that `launch.help` names.

    Args:
        named: flags that choose presets, with their meaning; their values are fields of `launch`.
        lone: flags without a field of their own, with their meaning.

    Raises ConfigError where there is no such page.
    """
    task = launch.task or Config().task
    config = dataclasses.replace(launch, task=task).config()
    pictures = expected_pictures(config.task, launch.preset or None, launch.agent or None)
    if pictures is not None:
        config = with_size(config, pictures)
    leaves = [leaf for leaf in tree.leaves(config) if leaf.path not in HIDDEN]
    if launch.help == OVERVIEW:
        return page(launch.task, _defaults(launch, config, named, leaves) if launch.task else None)
    check_topic(launch.help, [leaf.path for leaf in leaves])
    about = f"Learn {task}; the defaults shown are this task's."
    if not launch.task:
        about = f"Learn TASK; the defaults shown are those of {task}, each suite has its own."
    lines = [f"usage: reverie train {launch.task or 'TASK'} [options]", "", about, ""]
    if launch.help in (ALL, PRESETS):
        lines += _presets(launch, config, named, lone)
    return "\n".join([*lines, *_groups(leaves, launch.help)]) + "\n"


def _defaults(
    launch: Any, config: Config, named: Mapping[str, str], leaves: list[Leaf]
) -> dict[str, str]:
    """The composed defaults of the options of the first page."""
    found = {leaf.path: _shown(leaf.value) for leaf in leaves}
    found |= {name: str(_chosen(launch, config, name)) for name in named}
    return {k: v for k, v in found.items() if v not in ("", "()", "''", "none", "False", "{}")}


def _chosen(launch: Any, config: Config, name: str) -> Any:
    return getattr(config if name in ("size", "agent") else launch, name)


def _presets(
    launch: Any, config: Config, named: Mapping[str, str], lone: Mapping[str, str]
) -> Iterator[str]:
    yield "presets"
    for name, meaning in named.items():
        value = _chosen(launch, config, name)
        yield from _option(f"--{name}", _kind(type(value)), meaning, value)
    for name, meaning in lone.items():
        yield from _option(f"--{name}", "", meaning, None)


def _groups(shown: list[Leaf], topic: str) -> Iterator[str]:
    """The options of a topic by the first part of their path, those without one first."""
    groups = dict.fromkeys(leaf.path.partition(".")[0] for leaf in shown if _grouped(leaf, shown))
    if topic in (ALL, RUN):
        yield ""
        yield "the run"
        yield from _options(leaf for leaf in shown if not _grouped(leaf, shown))
    for group in groups:
        below = [leaf for leaf in shown if leaf.path == group or leaf.path.startswith(f"{group}.")]
        if topic not in (ALL, group):
            below = [leaf for leaf in below if f"{leaf.path}.".startswith(f"{topic}.")]
        if below:
            yield ""
            yield group
            yield from _options(below)


def _grouped(leaf: Leaf, shown: list[Leaf]) -> bool:
    return "." in leaf.path or any(other.path.startswith(f"{leaf.path}.") for other in shown)


def _options(leaves: Iterable[Leaf]) -> Iterator[str]:
    for leaf in leaves:
        meaning, kind = leaf.doc, _kind(leaf.kind)
        if leaf.part is not None:
            own = " ".join((type(leaf.part).__doc__ or "").split())
            others = ", ".join(parts.members(leaf.kind))
            meaning = f"{meaning} {leaf.value}: {own} Also module:Class. One of {others}."
        elif (slot := slot_of_many(leaf.kind)) is not None:
            known = ", ".join(parts.members(slot))
            meaning += f" Any of {known}, or module:Class." if known else " Written module:Class."
        yield from _option(f"--{leaf.path}", kind, meaning.strip(), leaf.value)


def _option(flag: str, kind: str, meaning: str, value: Any) -> Iterator[str]:
    shown = "" if value is None else f" (default: {_shown(value)})"
    wrap = TextWrapper(WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 8)
    yield f"  {flag} {kind}".rstrip()
    yield from wrap.wrap(f"{meaning}{shown}")


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    return repr(value) if value == "" else str(value)


def _kind(kind: Any) -> str:
    """How the value of an option is written: INT, FLOAT, NAME, {a,b} …"""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return f"{{{','.join(map(str, inner))}}}"
    if origin is tuple:
        return f"[{_kind(inner[0])} ...]"
    if origin in (typing.Union, types.UnionType):
        return "|".join(_kind(part) for part in inner if part is not type(None))
    if is_slot(kind):
        return "NAME"
    return {bool: "BOOL", int: "INT", float: "FLOAT", tuple: "[NAME ...]"}.get(kind, "TEXT")
