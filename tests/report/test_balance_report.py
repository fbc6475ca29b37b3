"""Coefficients of loss balancing on the page, beside their closed-form optimum."""

import base64
import json

import numpy as np
import pytest
from fake_run import make_run

from reverie.report import panels
from reverie.report.balance import optimum, shown
from reverie.report.curves import embedded
from reverie.report.page import render
from reverie.report.read import read_runs

LOSS = {"rew": 0.1, "obs": 10.0, "dyn": 2.0}


def balanced_run(folder, **edits):
    """A run of 200 log lines whose task losses are LOSS, up and down by half in turn."""
    make_run(folder, media=False, evaluations=1, edits=edits)
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for k in range(200):
        row = {"step": 30_000 + k}
        for task, loss in LOSS.items():
            row[f"balance/before/{task}"] = loss * (1.5 if k % 2 else 0.5)
            row[f"balance/coef/{task}"] = np.exp(-k / 100)
        rows.append(row)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ({"world.balance": "harmony"}, {"rew": 2.701562, "obs": 0.091608}),
        ({"world.balance": "unrectified"}, {"rew": 10.0, "obs": 0.1}),
        (
            {"world.balance": "harmony", "world.balance.form": "jax"}
            | {"world.dynamics.dyn": 0.5, "world.dynamics.rep": 0.1},
            {"dyn": 0.316497, "rew": 2.701562},
        ),
    ],
)
def test_the_optimum_is_that_of_the_mean_loss(edits, expected, tmp_path):
    (run,) = read_runs([balanced_run(tmp_path / "run", **edits)])
    for task, value in expected.items():
        found = optimum(run, f"balance/coef/{task}")
        assert found.value[-1] == pytest.approx(value, rel=1e-5)
        assert found.step[-1] == 30_199
    assert optimum(run, "balance/before/rew") is None


def test_fixed_weights_have_no_optimum_and_show_only_the_weights(tmp_path):
    (run,) = read_runs([balanced_run(tmp_path / "run")])
    assert optimum(run, "balance/coef/rew") is None
    assert shown(sorted(run.series), [run]) == [f"balance/coef/{t}" for t in ("dyn", "obs", "rew")]


def test_the_page_draws_both(tmp_path):
    folders = [
        balanced_run(tmp_path / "harmony", **{"world.balance": "harmony"}),
        balanced_run(tmp_path / "fixed"),
    ]
    runs = read_runs(folders)
    found = panels.sections(runs, panels.constants(runs))
    section = next(s for s in found if s.title == "Loss balance")
    panel = next(panel for panel in section.panels if panel.name == "coef/obs")
    assert "Dashed: the optimum for the running mean of this loss." in panel.meaning
    own, other = embedded(runs)["curves"].values()
    best = own["balance/coef/obs optimum"]
    assert best["n"] == 200 and "balance/coef/obs optimum" not in other
    values = np.frombuffer(base64.b64decode(best["y"][2:]), "<f4")
    assert best["last"] == optimum(runs[0], "balance/coef/obs").value[-1]
    assert values[-1] == pytest.approx(best["last"], rel=1e-3)
    alone = render(runs[:1])
    assert "Loss balance" in alone and "optimum" in alone
