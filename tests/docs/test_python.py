"""Every Python block of README and docs/ runs as printed, in the order of its page.

Runs are made small behind the pages' backs: what a page asks for is composed and checked as ever,
then `shrunk` makes the configuration small before it reaches the loop.
"""

import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from doc_pages import DOCS, PAGES, blocks, parts
from tiny_runs import TINY

import reverie
from reverie.api import sweep_plan, sweep_words
from reverie.config.edit import apply, flat
from reverie.config.presets import resolve
from reverie.config.sizes import size_edits
from reverie.folder.run_folder import read_config, write_config

ELSEWHERE = {
    "own_environment.md": "tests/doctor/test_own_environment.py",
    "scale.md": "tests/sweeps/test_follow.py",
}
"""Pages whose blocks other tests run, or runs are processes of their own."""
OPTIONAL = ("optuna", "IPython")
"""Packages that a page may import and that need not be there."""

MAKER = """
import gymnasium
import reverie

def make_env():
    return gymnasium.make("CartPole-v1")
"""
BEFORE = {
    "guide.md": MAKER + "env = make_env()\nobs, _ = env.reset(seed=0)\n",
    "continual.md": MAKER + "first_task = second_task = 'gym:CartPole-v1'\n",
    "export.md": """
from reverie.cli import main
assert main(["export", "runs/mine"]) == main(["export", "runs/mine", "--to", "onnx"]) == 0
""",
    "faults.md": """
import os, subprocess
from fault_library import Fault, variables
command, logdir, library = ["true"], "runs", ""
""",
    "replay.md": """
import pytest
import reverie
from reverie.replay.options import ReplayConfig
from score_models import add_rows, make_replay
""",
}
"""What the reader of a page has at hand where it does not say so itself."""
FOLDERS = {
    "first_agent.md": ["gym_CartPole-v1-v3-0"],
    "guide.md": ["mine"],
    "export.md": ["mine"],
    "report.md": ["mine"],
    "compare.md": ["a-0", "a-1", "b-0", "b-1"],
}
"""Run folders that a page reads."""


SMALL = {**TINY, "behavior.starts": 0, "device.precision": "f32"}
PLAIN = resolve("gym:CartPole-v1", size="debug", overrides=SMALL)
SAME = ("behavior.horizon", "optim.lr", "optim.warmup", "train.eval_envs")
"""Numbers that presets of the pages choose, and that would compile one program for each."""


def shrunk(config):
    """The same run, over in seconds."""
    plain = {path: value for path, value in flat(PLAIN).items() if path in SAME}
    edits = {**SMALL, **plain, "steps": 120, **size_edits("debug", config.agent)}
    edits["train.eval_every"] = 60 * bool(config.train.eval_every)
    if config.sequence.tasks:
        edits["sequence.steps"] = [60] * len(config.sequence.tasks)
    return apply(config, edits)


@pytest.fixture(scope="module")
def train(tmp_path_factory, traced_once, cache):
    """The loop for shrunk runs: one that was there before under another name is copied."""
    from reverie.train import loop

    real, made = loop.train, {}

    def learn(config, make_env=None, **options):
        config = shrunk(config)
        key = repr(replace(config, logdir="", task="any"))
        if options or key not in made:
            made[key] = real(config, make_env=make_env, **options)
            return made[key]
        folder = Path(config.logdir or f"runs/{len(made)}")
        shutil.copytree(made[key], folder)
        write_config(folder, replace(config, logdir=str(folder)), [])
        return folder

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "train", learn)
        yield learn


@pytest.fixture
def home(monkeypatch, tmp_path, train):
    """An empty folder to work in."""
    monkeypatch.setattr("reverie.machine.device._cache", lambda folder: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def give(home, train, names: list[str]) -> None:
    """Finished runs on CartPole under these names; those called b-… have another learning rate."""
    for name in names:
        folder = train(replace(PLAIN, logdir=str(home / "runs" / name)))
        if name.startswith("b-"):
            config = apply(read_config(folder / "config.json"), {"optim.lr": 1e-3})
            write_config(folder, config, [])


PYTHON = [page for page in PAGES if any(b.language == "python" for b in parts(page)[0])]


@pytest.mark.parametrize("page", PYTHON, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(page, home, train, request):
    if page.name in ELSEWHERE:
        test = request.config.rootpath / ELSEWHERE[page.name]
        assert page.name in test.read_text()
        return
    give(home, train, FOLDERS.get(page.name, []))
    scope = {"__name__": "page"}
    exec(BEFORE.get(page.name, ""), scope)
    for block in parts(page)[0]:
        if block.language == "python":
            line = "\n" * block.line  # so that a traceback names the page's own line
            try:
                exec(compile(line + block.text, str(page), "exec"), scope)
            except ModuleNotFoundError as error:
                assert error.name in OPTIONAL, error
    for name in [name for name in scope if name.startswith("test_")]:
        scope[name]()


@pytest.mark.parametrize("block", blocks("toml"), ids=lambda block: block.name)
def test_a_toml_block_is_read(block, tmp_path):
    found = tomllib.loads(block.text)
    path = tmp_path / "mine.toml"
    path.write_text(block.text)
    if "tasks" in found:  # the plan of a sweep
        assert sweep_plan.compose(sweep_words.of_file(path)).plan
    elif "project" not in found:  # a preset
        assert resolve("gym:CartPole-v1", preset=path)


def test_the_reference_has_every_public_name():
    page = (DOCS / "reference.md").read_text()
    headed = [line.split()[-1] for line in page.splitlines() if line.startswith("      heading: ")]
    assert set(headed) >= {f"reverie.{name}" for name in reverie.__all__}
