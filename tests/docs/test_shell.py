"""Commands of README and docs/ run as printed; those that learn, minutes together, are slow tests.

Runs that a command reads are short and were made before; of an evaluation only the number of
episodes is changed. What a command learns is shrunk as for the Python blocks (`doc_runs.py`).
"""

import itertools
import re
import shutil
import sys
from pathlib import Path

import pytest
from doc_commands import MODULES, PLACES
from doc_pages import DOCS, blocks, commands, parts
from doc_runs import MAKER, give

from reverie.cli import main
from reverie.train.group import train as group

OTHERS = {
    r"(?!reverie )": "other programs",
    r"reverie dream|.* --live": "serves until it is stopped: tests/dream, tests/live",
    r"reverie (push|pull|eval agent)": "needs a hub: tests/share",
    r"reverie sweep|.*runs/sweep": "starts processes: tests/sweeps",
    r"reverie bench": "measures for minutes: tests/bench",
    r".*(backend ray|device\.kind gpu|device\.mesh|s3://|file://)": "needs other machines",
    r".*bright": "tests/doctor/test_own_environment.py",
    r"reverie doctor gym:ID|.*MODULE:FUNCTION": "holds a word of the reader's own",
    r"reverie compare .*(agent,size|--by replay|--reference)": "needs runs that differ so, or of "
    "two tasks: tests/report",
    r"reverie eval .*--env": "needs a run on a callable: tests/test_eval_verb.py",
    r"reverie export": "needs packages and a minute: tests/export",
}
"""Commands that are not run here, and why."""

LEARNING = ("train", "continual", "doctor")
"""Verbs that make environments and learn or measure: minutes, all of them together."""


def left_out(words: list[str]) -> str:
    """Why a command is not run; '' where it is."""
    line = " ".join(words)
    return next((why for what, why in OTHERS.items() if re.match(what, line)), "")


def learns(words: list[str]) -> bool:
    return words[1] in LEARNING and "--help" not in words


def found(*, learning: bool) -> list:
    """The commands that are run, with the names of their tests."""
    rows = [(block, n, words) for block in blocks("sh") for n, words in enumerate(commands(block))]
    rows = [row for row in rows if not left_out(row[2]) and learns(row[2]) == learning]
    return [pytest.param(words, id=f"{b.name}.{n}-{words[1]}") for b, n, words in rows]


def expanded(word: str, home: Path) -> list[str]:
    """What a shell makes of a word."""
    paths = home.glob(word) if "*" in word else ()
    return sorted(str(path.relative_to(home)) for path in paths) or [word]


def prepare(words: list[str], home, train) -> list[str]:
    """Give the runs that a command reads; the words as a shell hands them on, without `reverie`."""
    words = [PLACES.get(word, word) for word in words[1:]]
    if words[0] not in LEARNING or "--init" in words:
        read = [word for before, word in itertools.pairwise(words) if before != "--logdir"]
        named = [re.fullmatch(r"runs/([\w.*/-]+)", word) for word in read]
        names = {match[1].replace("*", "0") for match in named if match}
        give(home, train, sorted(names))
    words = [path for word in words for path in expanded(word, home)]
    if ">" in words:
        words = words[: words.index(">")]
    if "--episodes" in words:
        words[words.index("--episodes") + 1] = "1"
    return words


@pytest.fixture
def own(home, monkeypatch):
    """The folder, with what the reader has there: modules and a preset."""
    (home / "my_package").mkdir()
    (home / "my_package" / "envs.py").write_text(MAKER)
    for name, page in MODULES.items():
        python = [block for block in parts(DOCS / page)[0] if block.language == "python"]
        (home / name).write_text(python[0].text)
    (home / "mine.toml").write_text("steps = 1000\n")
    monkeypatch.syspath_prepend(str(home))
    yield home
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("my_draws", "my_package"):
            del sys.modules[name]


@pytest.mark.parametrize("words", found(learning=False))
def test_a_command_that_reads_does_what_it_says(words, own, train, capsys):
    words = prepare(words, own, train)
    if "best" in words:
        folder = own / "runs" / "mine" / "checkpoints"
        newest = max(path.name for path in folder.iterdir() if path.is_dir())
        shutil.copytree(folder / newest, folder / "best" / newest)
    if "--save" in words:
        (own / "mine.toml").unlink()
    assert main(words) == 0
    assert capsys.readouterr().out


@pytest.fixture
def one_by_one(monkeypatch, train):
    """Seeds that learn together do it one after the other: the loop is short, their program not."""

    def learn(configs, make_env=None, **_):
        return [group.Outcome(config, train(config, make_env)) for config in configs]

    monkeypatch.setattr(group, "train", learn)


@pytest.mark.slow
@pytest.mark.parametrize("words", found(learning=True))
def test_a_command_that_learns_ends_with_what_it_promises(words, own, train, one_by_one, capsys):
    words = prepare(words, own, train)
    code = main(words)
    said = capsys.readouterr()
    if code and "pip install" in said.err:
        pytest.skip(said.err)
    assert code == 0, said.err
    if "--seeds" in words:
        assert len([*own.rglob("config.json")]) == 5
    else:
        assert ("healthy" if words[0] == "doctor" else "run folder: ") in said.out


def test_most_commands_are_run_and_no_reason_is_left_over():
    every = [" ".join(words) for block in blocks("sh") for words in commands(block)]
    ours = [line for line in every if line.startswith("reverie ")]
    assert len(found(learning=False)) + len(found(learning=True)) >= len(ours) / 2
    assert [what for what in OTHERS if not any(re.match(what, line) for line in every)] == []
