"""Where numbers go: a table on the terminal, and a JSON file."""

import importlib.metadata
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from reverie.folder.address import local_path
from reverie.part.errors import ConfigError
from reverie.watch import terminal


def check_target(path: str) -> str:
    """The absolute path of a JSON file, for environments may change the folder; "" asks for none.

    Raises ConfigError where it could not be written.
    """
    if not path:
        return ""
    target = local_path(path, "--json").absolute()
    folder = target.parent
    if target.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        found = "is a folder" if target.is_dir() else f"{str(folder)!r} is no writable folder"
        raise ConfigError(f"--json {path!r} cannot be written: {found}; name a file.")
    return str(target)


def write_json(path: str, value: Any) -> None:
    """Write `value` as one JSON object; "" writes nothing."""
    if path:
        Path(path).expanduser().write_text(json.dumps(value, indent=2) + "\n")


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> None:
    """Draw a table: the first column to the left, the others to the right.

    It is never narrower than its numbers: a small terminal wraps the lines instead.
    """
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, name in enumerate(columns):
        table.add_column(name, justify="right" if index else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = terminal.console()
    wide = console.measure(table, options=console.options.update(width=1000)).maximum
    console.width = max(console.width, wide)
    console.print(Text(title, "bold"), table, *([Text(note, "dim")] if note else []), Text())


def machine() -> str:
    """The device that computes, the CPU cores and the versions, for a table's title."""
    import jax

    device = jax.devices()[0]
    cores = len(os.sched_getaffinity(0))
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("jax", "jaxlib"))
    return f"{device.platform} ({device.device_kind}), {cores} CPU cores, {versions}"
