"""Every command of README and docs/ is understood; what the pages say of options is the code's."""

import re
import runpy
import sys
import tomllib

import pytest
from doc_commands import MODULES, understand
from doc_pages import DOCS, PAGES, ROOT, blocks, commands, parts, spans

from reverie.part.errors import ConfigError
from reverie.verbs import VERBS

OTHERS = {
    ("python", "-m", "pytest", "tests/faults", "-m", "slow"),
    ("python", "scripts/commands_page.py", "docs/commands.md"),
    ("docker", "build", "--target", "cpu", "-t", "reverie", "."),
    ("docker", "build", "--target", "cuda", "-t", "reverie:cuda", "."),
    ("apt-get", "install", "debootstrap"),
    ("hf", "auth", "login"),
}
"""Commands of other programs, besides those of make and pip."""
OPEN = re.compile(r"\.\.\.|…|\||VERB|FILTER|FIELD|FILE|KEY|FUNCTION|DIR|[\[\]]")
"""What a command holds that is a pattern, and no line to type."""
LOOP = ("for", "do", "done")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder as the reader has it: modules and a preset of their own."""
    (tmp_path / "my_package").mkdir()
    for name, page in MODULES.items():
        python = [block for block in parts(DOCS / page)[0] if block.language == "python"]
        (tmp_path / name).write_text(python[0].text)
    (tmp_path / "mine.toml").write_text("steps = 1000\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("my_draws", "my_package"):
            del sys.modules[name]


def check(words: list[str]) -> None:
    """Fails for a command that would be refused, and for one that nobody listed."""
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    if words[0] == "docker" and (verbs := [n for n, word in enumerate(words) if word in VERBS]):
        words = ["reverie", *words[verbs[0] :]]  # the container's command is ours
    match words:
        case ["reverie", *_]:
            understand(words)
        case ["python", script, *rest] if "--" in rest:
            assert (ROOT / script).is_file()
            understand(["reverie", *words[words.index("--") + 1 :]])
        case ["make", target]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target
        case ["pip", "install", *named]:
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
            for extra in re.findall(r"\[(.+)\]", named[-1]):
                assert set(extra.split(",")) <= set(extras["optional-dependencies"]), extra
        case [first, *_] if first not in LOOP:
            assert tuple(words) in OTHERS, words


@pytest.mark.parametrize("block", blocks("sh"), ids=lambda block: block.name)
def test_a_block_of_commands_is_understood(block, home):
    for words in commands(block):
        if "--save" in words:
            (home / "mine.toml").unlink()
        check(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_in_a_sentence_is_understood(page, home):
    for text in spans(page):
        words = text.split()
        if words[1:] != [words[-1]] and not OPEN.search(text):  # more than the name of a verb
            understand(words)


@pytest.mark.parametrize(
    "line",
    [
        ["reverie", "train", "TASK", "--train.ratoi", "3"],
        ["reverie", "eval", "RUN", "--episode_count", "3"],
        ["reverie", "reprot", "RUN"],
        ["make", "coffee"],
        ["pip", "install", ".[clasic]"],
        ["rm", "-r", "runs"],
    ],
)
def test_a_wrong_line_would_be_noticed(line, home):
    with pytest.raises((ConfigError, SystemExit, AssertionError)):
        check(line)


def test_only_languages_that_are_checked():
    known = {"sh", "python", "toml", "text"}
    assert {block.language for page in PAGES for block in parts(page)[0]} <= known


def test_every_verb_has_its_section_and_tables_are_the_code_s():
    page = (DOCS / "commands.md").read_text()
    named = re.findall(r"^## reverie (\w+)$", page, re.MULTILINE)
    assert sorted(named) == sorted(VERBS)
    written = runpy.run_path(str(ROOT / "scripts" / "commands_page.py"))["written"]
    assert written(page) == page, "run `python scripts/commands_page.py docs/commands.md`"
