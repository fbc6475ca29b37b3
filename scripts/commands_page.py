"""The tables of options in docs/commands.md, written from the records that the command reads.

    python scripts/commands_page.py docs/commands.md

Between a line `<!-- options MODULE:RECORD -->` (or `<!-- options train PATH PATH ... -->`) and the
next `<!-- end -->` stands a table; it is written anew, and everything else is left as it is.
"""

import dataclasses
import importlib
import re
import sys
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tyro.conf import Positional

from reverie.config.edit import flat
from reverie.config.presets import resolve
from reverie.launch import LONE, NAMED, Launch
from reverie.part.tree import docs_of, every

TABLE = re.compile(r"(<!-- options (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
HEAD = "| option | default | meaning |\n|---|---|---|\n"
TASK = "gym:CartPole-v1"
"""The task whose defaults are shown for `train`."""

Row = tuple[str, str, str]


def written(page: str) -> str:
    """The page with every table as the code has it."""
    return TABLE.sub(
        lambda found: f"{found[1]}\n{_table(rows(found[2].split()))}\n{found[3]}", page
    )


def rows(words: list[str]) -> Iterator[Row]:
    """Option, default and meaning of what a marker names."""
    if words[0] == "train":
        return _of_train(words[1:])
    module, _, name = words[0].partition(":")
    return _of_record(getattr(importlib.import_module(module), name))


def _of_record(kind: type) -> Iterator[Row]:
    docs, hints = docs_of(kind), typing.get_type_hints(kind, include_extras=True)
    marker = typing.get_args(Positional[str])[1]
    for field in dataclasses.fields(kind):
        positional = marker in getattr(hints[field.name], "__metadata__", ())
        name = field.name.upper().rstrip("S") if positional else f"--{field.name}"
        many = positional and field.name.endswith("s")
        default = "" if field.default is dataclasses.MISSING else _text(field.default)
        yield f"{name} ..." if many else name, default, docs[field.name]


def _of_train(paths: Iterable[str]) -> Iterator[Row]:
    """The flags that choose presets, then the named fields of the configuration."""
    config = resolve(TASK)
    docs = {path: leaf.doc for path, leaf in every(config).items()}
    for name, meaning in NAMED.items():
        yield f"--{name}", _text(getattr(Launch(), name)), meaning
    for name, meaning in LONE.items():
        value = getattr(Launch(), name, None)
        yield f"--{name}", _text(value) if isinstance(value, bool) else "", meaning
    values = flat(config)
    for path in paths:
        yield f"--{path}", _text(values[path]), docs[path]


def _table(found: Iterable[Row]) -> str:
    lines = [f"| `{name}` | {default} | {_cell(meaning)} |\n" for name, default, meaning in found]
    return HEAD + "".join(lines)


def _text(value: Any) -> str:
    """A default as the command line spells it; nothing where it is empty."""
    if value in ("", None, ()) and value is not False:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple | list):
        return f"`{' '.join(map(str, value))}`"
    return f"`{value:,}`".replace(",", "_") if isinstance(value, int) else f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(written(path.read_text()))
