"""What there is to choose from: the verbs `tasks` and `presets`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reverie.part.errors import ConfigError, suggest
from reverie.watch import terminal

if TYPE_CHECKING:
    from reverie.config.preset import Preset


TASKS_USAGE = """\
usage: reverie tasks [FILTER]

The tasks, or those whose name contains FILTER: `reverie tasks walker`. Any id of an installed
Gymnasium environment is a task as well, written gym:ID, and so is a function of your own, written
MODULE:FUNCTION.
"""

PRESETS_USAGE = """\
usage: reverie presets                               the names, by group
       reverie presets GROUP                         the names of a group with meanings
       reverie presets NAME|FILE                     what one of them sets
       reverie presets --save FILE [TASK] [options]  keep options of train for --preset FILE

The groups are {groups}.
"""

COMPLETION_USAGE = """\
usage: reverie completion bash|zsh|fish

Prints the script by which a shell completes verbs, options, tasks and presets; keep it once, and
again after an update:

  bash  reverie completion bash > ~/.local/share/bash-completion/completions/reverie
  zsh   reverie completion zsh > _reverie     in a folder of $fpath
  fish  reverie completion fish > ~/.config/fish/completions/reverie.fish
"""

GROUPS = ("agents", "benchmarks", "blocks", "methods", "balance", "replay", "sequences", "sizes")
"""What presets are listed by."""


def tasks(words: list[str]) -> int:
    """`reverie tasks [FILTER]`"""
    from reverie.envs.catalog import tasks as all_tasks

    if _asks_for_help(words):
        terminal.say(TASKS_USAGE)
        return 0
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
    """`reverie presets [GROUP|NAME|FILE]`, `reverie presets --save FILE [TASK] [options]`"""
    if _asks_for_help(words):
        terminal.say(PRESETS_USAGE.format(groups=", ".join(GROUPS)))
        return 0
    if words and words[0].partition("=")[0] == "--save":
        from reverie.launch import save_preset

        path = save_preset(words)
        terminal.say(f"preset: {path} (use it with --preset {path})\n")
        return 0
    name = _one(words, "presets [GROUP|NAME|FILE], or reverie presets --save FILE [TASK] [options]")
    if not name:
        _list_names()
    elif name in GROUPS:
        for title, rows in _groups()[name].items():
            terminal.paragraph(title)
            terminal.table([(f"  {row}", doc) for row, doc in rows.items()], wrap=True)
    elif not _show_sequence(name):
        from reverie.config.presets import preset_named

        _show_preset(preset_named(name))
    return 0


def completion(words: list[str]) -> int:
    """`reverie completion bash|zsh|fish`"""
    from reverie.config.completion import SHELLS, script

    if not words or _asks_for_help(words):
        terminal.say(COMPLETION_USAGE)
        return 0
    shell = _one(words, f"completion {'|'.join(SHELLS)}")
    if shell not in SHELLS:
        raise ConfigError(f"there is no completion for {shell!r}; {suggest(shell, SHELLS)}")
    from reverie.api.words import words as all_words
    from reverie.verbs import VERBS

    terminal.stdout().write(script(shell, all_words(list(VERBS), GROUPS)))
    return 0


def _groups() -> dict[str, dict[str, dict[str, str]]]:
    """The presets of each group by title: their names and meanings."""
    from reverie.config.agents import AGENTS
    from reverie.config.balances import BALANCES
    from reverie.config.benchmarks import BENCHMARKS
    from reverie.config.families import FAMILIES
    from reverie.config.methods import METHODS
    from reverie.config.sequence import SEQUENCES
    from reverie.config.strategies import STRATEGIES

    def docs(rows: Iterable[Any]) -> dict[str, str]:
        return {row.name: row.doc for row in rows}

    plain = [preset for preset in BENCHMARKS.values() if not preset.agent]
    blocks = {
        f"blocks of {agent} (--agent {agent}; automatic where it has one, else --preset)": docs(
            preset for preset in BENCHMARKS.values() if preset.agent == agent
        )
        for agent in AGENTS
    }
    return {
        "agents": {"agents (--agent)": docs(AGENTS.values())},
        "benchmarks": {"benchmarks (--preset; a suite's own is automatic)": docs(plain)},
        "blocks": {title: rows for title, rows in blocks.items() if rows},
        "methods": {"methods (--methods)": docs(METHODS.values())},
        "balance": {"loss balance (--balance)": docs(BALANCES.values())},
        "replay": {"replay strategies (--replay)": docs(STRATEGIES.values())},
        "sequences": {"sequences (reverie continual)": docs(SEQUENCES.values())},
        "sizes": {
            "sizes (--size), by agent": {
                agent: ", ".join(family) for agent, family in FAMILIES.items()
            }
        },
    }


def _list_names() -> None:
    """The names of all presets by group, in lines of text."""
    for name, titles in _groups().items():
        for title, rows in titles.items():
            terminal.paragraph(title)
            if name == "sizes":
                terminal.table([(f"  {agent}", sizes) for agent, sizes in rows.items()], wrap=True)
            else:
                terminal.paragraph(", ".join(rows), indent=2)
    terminal.say("\n")
    terminal.paragraph(
        "`reverie presets NAME` shows what one of them sets, `reverie presets methods` the "
        "meanings of a group."
    )


def _show_sequence(name: str) -> bool:
    """What a named sequence is; False where none is so called."""
    from reverie.config.sequence import SEQUENCES

    row = SEQUENCES.get(name)
    if row is None:
        return False
    terminal.paragraph(row.doc)
    facts = [("tasks", ", ".join(row.tasks)), ("steps of each", f"{row.steps:,}")]
    terminal.table([*facts, *((path, str(value)) for path, value in row.edits.items())], wrap=True)
    return True


def _show_preset(preset: "Preset") -> None:
    """What a preset sets, and what it adds under single agents."""
    terminal.paragraph(preset.doc)
    size = f"{preset.size} (agent {preset.agent})" if preset.agent else preset.size
    _show_edits(preset.edits, [("size", size)] if preset.size != "auto" else [])
    for agent, edits in preset.by_agent.items():
        terminal.say(f"and under --agent {agent}\n")
        _show_edits(edits)


def _show_edits(edits: Mapping[str, Any], first: Sequence[tuple[str, str]] = ()) -> None:
    terminal.table([*first, *((path, str(value)) for path, value in edits.items())], wrap=True)


def _asks_for_help(words: list[str]) -> bool:
    return words in (["--help"], ["-h"])


def _one(words: list[str], usage: str) -> str:
    if any(word.startswith("-") for word in words) or len(words) > 1:
        raise ConfigError(f"usage: reverie {usage}; found {' '.join(words)!r}.")
    return words[0] if words else ""
