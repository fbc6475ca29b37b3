"""The code of the guide's page on callbacks is run, with runs of seconds in place of minutes."""

import re
import textwrap
from pathlib import Path

import pytest
from tiny_runs import TINY, metrics

import reverie
import reverie.api
from reverie.callbacks.base import EVENTS

GUIDE = Path(__file__).parent.parent.parent / "docs" / "guide.md"
SHORT = {**TINY, "steps": 120, "train.eval_every": 40, "device.precision": "f32"}


def section(title):
    text = GUIDE.read_text()
    return text[text.index(f"\n## {title}\n") :].split("\n## ")[1]


def blocks(title):
    found = re.findall(r"^( *)```python\n(.*?)^ *```", section(title), re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(code) for _, code in found]


@pytest.fixture
def short(tmp_path, monkeypatch, cache, traced_once):
    """`reverie.train` with few steps, in a folder of its own; options of the guide stay known."""
    real = reverie.api.train

    def train(task, **options):
        overrides = {**options.pop("overrides", {}), **SHORT}
        options["steps"], options["size"] = 120, "debug"
        return real(task, **options, overrides=overrides)

    monkeypatch.setattr(reverie.api, "train", train)
    monkeypatch.chdir(tmp_path)


def test_the_code_of_the_guide_runs(short, tmp_path):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    names = {"reverie": reverie}
    for code in blocks("Callbacks"):
        exec(code, names)
    rows = metrics(tmp_path / "runs" / "watched")
    logged = [row for row in rows if "callback/Curious/longest" in row]
    assert len(logged) == sum("episode/return" in row for row in rows) > 0
    assert (tmp_path / "runs" / "watched" / "checkpoints" / "best").is_dir()
    assert names["lines"].lines[-1] == "the end"
    study = optuna.create_study(direction="maximize")
    study.optimize(names["objective"], n_trials=1)
    assert list(study.trials[0].intermediate_values) == [40, 80, 120]


def test_the_table_of_the_guide_lists_every_event():
    assert re.findall(r"^\| `(on_\w+)`", section("Callbacks"), re.MULTILINE) == list(EVENTS)
