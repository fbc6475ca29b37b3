"""Human-normalised scores: the published aggregates from the published means, and our own runs."""

import json

import numpy as np
import pytest

from reverie.config import edit
from reverie.config.presets import resolve
from reverie.envs.names import ATARI100K_GAMES
from reverie.report.atari import atari_tables, game_of, reference_row
from reverie.report.atari_scores import GAMES, LAST_EPISODES, LAST_EVALUATION
from reverie.report.groups import split
from reverie.report.read import read_runs

# name: mean, median, IQM, games at a human's level, in per cent. HarmonyDream's are recomputed from
# its scores, which have digits that our table of means has lost: the tolerance is that rounding
# (half a unit of the last digit in every game, and of the aggregate).
PUBLISHED = {
    "v3_repro": (107.36, 41.58, 47.2, 9),
    "harmony": (136.40, 67.05, 60.7, 11),
    "v3_2024": (124.7, 49.4, None, None),
    "v3_2023": (113.4, 50.3, None, None),
}


@pytest.mark.parametrize("reference", [*LAST_EVALUATION, *LAST_EPISODES], ids=lambda r: r.column)
def test_the_published_aggregates_follow_from_the_table(reference):
    mean, median, iqm, human = PUBLISHED[reference.column]
    row = reference_row(reference, tuple(GAMES))
    exact = reference.column in ("v3_repro", "harmony")
    # Boxing's points are 12 wide: half a unit of 0.1 moves the mean by 0.016 %.
    assert 100 * row.mean.value == pytest.approx(mean, abs=0.03 if exact else 0.1)
    assert 100 * row.median.value == pytest.approx(median, abs=0.05 if exact else 0.1)
    if iqm is not None:
        assert row.iqm is not None
        assert (100 * row.iqm.value, row.human) == (pytest.approx(iqm), human)
    assert row.gap is None and np.isnan(row.mean.low)


@pytest.mark.parametrize(
    ("game", "v3", "harmony"),
    [
        ("alien", 8.1, 9.6),
        ("boxing", 651.8, 662.8),
        ("gopher", 217.1, 593.3),
        ("pong", 104.2, 111.4),
    ],
)
def test_single_games(game, v3, harmony):
    row = GAMES[game]
    for points, expected in ((row.v3_repro, v3), (row.harmony, harmony)):
        found = 100 * (points - row.random) / (row.human - row.random)
        assert found == pytest.approx(expected, abs=0.45 if game == "boxing" else 0.2)


def test_the_games_are_those_of_the_benchmark():
    assert tuple(GAMES) == tuple(ATARI100K_GAMES)
    assert game_of("atari100k_james_bond") == game_of("atari100k_jamesbond") == "jamesbond"
    assert game_of("atari_pong") is None and game_of("atari100k_enduro") is None


def game_run(folder, game, seed, share, *, evaluations=(50_000, 100_000), agent_ratio=256.0):
    """A run whose scores are `share` of the way from random to human, less at the beginning."""
    folder.mkdir(parents=True)
    overrides = {"seed": seed, "train.ratio": agent_ratio}
    config = resolve(f"atari100k_{game}", size="12m", overrides=overrides)
    head = {"config": edit.to_json(config), "versions": {}, "command": ""}
    (folder / "config.json").write_text(json.dumps(head))
    points = GAMES[game].random + share * (GAMES[game].human - GAMES[game].random)
    rows = [{"step": step, "eval/return": points * (step / 100_000)} for step in evaluations]
    for step in (97_400, 97_600, 100_000, 100_100):  # frames 389.6k, 390.4k, 400k, 400.4k
        inside = 97_500 < step <= 100_000
        rows.append({"step": step, "episode/return": points / 2 if inside else 1e6})
    rows.sort(key=lambda row: row["step"])
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture
def groups(tmp_path):
    paths = [
        game_run(tmp_path / f"{game}{seed}{ratio}", game, seed, share, agent_ratio=ratio)
        for game, seed, share, ratio in [
            ("alien", 0, 0.2, 256.0),
            ("alien", 1, 0.4, 256.0),
            ("pong", 0, 1.5, 256.0),
            ("alien", 0, 0.1, 128.0),
        ]
    ]
    return split(read_runs(paths), ["train.ratio"])


def test_both_windows(groups):
    last, training = atari_tables(groups, resamples=200, seed=0)
    assert last.window == "last evaluation (at 400k frames)"
    half, full = last.rows
    assert (half.name, full.name) == ("ratio=128", "ratio=256")
    assert full.games == ("alien", "pong") and full.runs == 3 and full.human == 1
    assert full.mean.value == pytest.approx((0.3 + 1.5) / 2)
    assert full.iqm.value == pytest.approx((0.2 + 0.4 + 1.5) / 3)
    assert full.gap.value == pytest.approx((0.7 + 0.0) / 2)
    assert half.mean.value == pytest.approx(0.1) and np.isnan(half.mean.low)
    # Half the points are not half the normalised score: random play is not zero points.
    points = GAMES["alien"].random + 0.1 * (GAMES["alien"].human - GAMES["alien"].random)
    assert training.window == "training episodes in frames 390k to 400k"
    assert training.rows[0].scores == (pytest.approx(points / 2),)


def test_references_are_over_the_games_that_were_played(groups):
    last, training = atari_tables(groups, resamples=200, seed=0)
    assert [row.name.split(",")[0] for row in training.references] == ["DreamerV3"] * 2
    for row in last.references:
        assert row.games == ("alien", "pong")
        assert row.iqm is None and row.runs == 0
    assert 100 * last.references[1].mean.value == pytest.approx((9.6 + 111.4) / 2, abs=0.2)


def test_until_goes_back_to_an_earlier_evaluation(groups):
    last, _ = atari_tables(groups, until=60_000, resamples=200, seed=0)
    assert last.window == "last evaluation (at 200k frames)"
