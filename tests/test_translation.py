"""Every command of docs/translate.md is understood by the real parsers."""

import ast
import re
import shlex
from pathlib import Path

import pytest
from doc_commands import understand as understand_words

from reverie.config.benchmarks import BENCHMARKS
from reverie.config.presets import resolve
from reverie.envs import catalog
from reverie.part.errors import ConfigError

PAGE = Path(__file__).parent.parent / "docs" / "translate.md"
ROW = re.compile(r"^\| (?P<there>.+?) \| `(?P<here>[^`]+)` \|$")
BASE = re.compile(r"^Flags alone go behind `(?P<command>reverie [^`]+)`")


def rows() -> list[tuple[str, str]]:
    """(theirs, ours) of every table of the page; each line of a table must be such a row.

    Flags alone are completed by the command that their section names.
    """
    found, command = [], ""
    for line in PAGE.read_text().splitlines():
        if base := BASE.match(line):
            command = base["command"]
        if line.startswith("|") and line not in ("| there | here |", "|---|---|"):
            match = ROW.match(line)
            assert match, line
            here = match["here"]
            found.append((match["there"], f"{command} {here}" if here[:2] == "--" else here))
    return found


def understand(here: str) -> None:
    if here.startswith("reverie.train("):
        call = ast.parse(here, mode="eval").body
        assert isinstance(call, ast.Call)
        options = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
        task = call.args[0]
        name = task.value if isinstance(task, ast.Constant) else "custom:make_env"
        resolve(str(name), **options)
        return
    understand_words(shlex.split(here))


@pytest.mark.parametrize(("there", "here"), rows(), ids=lambda text: text[:70])
def test_a_row_is_understood(there, here):
    assert there
    understand(here)


@pytest.mark.parametrize(
    "here",
    [
        "reverie train gym:X-v0 --train.ratoi 3",
        "reverie train atari_pong --size 7m",
        "reverie train dmc_walker_wlk",
    ],
)
def test_a_wrong_row_would_be_noticed(here):
    with pytest.raises((ConfigError, catalog.EnvError)):
        understand(here)


def test_the_page_knows_only_presets_that_exist():
    named = re.findall(r"--preset (\S+?)[` ]", PAGE.read_text())
    assert named and set(named) <= set(BENCHMARKS)
