"""Groups over several tasks: scales, aggregates, profiles, curves, and what is said about them."""

import json

import numpy as np
import pytest
from test_compare import evaluated, run_of

import reverie
from reverie.cli import main
from reverie.report import statistics
from reverie.report.compare import Options, compare_runs
from reverie.report.overall import Curves, overview, scale_of

A, B = "gym:A-v1", "gym:B-v1"
SCALES = ((A, 0.0, 10.0), (B, -100.0, 100.0))
RATES = {"v2": 1e-4, "v3": 1e-3}
FINALS = {A: {"v2": (2, 4), "v3": (5, 10)}, B: {"v2": (0, -50), "v3": (50, 100)}}


def runs(folder, finals=FINALS):
    """Two seeds of two rates (called v2, v3) on two tasks; curves rise in a straight line."""
    return [
        run_of(
            folder / f"{n}-{agent}-{seed}",
            evaluated((0.0, final / 2, final), (0, 50, 100)),
            task=task,
            **{"optim.lr": RATES[agent]},
            seed=seed,
        )
        for n, (task, agents) in enumerate(finals.items())
        for agent, values in agents.items()
        for seed, final in enumerate(values)
    ]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    options = Options(("optim.lr",), resamples=400, references=SCALES)
    return compare_runs(runs(tmp_path_factory.mktemp("overall")), options)


def test_aggregates_by_hand(found):
    low, high = found.overall.rows
    # normalised: v2 .2 .4 on A and .5 .25 on B; v3 .5 1 and .75 1
    assert (low.group, low.runs, found.overall.tasks) == ("lr=0.0001", 4, (A, B))
    assert low.mean.value == pytest.approx((0.3 + 0.375) / 2)
    assert low.median.value == pytest.approx((0.3 + 0.375) / 2)
    assert low.iqm.value == pytest.approx((0.25 + 0.4) / 2)
    assert high.gap.value == pytest.approx(1 - (0.75 + 0.875) / 2)
    assert low.mean.low < low.mean.value < low.mean.high
    assert low.better is None and high.better.value == 1.0


def test_a_profile_is_the_share_of_runs_above(found):
    thresholds, (low, high) = found.overall.thresholds, found.overall.rows
    assert (thresholds[0], thresholds[-1]) == (0.0, 1.0)
    for row, scores in ((low, (0.2, 0.4, 0.5, 0.25)), (high, (0.5, 1, 0.75, 1))):
        wanted = [np.mean([score > t for score in scores]) for t in thresholds]
        np.testing.assert_allclose(row.profile.value, wanted)
        assert (row.profile.low <= row.profile.value).all()
        assert (row.profile.value <= row.profile.high).all()


def test_a_curve_over_tasks_is_the_iqm_at_equal_budgets(found):
    low = found.overall.rows[0]
    at = lambda share: float(np.interp(share, found.overall.budget, low.curve.value))  # noqa: E731
    assert at(1.0) == pytest.approx((0.25 + 0.4) / 2, abs=1e-6)
    # half way A has .1 and .2, B (0 → .5, −25 → .375): the middle two of .1 .2 .375 .5
    assert at(0.5) == pytest.approx((0.2 + 0.375) / 2, abs=0.01)
    assert at(0.0) == pytest.approx((0.0 + 0.5) / 2, abs=1e-6)


def test_improvement_has_the_interval_of_brute_force():
    a, b = [np.array([1.0, 3.0, 5.0])], [np.array([2.0, 2.0, 4.0])]
    estimate = statistics.improvement_of(a, b, resamples=20_000, seed=1)
    values = []
    for left in np.stack(np.meshgrid(*[a[0]] * 3), -1).reshape(-1, 3):
        for right in np.stack(np.meshgrid(*[b[0]] * 3), -1).reshape(-1, 3):
            values.append(float(statistics.improvement([left], [right])))
    assert estimate.value == pytest.approx(5 / 9)
    assert estimate.low == pytest.approx(np.quantile(values, 0.025), abs=0.06)
    assert estimate.high == pytest.approx(np.quantile(values, 0.975), abs=0.06)
    alone = statistics.improvement_of([np.ones(1)], b)
    assert alone.value == 0.0 and np.isnan(alone.low)


def part(task, **scores):
    curves = {name: np.array([[0.0, s] for s in values]) for name, values in scores.items()}
    arrays = {name: np.array(values, float) for name, values in scores.items()}
    return Curves(task, np.array([0.0, 10.0]), 10.0, curves, arrays)


def test_scales_come_from_the_user_the_suite_or_the_runs():
    some = {"a": (3.0, 7.0)}
    assert scale_of(part("dmc_walker_walk", **some), {}) == (0.0, 1000.0, "the suite")
    assert scale_of(part("dmc_walker_walk", **some), {"dmc_walker_walk": (1, 2)})[:2] == (1, 2)
    low, high, where = scale_of(part("atari100k_pong", **some), {})
    assert low == pytest.approx(-20.7) and high == pytest.approx(14.6) and "human" in where
    assert scale_of(part("gym:X-v0", **some), {}) == (0.0, 7.0, "these runs")


def test_what_must_be_known_is_said():
    how = {"resamples": 100, "seed": 0}
    parts = [
        part(A, x=(1.0, 2.0), y=(3.0,)),
        part(B, x=(4.0,), y=(5.0,)),
        part("gym:C-v1", x=(1.0,)),
    ]
    found, notes = overview(parts, {}, **how)
    assert found is not None and found.tasks == (A, B)
    assert any("without gym:C-v1: not every group" in note for note in notes)
    assert any("lowest and highest number of these runs: gym:A-v1, gym:B-v1" in n for n in notes)
    assert overview(parts[:1], {}, **how) == (None, [])
    none, notes = overview([parts[0], part(B, x=(0.0,), y=(0.0,))], {}, **how)
    assert none is None and "without gym:B-v1: all scores are the same" in notes[0]


def test_the_command_shows_and_writes_it(tmp_path, capsys):
    paths = [str(path) for path in runs(tmp_path / "runs")]
    out = tmp_path / "out"
    words = ["compare", *paths, "--by", "optim.lr", "--out", str(out), "--resamples", "200"]
    assert main([*words, "--reference", f"{A}=0,10"]) == 0
    said = capsys.readouterr().out
    assert "over 2 tasks, normalised" in said and f"{A} 0 to 10 (--reference)" in said
    assert f"{B} -50 to 100 (these runs)" in said
    tree = json.loads((out / "comparison.json").read_text())["overall"]
    assert tree["scales"][A] == [0.0, 10.0, "--reference"]
    assert tree["groups"]["lr=0.001"]["probability_of_improvement"][0] == 1.0
    assert len(tree["groups"]["lr=0.0001"]["profile"]) == len(tree["thresholds"])
    page = (out / "index.html").read_text()
    assert "Over 2 tasks" in page and "share of runs above a normalised score" in page.lower()
    for name in ("performance-profile.svg", "sample-efficiency.svg"):
        assert (out / name).read_text().startswith("<svg")
    told = reverie.compare(paths, by="optim.lr", references={A: (0, 10)}, resamples=200)
    assert told.overall.scales[A][:2] == (0, 10)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("gym:A-v1", "takes TASK=LOW,HIGH"),
        ("gym:A-v1=3", "takes TASK=LOW,HIGH"),
        ("gym:A-v1=3,3", "two different numbers"),
        ("gym:A-v1=0,inf", "takes TASK=LOW,HIGH"),
        ("gym:Z-v1=0,1", "no task of these runs: gym:A-v1, gym:B-v1"),
    ],
)
def test_a_wrong_scale_is_refused(word, said, tmp_path, capsys):
    paths = [str(path) for path in runs(tmp_path / "runs")]
    assert main(["compare", *paths, "--by", "optim.lr", "--out", "none", "--reference", word]) in (
        1,
        2,
    )
    assert said in " ".join(capsys.readouterr().err.split())
