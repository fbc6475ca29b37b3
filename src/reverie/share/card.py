"""README.md of a shared agent."""

import functools
from pathlib import Path
from typing import Any

import jinja2

from reverie.watch.text import one_line


@functools.cache
def _template() -> jinja2.Template:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # Markdown; `plain` and `tojson` write values
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters["plain"] = plain
    return made.get_template("card.md")


def plain(value: Any) -> str:
    """A value on one line, without what Markdown or HTML would read as more than text."""
    text = one_line(str(value))
    for mark in "<>`[]|":
        text = text.replace(mark, " ")
    return text


def card(facts: dict[str, Any]) -> str:
    """The page, from what `bundle` knows of the agent."""
    return _template().render(facts).strip() + "\n"
