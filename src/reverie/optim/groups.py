"""The parts of an agent that may have an optimiser of their own, taken apart and put together."""

from typing import Any

from reverie.module import tree_at

_PLACES = {
    "actor": lambda agent: agent.actor,
    "critic": lambda agent: agent.critic,
    "ensemble": lambda agent: agent.explorer.ensemble,
    "explorer_actor": lambda agent: agent.explorer.actor,
    "explorer_critic": lambda agent: agent.explorer.critic,
}


def groups_of(agent: Any) -> tuple[str, ...]:
    """The parts of an agent that have an Adam of their own; `world` is all the others leave."""
    explorer = ("ensemble", "explorer_actor", "explorer_critic")
    return ("world", "actor", "critic", *(() if agent.explorer is None else explorer))


def part_of(agent: Any, group: str) -> Any:
    """The parameters of one of `groups_of(agent)`, from an agent or from its gradient."""
    if group != "world":
        return _PLACES[group](agent)
    places = [_PLACES[name] for name in groups_of(agent)[1:]]
    return tree_at(lambda a: [place(a) for place in places], agent, [None] * len(places))


def joined(parts: dict[str, Any]) -> Any:
    """The agent whose parts by group these are (see `part_of`)."""
    names = [name for name in parts if name != "world"]
    return tree_at(
        lambda a: [_PLACES[name](a) for name in names],
        parts["world"],
        [parts[name] for name in names],
        is_leaf=lambda x: x is None,
    )
