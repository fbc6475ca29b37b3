"""Parts of the page: curves for its script, known returns, the table of runs, films by step."""

import re

import numpy as np
import pytest
from fake_run import bare_run, make_media, make_run, numbers

from reverie.report import media, panels, tables
from reverie.report.curves import embedded
from reverie.report.levels import levels_of
from reverie.report.page import render, write_report
from reverie.report.read import read_runs


def test_the_script_gets_the_numbers_of_the_run(full_run):
    (run,) = read_runs([full_run])
    found = embedded([run])
    assert found["runs"] == [
        {"id": 0, "label": run.label, "color": 0, "dash": False, "end": run.end}
    ]
    for name, series in run.series.items():
        told = found["curves"]["0"][name]
        steps = told["x"]
        steps = found["curves"]["0"][steps[1:]]["x"] if steps[0] == "@" else steps
        assert told["n"] == len(series.value) and told["last"] == series.value[-1]
        sizes = np.full(len(numbers(steps)), told["w"])
        sizes[-1] = told["n"] - told["w"] * (len(sizes) - 1)
        means = numbers(told["y"])
        assert (means * sizes).sum() == pytest.approx(series.value.sum(), rel=1e-4, abs=1e-4)
        assert (numbers(steps) * sizes).sum() == pytest.approx(series.step.sum(), rel=1e-5)
        if told["w"] > 1:
            assert numbers(told["hi"]).max() == np.float32(series.value.max())


def test_ten_long_runs_fit_into_the_weight_of_a_page(tmp_path):
    draw = np.random.default_rng(0).normal(size=(400, 36))
    rows = [
        {"step": 10 * k, "episode/return": k % 97} | {f"loss/part{i}": v for i, v in enumerate(row)}
        for k, row in enumerate(draw.tolist())
    ]
    runs = [make_run(tmp_path / f"run-{k}", steps=100, media=False, seed=k) for k in range(10)]
    for run in runs:
        bare_run(tmp_path / f"rows-{run.name}", rows)
        (tmp_path / f"rows-{run.name}" / "metrics.jsonl").replace(run / "metrics.jsonl")
    assert write_report(runs).stat().st_size < 300_000
    assert write_report(runs[:1]).stat().st_size < 200_000


@pytest.mark.parametrize(
    ("task", "known"),
    [
        ("atari100k_pong", {"random play": -20.7, "human": 14.6}),
        ("atari_pong", {"random play": -20.7, "human": 14.6}),
        ("atari100k_james_bond", {"random play": 29.0, "human": 302.8}),
        ("atari_venture", {}),
        ("crafter_reward", {"random play": 2.1, "human": 14.3}),
        ("crafter_noreward", {}),
        ("minigrid_empty_8x8", {"random play": 0.0874}),  # the demo's
        ("dmc_walker_walk", {"random play": 39.045, "highest possible": 1000.0}),
        ("dmc_quadruped_run", {"highest possible": 1000.0}),
        ("gym:CartPole-v1", {"random play": 24.96, "solved": 475.0}),
        ("gym:Pendulum-v1", {"random play": -1197.1836}),
        ("gym:Blackjack-v1", {}),
        ("gym:no_such_module:Env-v0", {}),
        ("custom:mine", {}),
        ("CartPole-v1", {}),
        ("?", {}),
    ],
)
def test_returns_that_are_known(task, known):
    assert {level.name: level.value for level in levels_of(task)} == known


def test_runs_of_several_tasks_have_lines_that_name_them(tmp_path):
    rows = [{"step": 1, "episode/return": 2.0}]
    one = bare_run(tmp_path / "a", rows, task="gym:CartPole-v1")
    two = bare_run(tmp_path / "b", rows, task="gym:Acrobot-v1")
    assert "solved: 475" in render(read_runs([one]))
    text = render(read_runs([one, two]))
    assert "solved of gym:CartPole-v1: 475" in text and "solved of gym:Acrobot-v1: -100" in text
    assert "random play of gym:CartPole-v1: 24.96" in text
    walkers = [
        bare_run(tmp_path / task, rows, task=task) for task in ("dmc_walker_walk", "dmc_walker_run")
    ]
    text = render(read_runs(walkers))
    assert "highest possible: 1,000" in text and "random play of dmc_walker_walk" in text


def test_the_table_is_sorted_by_numbers_not_by_their_texts(tmp_path):
    seconds = (59.0, 3 * 3600.0, 600.0)
    runs = [
        bare_run(
            tmp_path / f"r{k}",
            [{"step": 10_000 * (k + 1), "eval/return": 45_678.0 * (k + 1), "time/seconds": s}],
            seed=k,
        )
        for k, s in enumerate(seconds)
    ]
    found = read_runs(runs)
    results = [tables.results(run) for run in found]
    headers, rows = tables.standings(found, results, tables.settings(tables.all_settings(found)))
    cells = [dict(zip(headers, row, strict=True)) for row in rows]
    assert [row["Wall time"] for row in cells] == [
        ("59 s", 59.0),
        ("3 h 00 min", 10_800.0),
        ("10 min", 600.0),
    ]
    assert [row["Evaluation return"].text for row in cells] == ["45.7k", "91.4k", "137.0k"]
    assert [row["seed"] for row in cells] == [("0", 0.0), ("1", 1.0), ("2", 2.0)]
    assert cells[0]["Updates"] == ("–", None)
    html = render(found)
    assert html.count('data-value="10800.0"') == 1 and 'data-value=""' in html


def test_internals_are_folded_and_what_the_task_says_is_not(full_run):
    runs = read_runs([full_run])
    found = {s.title: s.inside for s in panels.sections(runs, panels.constants(runs))}
    assert not found["Episodes"] and found["Losses"] and found["Optimiser"]
    html = render(runs)
    assert html.index("<h2>Episodes</h2>") < html.index("<h2>Inside the agent</h2>")
    assert html.count('<details class="inside">') == sum(found.values())


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """A run with films of 21 steps."""
    made = make_run(tmp_path_factory.mktemp("filmed") / "run", steps=1_000, media=False)
    make_media(made, 1_000)
    film = (made / "videos" / "eval-000001000.mp4").read_bytes()
    for step in range(20):
        (made / "videos" / f"eval-{step:09d}.mp4").write_bytes(film)
    return read_runs([made])[0]


def test_a_page_holds_some_steps_of_every_film(filmed, monkeypatch):
    (clip,) = media.episodes(filmed)
    assert [shot.step for shot in clip.shots] == [0, 3, 6, 9, 11, 14, 17, 1000]
    assert clip.left_out == 13 and clip.newest.step == 1000
    html = render([filmed])
    assert "13 more steps in the run folder" in html
    assert len(re.findall(r'"step":\d+,"video":"data:video', html)) >= 7
    monkeypatch.setattr(media, "FURTHER", 1)
    assert [shot.step for shot in media.episodes(filmed)[0].shots] == [0, 1000]


def test_a_page_that_is_served_links_to_every_step(filmed):
    (clip,) = media.episodes(filmed, lambda run, path, missing: f"/{path.name}")
    assert len(clip.shots) == 21 and clip.left_out == 0
    assert clip.shots[3].video == "/eval-000000003.mp4" and clip.shots[3].still == ""
