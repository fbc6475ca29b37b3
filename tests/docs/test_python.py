"""Every Python block of README and docs/ runs as printed, in the order of its page.

Runs are made small behind the pages' backs: what a page asks for is composed and checked as ever,
then `doc_runs.shrunk` makes the configuration small before it reaches the loop.
"""

import tomllib

import pytest
from doc_pages import DOCS, PAGES, blocks, parts
from doc_runs import MAKER, give

import reverie
from reverie.api import sweep_plan, sweep_words
from reverie.config.presets import resolve

ELSEWHERE = {
    "own_environment.md": "tests/doctor/test_own_environment.py",
    "scale.md": "tests/sweeps/test_follow.py",
}
"""Pages whose blocks other tests run, or runs are processes of their own."""
OPTIONAL = ("optuna", "IPython")
"""Packages that a page may import and that need not be there."""

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
