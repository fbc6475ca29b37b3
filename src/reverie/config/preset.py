"""What a named preset is: a set of edits to the configuration, and where it belongs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Preset:
    """A named set of edits to the configuration.

    `suite` is the first part of the task names that the preset belongs to (it replaces that
    suite's own); a preset without one is laid over the suite's. `size` is the model size that
    goes with it where the user names none. `pictures` says whether its environments show pictures;
    None where that depends on the environment. `agent` is the agent whose published block this
    is (its size belongs to that agent only); empty where any agent may run under it. `by_agent`
    holds further edits, laid over the others under the agent that they name, `size_by_agent` sizes
    that go with it under one.
    """

    name: str
    doc: str
    edits: Mapping[str, Any] = field(default_factory=dict)
    suite: str = ""
    size: str = "auto"
    pictures: bool | None = None
    agent: str = ""
    by_agent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    size_by_agent: Mapping[str, str] = field(default_factory=dict)

    def edits_for(self, agent: str) -> dict[str, Any]:
        """The edits under `agent`: dotted path -> value."""
        return {**self.edits, **self.by_agent.get(agent, {})}

    def size_for(self, agent: str) -> str:
        """The size that goes with the preset under `agent`; `auto` where it has none for it."""
        own = self.size if self.agent in ("", agent) else "auto"
        return self.size_by_agent.get(agent, own)


def table(*presets: Preset) -> dict[str, Preset]:
    """The presets by name, in their order."""
    return {preset.name: preset for preset in presets}
