"""Sequences of tasks in the report: metrics from run folders, references, the matrix."""

import json
import re

import numpy as np
import pytest

from reverie.config import edit
from reverie.config.presets import resolve
from reverie.report import continual, continual_panels
from reverie.report.page import write_report
from reverie.report.read import read_runs

TASKS = ("gym:A", "gym:B")
RETURNS = {
    "gym:A": [(50, 0.2), (100, 0.8), (150, 0.6), (200, 0.4)],
    "gym:B": [(50, 0.0), (100, 0.1), (150, 0.5), (200, 0.9)],
}


def folder(path, seed, *, shift=0.0, alone=None, **changes):
    """A run of the sequence, or of one task `alone`, with the returns above plus `shift`."""
    overrides = {"seed": seed, "logdir": str(path), **changes}
    if alone is None:
        overrides |= {"sequence.tasks": TASKS, "sequence.steps": (100,)}
    task = alone or "continual:custom"
    config = resolve(task, size="debug", preset="published", overrides=overrides)
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps({"config": edit.to_json(config)}))
    with (path / "metrics.jsonl").open("w") as file:
        for step in (50, 100, 150, 200):
            row = {f"eval/return/{t}": dict(RETURNS[t])[step] + shift for t in TASKS}
            if alone is not None:
                row = {"eval/return": dict(RETURNS[alone])[step]}
            file.write(json.dumps({"step": step, **row}) + "\n")
    return path


def outcome(paths):
    (found,) = continual.outcomes(read_runs(paths))
    return found


def test_metrics_of_two_seeds(tmp_path):
    found = outcome([folder(tmp_path / "0", 0), folder(tmp_path / "1", 1, shift=0.1)])
    assert found.tasks == TASKS
    assert found.ends == (100, 200)
    assert found.performance.value == pytest.approx(0.65 + 0.05)
    assert found.forgetting.value == pytest.approx((0.8 - 0.4) / 2)
    assert found.performance.low == pytest.approx(0.65)
    assert found.performance.high == pytest.approx(0.75)
    assert found.transfer is None
    assert "no run on gym:A alone" in found.notes[0]


def test_forward_transfer_finds_reference_runs_by_their_configuration(tmp_path):
    folders = [
        folder(tmp_path / "s", 3),
        folder(tmp_path / "a", 3, alone="gym:A"),
        folder(tmp_path / "b", 5, alone="gym:B"),
        folder(tmp_path / "other", 3, alone="gym:B", **{"optim.lr": 0.5}),
    ]
    found = outcome(folders)
    # Right rectangles over [begin, end): A over [0, 100) has one sample, hence area 0, alone too;
    # B in the sequence over [100, 200) has 50 x 0.5, alone over [0, 100) again nothing.
    assert found.transfer is not None
    assert found.transfer.value == pytest.approx((0 + 0.25 / 0.75) / 2)
    assert found.transfer_world.value == pytest.approx((0 + 0.25 / 1.0) / 2)
    assert found.notes == (
        "the runs on gym:B alone have other seeds: their mean is the reference.",
    )


def test_configurations_are_rows_and_published_rows_follow(tmp_path):
    runs = read_runs(
        [folder(tmp_path / "a", 0), folder(tmp_path / "b", 0, **{"replay.online": False})]
    )
    labels = [row[0] for row in continual_panels.table(continual.outcomes(runs))]
    assert sorted(labels) == [
        "continual:custom, replay.online False",
        "continual:custom, replay.online True",
    ]
    named = {row.method: row for row in continual.PUBLISHED["continual:minigrid3"]}
    row = named["DreamerV2 (paper, 20 seeds)"]
    assert (row.performance, row.forgetting, row.transfer) == (0.72, -0.11, 0.49)


def test_an_unfinished_sequence_says_so(tmp_path):
    path = folder(tmp_path / "s", 0)
    lines = (path / "metrics.jsonl").read_text().splitlines(keepends=True)
    (path / "metrics.jsonl").write_text("".join(lines[:3]))
    found = outcome([path])
    assert found.notes[0] == "evaluated up to step 150 of 200: not the whole sequence."
    assert found.forgetting.value == pytest.approx((0.8 - 0.6) / 2)


def test_the_matrix_has_a_cell_an_evaluation_and_a_bar_a_visit(tmp_path):
    found = outcome([folder(tmp_path / "s", 0, **{"sequence.passes": 1})])
    svg = str(continual_panels.matrix(found))
    assert svg.count('class="cell"') == 8
    assert svg.count('class="trained"') == 2
    shades = [float(x) for x in re.findall(r'fill-opacity="([\d.]+)"', svg)]
    assert max(shades) == 1.0  # 0.9, the highest return
    assert min(shades) == 0.04  # 0.0, the lowest
    assert continual_panels.visits_to(found, 1) == [(100, 200)]


def test_the_page_shows_it(tmp_path):
    path = write_report([folder(tmp_path / "0", 0), folder(tmp_path / "1", 1)])
    html = path.read_text()
    assert "The sequence of tasks" in html
    assert "0.650 [0.650, 0.650]" in html
    assert html.count('class="trained"') == 2


def test_columns_of_long_runs_are_averaged():
    step, value = continual_panels.binned(np.arange(1000.0), np.arange(1000.0))
    assert len(step) == 120
    assert step[-1] == 999
    assert value[0] == pytest.approx(4.0)


def keep(path, rule):
    """Leave only the lines of metrics that `rule` accepts."""
    rows = map(json.loads, (path / "metrics.jsonl").read_text().splitlines())
    lines = [json.dumps(row) + "\n" for row in map(rule, rows) if row]
    (path / "metrics.jsonl").write_text("".join(lines))
    return path


@pytest.mark.parametrize(
    ("rule", "said", "known"),
    [
        (lambda row: row if row["step"] == 200 else None, "no evaluation up to step 100", True),
        (lambda row: None, "no evaluation of gym:A, gym:B", False),
        (lambda row: {k: v for k, v in row.items() if "gym:B" not in k}, "of gym:B:", False),
    ],
    ids=["only at the end", "never", "one task never"],
)
def test_a_short_sequence_shows_what_there_is(tmp_path, rule, said, known):
    path = keep(folder(tmp_path / "s", 0), rule)
    found = outcome([path])
    assert any(said in note for note in found.notes)
    assert found.forgetting is None and (found.performance is not None) == known
    page = write_report([path]).read_text()
    assert said in page and ">nan" not in page


def test_a_seed_without_evaluations_is_told(tmp_path):
    paths = [folder(tmp_path / "0", 0), keep(folder(tmp_path / "1", 1), lambda row: None)]
    assert outcome(paths).performance is None
    assert "no evaluation of gym:A, gym:B" in write_report(paths).read_text()
