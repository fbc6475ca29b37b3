"""The pages that people read, taken apart: code blocks, commands, links, headings."""

import re
import shlex
import textwrap
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]

FENCE = re.compile(r"^\s*```(\S*)\s*$")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#{1,6}) (.+?)\s*$")
SPAN = re.compile(r"`(reverie [^`]+)`")


class Block(NamedTuple):
    """A fenced code block."""

    page: Path
    line: int  # of its first fence, counted from 1
    language: str
    text: str

    @property
    def name(self) -> str:
        """Where it stands, for the names of tests."""
        return f"{self.page.name}:{self.line}"


def parts(page: Path) -> tuple[list[Block], str]:
    """The code blocks of a page, and the page with empty lines in their place.

    Raises ValueError for a fence that is not closed or names no language, and for code that is
    indented instead (it could be of any language, and nothing would check it).
    """
    found, prose, opened, inside = [], [], None, []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if opened is None and fence is None:
            if line.startswith("    ") and not "".join(prose[-1:]).strip():
                raise ValueError(f"{page.name}:{number}: indented code; fence it with a language.")
            prose.append(line)
            continue
        prose.append("")
        if opened is not None and fence is None:
            inside.append(line)
        elif opened is not None:
            text = textwrap.dedent("\n".join(inside)) + "\n"  # a block may belong to a list
            found.append(Block(page, *opened, text))
            opened, inside = None, []
        elif fence is not None and not fence[1]:
            raise ValueError(f"{page.name}:{number}: a code block that names no language.")
        elif fence is not None:
            opened = number, fence[1]
    if opened is not None:
        raise ValueError(f"{page.name}:{opened[0]}: a fence that is not closed.")
    return found, "\n".join(prose)


def blocks(language: str) -> list[Block]:
    """All blocks of one language."""
    return [block for page in PAGES for block in parts(page)[0] if block.language == language]


def commands(block: Block) -> list[list[str]]:
    """The words of every line of a shell block; comments end a line, `;` ends a command."""
    text = block.text.replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip()]
    split = [shlex.split(line, comments=True) for line in lines]
    return [words for line in split for words in _at_semicolons(line) if words]


def _at_semicolons(words: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for word in words:
        found[-1].append(word.removesuffix(";"))
        if word.endswith(";"):
            found.append([])
    return found


def spans(page: Path) -> list[str]:
    """`reverie …` between single backticks."""
    return SPAN.findall(parts(page)[1])


def links(page: Path) -> list[str]:
    """Targets of links and pictures, web addresses left out."""
    prose = re.sub(r"`[^`]*`", "", parts(page)[1])
    return [target for target in LINK.findall(prose) if "://" not in target]


def anchors(page: Path) -> set[str]:
    """Anchors of the headings, as Python-Markdown and GitHub both write them."""
    found: set[str] = set()
    for line in parts(page)[1].splitlines():
        if heading := HEADING.match(line):
            words = re.sub(r"[^\w\s-]", "", heading[2].lower()).strip()
            slug = re.sub(r"\s", "-", words)
            if slug == re.sub(r"[-\s]+", "-", words):  # else the two write different ones
                found.add(slug)
    return found
