"""Groups of runs: what is compared with what, what is said about it, and what is written."""

import csv
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from fake_run import make_run
from test_report import Page

import reverie
from reverie.cli import main
from reverie.config import edit
from reverie.config.schema import Config
from reverie.config.strategies import STRATEGIES
from reverie.report.compare import Options, compare_runs
from reverie.report.groups import fields_of, split
from reverie.report.read import ReportError, read_runs


def run_of(folder, rows, **edits):
    """A run folder with the given configuration and metric lines."""
    folder.mkdir(parents=True)
    config = edit.apply(Config(), {"size": "1m", "steps": 100, **edits})
    head = {"config": edit.to_json(config), "versions": {}, "command": "reverie train"}
    (folder / "config.json").write_text(json.dumps(head))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def evaluated(values, steps=(25, 50, 100)):
    return [{"step": s, "eval/return": v} for s, v in zip(steps, values, strict=True)]


def two_groups(folder, **more):
    """Three seeds at each of two rates: finals 1, 2, 3 and 10, 20, 30."""
    return [
        run_of(
            folder / f"{rate}-{seed}",
            evaluated((0, scale, scale * (seed + 1))),
            **{"optim.lr": rate, "seed": seed, **more},
        )
        for rate, scale in ((1e-4, 1.0), (1e-3, 10.0))
        for seed in range(3)
    ]


def said(paths, **options):
    return compare_runs(paths, Options(**options)).notes


def test_numbers_by_hand(tmp_path):
    found = compare_runs(two_groups(tmp_path), Options(("optim.lr",), resamples=500))
    assert [group.name for group in found.groups] == ["lr=0.0001", "lr=0.001"]
    (part,) = found.tasks
    assert (part.task, part.metric, part.end) == ("gym:CartPole-v1", "eval/return", 100)
    assert part.score == "eval/return, last evaluation"
    assert part.grid.tolist() == [25, 50, 100]
    low, high = part.rows
    assert low.seeds == (0, 1, 2) and low.scores.tolist() == [1, 2, 3]
    assert low.curve.value.tolist() == [0, 1, 2]
    assert low.mean.value == 2 and 1 <= low.mean.low < 2 < low.mean.high <= 3
    # trapezoids of (25, 0), (50, 1), (100, 2) over 75 steps
    assert low.area.value == pytest.approx((12.5 + 75) / 75)
    assert low.gain is None and low.better is None
    assert high.gain.value == 18 and high.gain.low > 0 and high.better.value == 1.0


def test_training_episodes_where_evaluations_are_missing(tmp_path):
    rows = [{"step": s, "episode/return": float(s)} for s in range(10, 101, 10)]
    a = run_of(tmp_path / "a", [*rows, {"step": 100, "eval/return": 7.0}])
    b = run_of(tmp_path / "b", rows, seed=1)
    (part,) = compare_runs([a, b]).tasks
    assert part.metric == "episode/return"
    assert part.score == "episode/return, mean of the last 10% of the steps"
    assert part.rows[0].scores.tolist() == [100, 100]
    # With an evaluation at the end of all runs, that is the score; the curve stays.
    c = run_of(tmp_path / "c", [*rows, {"step": 100, "eval/return": 9.0}], seed=1)
    (part,) = compare_runs([a, c]).tasks
    assert part.metric == "episode/return" and part.rows[0].scores.tolist() == [7, 9]
    (part,) = compare_runs([a, b], Options(metric="episode/return")).tasks
    assert part.rows[0].area.value == pytest.approx(55)


def test_runs_of_unequal_length(tmp_path):
    a = run_of(tmp_path / "a", evaluated((1, 2, 3)))
    b = run_of(tmp_path / "b", evaluated((1, 2), (25, 50)), seed=1)
    found = compare_runs([a, b])
    assert found.tasks[0].end == 50 and found.tasks[0].rows[0].scores.tolist() == [2, 2]
    notes = " ".join(found.notes)
    assert "reach up to step 100 and are compared up to 50: the shortest (b) ends there" in notes
    assert "Not at the end of their run: b (50 of 100)." in notes
    found = compare_runs([a, b], Options(until=100))
    assert [run.label for run in found.tasks[0].rows[0].runs] == ["a"]
    assert "b ends at step 50, before 100, and is left out." in found.notes
    with pytest.raises(ReportError, match="nothing to compare: a ends at step 100, before 500"):
        compare_runs([a, b], Options(until=500))


def test_a_run_that_begins_after_the_end_is_left_out(tmp_path):
    a = run_of(tmp_path / "a", evaluated((1, 2, 3), (10, 20, 30)), steps=30)
    b = run_of(tmp_path / "b", [{"step": 20, "loss/rew": 1}, *evaluated((7,), (100,))], seed=1)
    found = compare_runs([a, b])
    assert "b has no eval/return up to step 30 and is left out." in found.notes
    assert [run.label for run in found.tasks[0].rows[0].runs] == ["a"]
    with pytest.raises(ReportError, match="a has no eval/return up to step 5 and is left out"):
        compare_runs([a], Options(until=5, metric="eval/return"))


def test_ends_that_differ_by_an_episode_are_one_end(tmp_path):
    paths = [
        run_of(tmp_path / str(end), evaluated((1, 2, end), (25, 50, end)), seed=end)
        for end in (1000, 1003)
    ]
    found = compare_runs(paths)
    assert found.tasks[0].rows[0].scores.tolist() == [1000, 1003]
    assert not [note for note in found.notes if "reach" in note]


def test_missing_seeds_and_too_few(tmp_path):
    paths = two_groups(tmp_path)
    notes = said(paths[:-1], by=("lr",))
    assert "lr=0.001 lacks seed 2 on gym:CartPole-v1." in notes
    assert any("fewer than 5 runs" in note and "IQM is the mean" in note for note in notes)
    assert any("there is no interval" in note for note in said(paths[:1]))
    again = run_of(tmp_path / "again", evaluated((0, 1, 1)), **{"optim.lr": 1e-4})
    notes = said([*paths, again], by=("lr",))
    assert "lr=0.0001 holds seed 0 more than once on gym:CartPole-v1; each run counts." in notes


def test_what_else_differs_is_said(tmp_path):
    paths = two_groups(tmp_path)
    other = run_of(
        tmp_path / "other", evaluated((0, 1, 1)), **{"optim.lr": 1e-4, "world.dynamics.deter": 64}
    )
    notes = said([*paths, other], by=("lr",))
    assert any(
        note.startswith(
            "The runs of lr=0.0001 differ in more than the seed: world.dynamics.deter ("
        )
        for note in notes
    )
    paths = [
        run_of(
            tmp_path / f"x{deter}",
            evaluated((0, 1, 2)),
            **{"optim.lr": rate, "world.dynamics.deter": deter},
        )
        for rate, deter in ((1e-4, 64), (1e-3, 128))
    ]
    assert "The groups also differ in world.dynamics.deter." in said(paths, by=("lr",))


def test_fields_that_change_nothing_are_passed_over(tmp_path):
    a = run_of(tmp_path / "a", evaluated((0, 1, 2)), **{"log.wandb": "x", "device.kind": "cpu"})
    b = run_of(tmp_path / "b", evaluated((0, 1, 2)), seed=1, **{"train.keep": 5})
    found = compare_runs([a, b])
    assert [group.name for group in found.groups] == ["all"]
    assert len(found.notes) == 1  # few runs


def test_several_tasks_are_compared_one_by_one(tmp_path):
    first = two_groups(tmp_path / "a")
    second = two_groups(tmp_path / "b", task="gym:Acrobot-v1")
    found = compare_runs([*first, *second], Options(("lr",)))
    assert [part.task for part in found.tasks] == ["gym:CartPole-v1", "gym:Acrobot-v1"]
    assert all(len(row.runs) == 3 for part in found.tasks for row in part.rows)
    by_task = compare_runs([*first[:3], *second[:3]], Options(("task",)))
    assert [part.task for part in by_task.tasks] == [""]
    assert [row.group for row in by_task.tasks[0].rows] == [
        "task=gym:Acrobot-v1",
        "task=gym:CartPole-v1",
    ]


def test_names_of_fields(tmp_path):
    runs = read_runs(two_groups(tmp_path))
    assert fields_of((), runs) == ["optim.lr"]
    for name in ("optim.lr", "lr", "optim"):
        assert fields_of((name,), runs) == ["optim.lr"]
    assert fields_of(("agent", "lr", "optim.lr"), runs) == ["agent", "optim.lr"]
    groups = split(runs, ["agent", "optim.lr"])
    assert [group.name for group in groups] == ["agent=v3, lr=0.0001", "agent=v3, lr=0.001"]
    for name, message in (
        ("optim.lrr", "no configuration field 'optim.lrr' to compare by; did you mean 'optim.lr'?"),
        ("agnet", "did you mean 'agent'?"),
        ("behavior.actor", "the runs do not differ in 'behavior.actor'"),
        ("units", "'units' may be world.encoder.units or world.objective.units"),
    ):
        with pytest.raises(ReportError, match=message.replace("?", r"\?")):
            fields_of((name,), runs)


def test_replay_is_compared_by_the_names_of_strategies(tmp_path):
    paths = []
    for name in ("uniform", "uncertainty", "fifty_fifty", "random_replace", "own"):
        chosen = dict(STRATEGIES[name].edits) if name != "own" else {"replay.fresh": 0.0}
        more = {"replay.draw": "recency", "replay.draw.exponent": 0.9} if name == "own" else {}
        paths += [
            run_of(tmp_path / f"{name}{seed}", evaluated((0, 1, 2)), seed=seed, **chosen, **more)
            for seed in range(2)
        ]
    found = compare_runs(paths, Options(("replay",)))
    names = [group.name for group in found.groups]
    assert sorted(names) == sorted(
        f"replay={name}"
        for name in ("uniform", "uncertainty", "fifty_fifty", "random_replace", "own")
    )
    assert len(found.notes) == 1  # few runs; what the strategies set is not told again


def test_too_many_differences_ask_for_names(tmp_path):
    edits = {
        "world.dynamics.deter": 64,
        "world.dynamics.hidden": 8,
        "optim.lr": 1.0,
        "train.batch": 2,
        "env.num": 3,
    }
    runs = read_runs([run_of(tmp_path / "a", []), run_of(tmp_path / "b", [], **edits)])
    with pytest.raises(ReportError, match=r"the runs differ in 5 fields .* --by FIELD"):
        fields_of((), runs)


def test_metrics_that_are_not_there(tmp_path):
    paths = two_groups(tmp_path)
    with pytest.raises(ReportError, match="Did you mean --metric eval/return"):
        compare_runs(paths, Options(metric="eval/retrun"))
    empty = run_of(tmp_path / "empty", [], seed=9)
    notes = said([*paths, empty], by=("lr",))
    assert "empty has no eval/return and no episode/return yet and is left out." in notes
    with pytest.raises(ReportError, match="resamples at least 100"):
        Options(resamples=5)


def test_any_metric_can_be_compared(tmp_path):
    paths = [make_run(tmp_path / str(seed), seed=seed, media=False) for seed in range(2)]
    (part,) = compare_runs(paths, Options(metric="loss/rew", points=20)).tasks
    assert part.metric == "loss/rew" and len(part.grid) == 20
    assert part.rows[0].curve.value[0] > part.rows[0].curve.value[-1]


def test_the_folder(tmp_path):
    out = tmp_path / "out"
    found = reverie.compare(two_groups(tmp_path / "runs"), by="lr", out=out)
    assert found.page == out / "index.html"
    names = sorted(path.name for path in out.iterdir())
    assert names == ["comparison.json", "curves.csv", "gym_CartPole-v1.svg", "index.html"]
    page = Page(found.page.read_text())
    for words in ("By optim.lr", "6 runs in 2 groups", "lr=0.001", "+18", "bootstrap interval"):
        assert words in page.text, words
    assert page.tags.count("polygon") == 2  # a band a group
    assert page.addresses == ["data:,"]
    shown = re.search(r'<script type="application/json">(.*?)</script>', found.page.read_text())
    curve = json.loads(shown.group(1))["curves"][1]
    assert curve["label"] == "lr=0.001" and curve["y"] == [0, 10, 20]
    assert curve["low"][2] < 20 < curve["high"][2]
    tree = json.loads((out / "comparison.json").read_text())
    group = tree["tasks"][0]["groups"]["lr=0.001"]
    assert group["scores"] == [10, 20, 30] and group["mean"][0] == 20
    rows = list(csv.DictReader((out / "curves.csv").open()))
    assert [(row["step"], row["mean"]) for row in rows[:3]] == [
        ("25", "0"),
        ("50", "1"),
        ("100", "2"),
    ]
    picture = (out / "gym_CartPole-v1.svg").read_text()
    assert picture.startswith("<svg xmlns=") and picture.count("<polygon") == 2
    assert "http://www.w3.org/2000/svg" in picture and "var(" not in picture


def test_a_second_time_with_a_star(tmp_path):
    paths = two_groups(tmp_path)
    out = tmp_path / "comparison"
    reverie.compare(paths, by="lr", out=out)
    (tmp_path / "report.html").write_text("")
    found = reverie.compare(sorted(tmp_path.iterdir()), by="lr", out=out)
    assert sum("is a page, not a run" in note for note in found.notes) == 2
    with pytest.raises(ReportError, match="is a run folder; name another one with --out"):
        reverie.compare(paths, by="lr", out=paths[0])


def test_single_runs_have_no_band_and_no_nan(tmp_path):
    found = reverie.compare(two_groups(tmp_path)[::3], by="lr", out=tmp_path / "out")
    text = found.page.read_text()
    assert "<polygon" not in text and "nan" not in Page(text).text.lower()
    tree = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert tree["tasks"][0]["groups"]["lr=0.001"]["mean"] == [10, None, None]
    assert np.isnan(found.tasks[0].rows[0].mean.low)


def test_the_command(tmp_path, capsys):
    paths = [str(path) for path in two_groups(tmp_path / "runs")]
    out = str(tmp_path / "out")
    assert main(["compare", *paths, "--by", "agent,lr", "--out", out]) == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert lines[0] == "gym:CartPole-v1: eval/return, last evaluation, up to step 100"
    assert lines[1].split()[:4] == ["group", "runs", "mean", "IQM"]
    assert lines[2].startswith("  agent=v3, lr=0.0001  3     2 [1, 3]")
    assert shown.endswith(f"page: {out}/index.html\n")
    assert main(["compare", *paths, "--by", "lrr", "--out", "none"]) == 1
    assert "did you mean 'optim.lr'?" in capsys.readouterr().err
    assert main(["compare", paths[0] + "x"]) == 1
    assert "Did you mean" in capsys.readouterr().err


def test_a_comparison_starts_no_device():
    code = (
        "import reverie.report.compare_page, sys; from jax._src import xla_bridge; "
        "sys.exit(bool(xla_bridge._backends))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
