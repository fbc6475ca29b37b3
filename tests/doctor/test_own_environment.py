"""docs/own_environment.md, executed as a new user would."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own_environment.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bright.py").write_text(BLOCKS[0])
    return tmp_path


def run(folder, *words):
    path = os.pathsep.join([str(folder), *sys.path])
    command = [sys.executable, "-W", "ignore", *words]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=900,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


def test_the_page_has_the_three_steps():
    assert len(BLOCKS) == 3
    assert "runs/bright" in BLOCKS[2]


def test_the_doctor_finds_it_healthy(folder):
    done = run(
        folder, "-m", "reverie", "doctor", "bright:make_env", "--steps", "300", "--seconds", "0"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "doctor-custom-bright.make_env.png").is_file()
    assert "healthy" in done.stdout


def test_the_doctor_from_python(folder):
    block = BLOCKS[1].replace("steps=300", "steps=300, seconds=0")
    (folder / "check.py").write_text(block)
    done = run(folder, "check.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok seeds" in done.stdout


@pytest.mark.slow
def test_it_trains_on_the_first_try(folder):
    block = BLOCKS[2].replace("steps=2_000", 'preset="debug", steps=400')
    assert block != BLOCKS[2]
    (folder / "learn.py").write_text(block)
    done = run(folder, "learn.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "eval/return" in done.stdout
    assert (folder / "runs" / "bright" / "metrics.jsonl").is_file()
