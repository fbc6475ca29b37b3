"""Write-back of scores against brute force (oracles 17 to 21), and the law of scored draws."""

import dataclasses

import numpy as np
import pytest
from replay_model import fill
from scipy import stats
from score_models import BLEND, ScoreModel, add_rows, by_scores, learn, make_replay, write

from reverie.replay.errors import ReplayError
from reverie.replay.sampler import score_columns
from reverie.signals.curious import Curious
from reverie.signals.kl import Kl

ALPHA = 1e-4


@pytest.mark.parametrize("kind", list(BLEND))
@pytest.mark.parametrize("length", [1, 2, 5, 64, 65])
def test_aggregates_slide_over_every_window(kind, length):
    steps = np.random.default_rng(length).lognormal(size=(3, 150))
    signal = Kl(aggregate=kind, blend=0.5, anchor=-1)
    found = signal.windows(steps, length)
    views = np.lib.stride_tricks.sliding_window_view(steps, length, axis=1)
    expected = np.apply_along_axis(BLEND[kind], 2, views)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    alone = signal.windows(steps[1:2, 40 : 40 + length], length)
    assert alone[0, 0] == found[1, 40]  # to the last bit, wherever the window lies


@pytest.mark.parametrize("kind", list(BLEND))
@pytest.mark.parametrize("initial", ["mean", "constant", "max"])
def test_weights_follow_random_inserts_draws_and_late_writes(kind, initial):
    """Oracles 17, 19, 20 and 21 over several rounds of the ring."""
    config = by_scores(aggregate=kind, initial=initial, initial_value=2.0)
    replay, rng = make_replay(config, capacity=90), np.random.default_rng(3)
    model, inserted, waiting = ScoreModel(replay, config.signal), 0, []
    for _ in range(60):
        num = int(rng.integers(1, 9))
        add_rows(replay, num, inserted)
        inserted += num
        if not replay.can_draw():
            continue
        _, ticket = replay.draw(4)
        score = rng.lognormal(0, 1, size=(4, 4)).astype(np.float32)
        waiting.append((ticket, score))
        if len(waiting) > rng.integers(0, 4):
            ticket, score = waiting.pop(0)
            model.commit(ticket, score, 1)
            write(replay, ticket, score, 1)
        model.check(BLEND[kind])
        found = replay._sampler.scores.initial
        assert found == pytest.approx(model.initial, rel=1e-9)
    assert replay.stats()["replay/dropped"] > 0


def test_weights_after_a_rebuild_are_the_same_bits():
    replay, rng = make_replay(by_scores(), capacity=200), np.random.default_rng(0)
    add_rows(replay, 100)
    for _ in range(10):
        learn(replay, rng)
    scores = replay._sampler.scores
    weights, total = scores.tree.weights.copy(), scores.tree.total
    scores.rebuild()
    np.testing.assert_array_equal(scores.tree.weights, weights)
    assert scores.tree.total == total


def test_rows_that_are_not_scored_keep_their_score():
    """Oracle 20: the context row of a window is trained from, not trained on."""
    replay, rng = make_replay(by_scores(), streams=1), np.random.default_rng(0)
    add_rows(replay, 5)
    learn(replay, rng, batch=1, offset=2)
    scores = replay._sampler.scores
    assert scores.value[:2].tolist() == [1.0, 1.0]
    assert scores.visits[:5].tolist() == [0, 0, 1, 1, 1]


def test_a_row_that_comes_twice_counts_twice_and_keeps_the_last_score():
    """Oracle 18."""
    replay = make_replay(by_scores(), streams=1)
    add_rows(replay, 5)
    _, ticket = replay.draw(2)
    write(replay, ticket, np.array([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]], np.float32), 0)
    scores = replay._sampler.scores
    assert scores.visits[:5].tolist() == [2] * 5
    assert scores.value[:5].tolist() == [6, 7, 8, 9, 10]


def test_late_writes_do_not_touch_the_rows_that_came_after():
    """Oracle 19: the address is dead, its place has a new tenant with its initial score."""
    config = by_scores(initial="constant", initial_value=0.25)
    replay = make_replay(config, streams=1, capacity=10)
    add_rows(replay, 10)
    _, ticket = replay.draw(3)
    add_rows(replay, 10, 10)
    late = write(replay, ticket, np.full((3, 5), 9.0, np.float32), 0)
    scores = replay._sampler.scores
    assert late == 15
    assert scores.value.tolist() == [0.25] * 10
    assert not scores.visits.any()
    assert replay.stats()["replay/dropped"] == 15


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_a_score_that_is_no_weight_is_refused(bad):
    replay = make_replay(by_scores())
    add_rows(replay, 10)
    _, ticket = replay.draw(1)
    score = np.ones((1, 4), np.float32)
    score[0, 2] = bad
    with pytest.raises(ReplayError, match="the score 'kl' of a step is"):
        write(replay, ticket, score, 1)


def test_curious_replay_counts_the_visit_first():
    """c β¹ + (L + ε)^α after one visit; 14 times less than an unseen step (R §4.1)."""
    found = Curious().combine(np.array([10.0, 10.0]), np.array([1, 21], np.uint32))
    adversarial = 10.01**0.7
    np.testing.assert_allclose(found, [7e3 + adversarial, 1e4 * 0.7**21 + adversarial])
    assert 1e5 / found[0] == pytest.approx(14.3, abs=0.1)
    assert abs(found[1] / adversarial - 2) < 0.15  # the count term outlives 21 visits


@pytest.mark.parametrize("capacity", [18, 60, 300], ids=["one window", "wrapped", "filling"])
def test_draws_follow_the_weights(capacity):
    """Oracle 2 through the whole replay: at N = 1 a stream, after the ring wrapped, and before."""
    replay = make_replay(by_scores(), capacity=capacity, length=6 if capacity == 18 else 5)
    rng = np.random.default_rng(0)
    fill(replay, 40)
    for _ in range(20):
        learn(replay, rng)
    scores, keep = replay._sampler.scores, replay._keep
    law = scores.tree.weights / scores.tree.total
    counts = np.zeros(len(law))
    for _ in range(300):
        _, ticket = replay.draw(100)
        np.add.at(counts, keep.find(*ticket), 1)
    often = law * counts.sum() >= 20
    assert counts[law == 0].sum() == 0
    if often.sum() > 1:
        found, expected = counts[often], law[often]
        assert stats.chisquare(found, expected * found.sum() / expected.sum()).pvalue > ALPHA


def test_no_exponent_is_uniform_and_a_common_factor_changes_nothing():
    """Oracle 9."""
    tickets = {}
    for name, exponent, factor in [("flat", 0.0, 1), ("plain", 0.8, 1), ("scaled", 0.8, 8)]:
        replay = make_replay(by_scores(exponent=exponent, initial="constant", initial_value=factor))
        rng = np.random.default_rng(0)
        add_rows(replay, 60)
        for _ in range(30):
            _, ticket = replay.draw(4)
            score = rng.lognormal(0, 1, size=(4, 4)).astype(np.float32)
            write(replay, ticket, score * factor, 1)
        tickets[name] = np.concatenate([replay.draw(50)[1].row for _ in range(100)])
        if name == "flat":
            assert replay.stats()["replay/effective"] == pytest.approx(1.0)
    np.testing.assert_array_equal(tickets["plain"], tickets["scaled"])
    assert stats.chisquare(np.bincount(tickets["flat"], minlength=56)).pvalue > ALPHA


@pytest.mark.parametrize("noise", [False, True], ids=["learnable", "irreducible"])
def test_hard_rows_are_drawn_more_often(noise):
    """Oracle 32: 1 % hard rows (score 10 times the others') get more than 3 times their share.

    The same holds where they are pure noise, which no training removes: KL is total surprise, and
    a score of what can still be learned would show the difference here.
    """
    replay, rng = make_replay(by_scores(), streams=1, capacity=2000), np.random.default_rng(0)
    add_rows(replay, 2000)
    hard = np.arange(1000, 1020)
    drawn = []
    for update in range(400):
        _, ticket = replay.draw(16)
        rows = ticket.row[:, None] + np.arange(1, 5)
        level = rng.lognormal(0, 0.5, rows.shape) if noise else np.ones(rows.shape)
        write(replay, ticket, (np.where(np.isin(rows, hard), 10.0, 1.0) * level).astype("f4"), 1)
        if update >= 200:
            drawn.append(ticket.row)
    share = np.isin(np.concatenate(drawn), np.arange(996, 1020)).mean()
    assert share > 3 * 24 / 1996


def test_one_configuration_leaves_no_column_to_the_next():
    scored = by_scores()
    before = set(score_columns(scored))
    with_fresh = set(score_columns(dataclasses.replace(scored, fresh=0.25)))
    assert with_fresh - before == {"score/waiting"}
    assert set(score_columns(scored)) == before
