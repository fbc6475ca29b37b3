"""Model sizes: what each size preset writes, and the automatic choice.

The tables stand in `families.py`: every agent has its own.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reverie.config.edit import apply
from reverie.config.families import AUTO, FAMILIES
from reverie.config.schema import Config
from reverie.part.errors import ConfigError, did_you_mean

SIZES = FAMILIES["v3"]
"""The sizes of the default agent by name, smallest first."""

ALL_SIZES = tuple(dict.fromkeys(name for family in FAMILIES.values() for name in family))
"""Every size name of every agent."""


def size_edits(name: str, agent: str = "v3") -> dict[str, Any]:
    """What the size preset `name` of an agent writes: dotted path -> value, `size` included.

    Raises ConfigError if the agent has no such size; it names the nearest that it has.
    """
    family = FAMILIES[agent]
    if name not in family:
        raise ConfigError(unknown_size(name, agent))
    size = family[name]
    outer, heads, behavior = size.layers
    edits: dict[str, Any] = {
        "size": name,
        "world.dynamics.deter": size.deter,
        "world.dynamics.hidden": size.hidden,
        "world.dynamics.stoch": size.stoch,
        "world.dynamics.latent.classes": size.classes,
        "world.dynamics.core.blocks": size.blocks,
        "world.encoder.depth": size.depth,
        "world.objective.depth": size.depth,
        "world.reward.bins": size.bins,
        "behavior.critic.bins": size.bins,
    }
    layers = {
        **dict.fromkeys(("world.encoder", "world.objective"), outer),
        **dict.fromkeys(("world.reward", "world.cont"), heads),
        **dict.fromkeys(("behavior.actor", "behavior.critic"), behavior),
    }
    for part, count in layers.items():
        edits |= {f"{part}.units": size.units, f"{part}.layers": count}
    return edits


def unknown_size(name: str, agent: str) -> str:
    """What is wrong with a size that an agent does not have."""
    family, others = FAMILIES[agent], owners(name, FAMILIES)
    listed = ", ".join(family)
    if others:
        return (
            f"the size {name!r} belongs to agent {' and '.join(others)}; those of {agent} are "
            f"auto, {listed}."
        )
    near = did_you_mean(name, family)
    return f"there is no size {name!r}; the sizes are auto, {listed}.{near}"


def owners(name: str, families: Iterable[str]) -> list[str]:
    """The agents among `families` that have a size of this name."""
    return [agent for agent in families if name in FAMILIES[agent]]


def size_fields() -> frozenset[str]:
    """The dotted paths that a size preset writes, `size` itself excepted."""
    return frozenset(size_edits("1m")) - {"size"}


def auto_size(pictures: bool, agent: str = "v3") -> str:
    """What the size `auto` means to an agent; the larger of two as soon as there is a picture."""
    return AUTO[agent][pictures]


def with_size(config: Config, pictures: bool) -> Config:
    """`config` with its size `auto` replaced by the one the observations need.

    Fields named in `config.pinned` keep their values. A configuration whose size is already
    chosen comes back as it is.
    """
    if config.size != "auto":
        return config
    edits = size_edits(auto_size(pictures, config.agent), config.agent)
    kept = {path: value for path, value in edits.items() if path not in config.pinned}
    return apply(replace(config, pinned=()), kept, optional=kept)
