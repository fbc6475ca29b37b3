"""Names in the sentences of the pages exist: options, metrics, files of the repository."""

import ast
import importlib.util
import re

import gymnasium
import pytest
from doc_pages import DOCS, PAGES, ROOT, parts

import reverie
from reverie.config.edit import field_docs
from reverie.config.presets import resolve
from reverie.watch.metric_names import CATALOGUE, find

SPAN = re.compile(r"`([^`\n]+)`")
LEFT_OUT = (DOCS / "translate.md", DOCS / "metrics.md")
"""The first holds names of other programs (tests/test_translation.py reads ours), the second is
written from the catalogue."""
OURS = [page for page in PAGES if page not in LEFT_OUT]

OPTIONS = field_docs()
GROUPS = {path.partition(".")[0] for path in OPTIONS if "." in path}
FAMILIES = {metric.pattern.partition("/")[0] for metric in CATALOGUE}
FOLDERS = ("benchmarks", "docs", "examples", "scripts", "src", "tests")
PLACES = (ROOT, ROOT / "src" / "reverie", ROOT / "examples" / "my_parts")
"""Where a file may lie that a page names."""


def named(text: str) -> list[str]:
    """Dotted options between backticks, dashes taken off; `.part` after another one is left out."""
    spans = SPAN.findall(text)
    alone = [span for span in spans if re.fullmatch(r"[a-z]\w*(\.\w+)+", span)]
    flags = [flag for span in spans for flag in re.findall(r"--([a-z][\w.-]*\.[\w.-]+)", span)]
    found = [name.replace("-", "_") for name in (*alone, *flags)]
    return [name for name in found if name.partition(".")[0] in GROUPS]


def no_option(name: str) -> bool:
    group, dot, leaf = name.rpartition(".")
    whole = group + dot + leaf.removeprefix("no_")
    elsewhere = leaf in ENDINGS or (group == "env" and leaf in dir(gymnasium.Env))
    return name not in OPTIONS and whole not in OPTIONS and not elsewhere


ENDINGS = ("md", "py", "mp4")
"""`replay.md` is a page, `train.py` and `replay.mp4` are files; `env.spec` is an environment's."""


def no_metric(name: str) -> bool:
    plain = re.sub(r"<\w+>", "x", name)
    above = any(f"{metric.pattern}/".startswith(f"{name}/") for metric in CATALOGUE)
    return name.partition("/")[0] in FAMILIES and find(plain) is None and not above


@pytest.mark.parametrize("page", OURS, ids=lambda page: page.name)
def test_names_in_sentences_exist(page):
    text = parts(page)[1]
    spans = SPAN.findall(text)
    assert [name for name in named(text) if no_option(name)] == []
    metrics = [span for span in spans if re.fullmatch(r"[a-z]+/[\w/<>]*\w>?", span)]
    assert [name for name in metrics if no_metric(name)] == []
    files = [span for span in spans if re.fullmatch(r"\w+/[\w/.-]*", span)]
    files = [file for file in files if file.partition("/")[0] in FOLDERS or file.endswith(".py")]
    assert [file for file in files if not any((at / file).exists() for at in PLACES)] == []


def test_a_wrong_name_would_be_noticed():
    assert named("`replay.draw.shape`, `--train.ratoi 3`, `metrics.jsonl`") == [
        "replay.draw.shape",
        "train.ratoi",
    ]
    assert no_option("train.ratoi") and not no_option("train.ratio")
    assert not no_option("replay.no_online") and not no_option("replay.md")
    assert no_metric("eval/retrun") and not no_metric("train/ent/<action>")
    assert not no_metric("tests/golden")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_in_sentences_exists(page):
    """`reverie.NAME` is public, or a module; `overrides={...}` is understood."""
    spans = SPAN.findall(parts(page)[1])
    names = {name for span in spans for name in re.findall(r"\breverie\.([A-Za-z]\w+)", span)}
    assert {name for name in names if name not in reverie.__all__ and not module(name)} == set()
    for span in spans:
        for text in re.findall(r"overrides=(\{[^}]*\})", span):
            assert resolve("gym:CartPole-v1", overrides=ast.literal_eval(text))


def module(name: str) -> bool:
    return importlib.util.find_spec(f"reverie.{name}") is not None or name in ENTRY_POINTS


ENTRY_POINTS = ("parts", "suites")
"""`reverie.parts` is what packages call their entry points."""
