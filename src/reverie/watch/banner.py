"""What a run says before its first step: the plan, and what its configuration changes."""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reverie.config import edit
from reverie.config.alternative import alternative, updates_of
from reverie.config.schema import Config
from reverie.watch import terminal

NAMED = ("task", "agent", "size", "preset", "seed", "steps", "logdir")


def banner(
    config: Config, plan: Sequence[tuple[str, str]], *, console: Console | None = None
) -> None:
    """Print the plan of a run and its configuration in short.

    Args:
        config: the resolved configuration. Its task, agent, size, seed, steps and folder are always
            shown, every other field only where it differs from the schema's default.
        plan: rows (what, how much with its unit): planned memory, disk, parameters, hours.
        console: where to print; None: the standard output.
    """
    head = Text.assemble(
        ("reverie ", "bold"), config.task, (f"  {config.agent}, size {config.size}", "dim")
    )
    named = [("steps", f"{config.steps:,}"), ("seed", str(config.seed)), ("folder", config.logdir)]
    table = facts([*named, *_settings(config), *plan, *_changed(config).items()])
    (console or terminal.console()).print(Group(Text(), head, table))


def facts(rows: Sequence[tuple[str, str]]) -> RenderableType:
    """Names and texts in two columns, as they stand below the head of a run."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(value))
    return Padding(table, (0, 0, 1, 2))


def _settings(config: Config) -> list[tuple[str, str]]:
    """The settings of a small task, and those that it could have instead."""
    other = alternative(config)
    if other is None:
        return []
    there = f"{other.steps:,} steps, {updates_of(other):,.0f}"
    size = "larger" if other.preset == "published" else "smaller"
    return [
        ("settings", f"{config.preset}: {config.steps:,} steps, {updates_of(config):,.0f} updates"),
        ("instead", f"--preset {other.preset}: {there} {size} updates"),
        ("hours", "of both below, as soon as an update of each is counted"),
    ]


def _changed(config: Config) -> dict[str, str]:
    """`name=value` of the fields that differ from the defaults, one text a group of the tree."""
    groups: dict[str, list[str]] = {}
    for path, (_, value) in edit.diff(Config(), config).items():
        group, _, name = path.rpartition(".")
        if path not in NAMED:
            groups.setdefault(f"--{group}.…" if group else "--…", []).append(
                f"{name} {_short(value)}"
            )
    return {group: ", ".join(fields) for group, fields in groups.items()}


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return "(" + ",".join(map(_short, value)) + ")"
    return repr(value) if value == "" else str(value)
