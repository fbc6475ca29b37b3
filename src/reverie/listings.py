"""What there is to choose from: the verbs `tasks` and `presets`."""

from typing import TYPE_CHECKING

from reverie.part.errors import ConfigError, suggest
from reverie.watch import terminal

if TYPE_CHECKING:
    from reverie.config.preset import Preset


def tasks(words: list[str]) -> int:
    """`reverie tasks [FILTER]`"""
    from reverie.envs.catalog import tasks as all_tasks

    wanted = _one(words, "tasks [FILTER]")
    rows = all_tasks()
    hits = [row for row in rows if wanted.lower() in row.name.lower()]
    if not hits:
        hint = suggest(wanted, [row.name for row in rows])
        hint = hint if hint.startswith("did") else "`reverie tasks` lists all of them."
        raise ConfigError(f"no task contains {wanted!r}; {hint}")
    terminal.table([(row.name, row.meaning) for row in hits])
    return 0


def presets(words: list[str]) -> int:
    """`reverie presets [NAME|FILE]`, `reverie presets --save FILE [TASK] [--key value ...]`"""
    if words and words[0].partition("=")[0] == "--save":
        from reverie.launch import save_preset

        path = save_preset(words)
        terminal.say(f"preset: {path} (use it with --preset {path})\n")
        return 0
    name = _one(words, "presets [NAME|FILE], or reverie presets --save FILE [TASK] [options]")
    if name:
        from reverie.config.presets import preset_named

        _show_preset(preset_named(name))
        return 0
    _list_presets()
    return 0


def _list_presets() -> None:
    from reverie.config.agents import AGENTS
    from reverie.config.balances import BALANCES
    from reverie.config.benchmarks import BENCHMARKS
    from reverie.config.families import FAMILIES
    from reverie.config.methods import METHODS
    from reverie.config.sequence import SEQUENCES
    from reverie.config.strategies import STRATEGIES

    plain = {name: preset for name, preset in BENCHMARKS.items() if not preset.agent}
    blocks = {
        f"blocks of {agent} (--agent {agent}; automatic where it has one, else --preset)": {
            name: preset for name, preset in BENCHMARKS.items() if preset.agent == agent
        }
        for agent in AGENTS
    }
    for title, table in (
        ("agents (--agent)", AGENTS),
        ("benchmarks (--preset; a suite's own is automatic)", plain),
        *((title, table) for title, table in blocks.items() if table),
        ("methods (--methods)", METHODS),
        ("loss balance (--balance)", BALANCES),
        ("replay strategies (--replay)", STRATEGIES),
    ):
        terminal.say(f"{title}\n")
        terminal.table([(f"  {preset.name}", preset.doc) for preset in table.values()])
    terminal.say("sequences (reverie continual)\n")
    terminal.table([(f"  {row.name}", row.doc) for row in SEQUENCES.values()])
    terminal.say("sizes (--size), by agent\n")
    terminal.table([(f"  {agent}", ", ".join(family)) for agent, family in FAMILIES.items()])


def _show_preset(preset: "Preset") -> None:
    """What a preset sets, and what it adds under single agents."""
    terminal.say(f"{preset.doc}\n")
    size = f"{preset.size} (agent {preset.agent})" if preset.agent else preset.size
    sizes = [("size", size)] if preset.size != "auto" else []
    terminal.table([*sizes, *((path, str(value)) for path, value in preset.edits.items())])
    for agent, edits in preset.by_agent.items():
        terminal.say(f"and under --agent {agent}\n")
        terminal.table([(path, str(value)) for path, value in edits.items()])


def _one(words: list[str], usage: str) -> str:
    if any(word.startswith("-") for word in words) or len(words) > 1:
        raise ConfigError(f"usage: reverie {usage}; found {' '.join(words)!r}.")
    return words[0] if words else ""
