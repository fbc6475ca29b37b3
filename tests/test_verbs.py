"""The verbs for real, one after the other, on a probe: train, resume, eval, report, load."""

import json
import subprocess
import sys

import pytest

import reverie


def run(*words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "reverie", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_train_resume_eval_report_load(tmp_path):
    folder = tmp_path / "run"
    words = ["train", "probe_observation", "--preset", "debug", "--logdir", str(folder)]
    done = run(*words, "--steps", "300")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"run folder: {folder}\n")
    config = reverie.saved_config(folder)
    assert (config.size, config.steps, config.train.batch) == ("debug", 300, 8)

    done = run(*words, "--steps", "400")
    assert done.returncode == 0, done.stderr
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == sorted(steps)
    assert steps[-1] >= 400

    done = run(*words, "--seed", "1")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "seed is 0 there and 1 here" in done.stderr

    done = run("eval", str(folder), "--episodes", "4", "--envs", "2")
    assert done.returncode == 0, done.stderr
    assert "eval/episodes" in done.stdout

    done = run("report", str(folder))
    assert done.returncode == 0, done.stderr
    assert (folder / "report.html").read_text().lower().startswith("<!doctype html>")

    agent = reverie.load(folder)
    assert set(agent.action_specs) == {"action"}
