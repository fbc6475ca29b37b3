"""Draws from episodes against the published traces (continual.npz) and against their own law."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from score_models import make_replay

from reverie.replay.ages import Triangular
from reverie.replay.episodes import ByReturn, Episodes, PieceRule, UnitMixture
from reverie.replay.keep import Ticket
from reverie.replay.options import ReplayConfig
from reverie.replay.priorities import softmax
from reverie.replay.signal import NoSignal, Return
from reverie.replay.unit import Episode

GOLDEN = Path(__file__).parents[1] / "golden" / "dreamerv2" / "continual.npz"
TRACES = (
    "continual_minlen5",
    "continual_half_recent",
    "continual_reward",
    "ends_priority_minlen1",
    "ends_priority_minlen50",
    "no_priority",
)
ALPHA = 1e-4


@pytest.fixture(scope="module")
def golden():
    return np.load(GOLDEN)


def exactly(drawn, upper):
    """A number in [0, 1) whose product with `upper` is cut to `drawn`."""
    return (drawn + 0.5) / upper


@pytest.mark.parametrize("name", TRACES)
def test_pieces_are_those_of_the_published_sampler(golden, name):
    trace = {key.partition("/")[2]: golden[key] for key in golden.files if f"sample_{name}/" in key}
    minlen, maxlen = int(trace["minlen"]), int(trace["maxlen"])
    bonus = int(trace.get("ends_priority", minlen)) if trace["prioritize_ends"] else 0
    rule = PieceRule(minlen, maxlen, bonus)
    for i, episode in enumerate(trace["episode"]):
        rows = int(trace["episode_length"][episode]) + 1  # lengths count steps
        upper = int(trace["start_upper"][i])
        jitter = exactly(trace["length_jitter"][i], minlen)
        piece = rule.piece(rows, jitter, exactly(trace["start_draw"][i], upper))
        assert upper == rows - piece.length + 1 + bonus
        assert piece == (trace["start"][i], trace["length"][i])


def test_the_recent_half_is_the_triangular_law(golden):
    found = golden["sample_continual_half_recent/triangular"]
    episode = golden["sample_continual_half_recent/episode"]
    choice = golden["sample_continual_half_recent/episode_choice"]
    recent = golden["sample_continual_half_recent/threshold_u"] < 0.5
    num = len(golden["sample_continual_half_recent/episode_length"])
    assert (episode[recent] == np.floor(found[recent])).all()
    assert (episode[~recent] == choice[~recent]).all()
    uniform = (found[recent] / num) ** 2
    np.testing.assert_array_equal(
        Triangular().ordinals(uniform * (1 + 1e-12), num), episode[recent]
    )


def test_reward_sampling_is_the_softmax_of_returns(golden):
    returns = golden["sample_continual_reward/episode_return"]
    expected = golden["sample_continual_reward/probability"]
    np.testing.assert_allclose(softmax(returns, 1.0), expected, rtol=1e-6)


LENGTHS = (5, 9, 6, 12, 7, 20)


def episode_rows(t, lengths):
    """Row t of one stream of episodes; the reward of a row is its episode's number."""
    from replay_model import make_rows

    ends = np.cumsum(lengths)
    episode = int(np.searchsorted(ends, t, side="right"))
    rows = make_rows(t, 1, first=t == 0 or t in ends)
    rows["is_last"] = np.array([t + 1 in ends])
    rows["reward"] = np.full(1, episode / lengths[episode], np.float32)
    return rows


def episode_replay(length=5, minlen=0, signal=None, **fields):
    """A replay of a few episodes; `fields` are options of the draw."""
    options = ReplayConfig(
        unit=Episode(page=4, minlen=minlen), draw=Episodes(**fields), signal=signal or NoSignal()
    )
    replay = make_replay(options, streams=1, capacity=400, length=length)
    for t in range(sum(LENGTHS)):
        replay.add(episode_rows(t, LENGTHS))
    return replay


def episodes_of(place):
    return np.searchsorted(np.cumsum(LENGTHS), place, side="right")


@pytest.mark.parametrize(
    ("fields", "law"),
    [
        ({}, np.full(6, 1 / 6)),
        ({"law": Triangular()}, Triangular().shares(6)),
        (
            {"law": UnitMixture(Triangular())},
            0.5 * Triangular().shares(6) + 0.5 / 6,
        ),
        (
            {"law": ByReturn(scale=2.0), "signal": Return()},
            np.exp(np.arange(6) / 2) / np.exp(np.arange(6) / 2).sum(),
        ),
    ],
    ids=["uniform", "triangular", "fifty-fifty", "softmax of returns"],
)
def test_episodes_are_chosen_by_their_law_and_starts_uniformly(fields, law):
    replay = episode_replay(**fields)
    rows = np.concatenate([replay.draw(100)[0]["obs/place"][:, :, 1] for _ in range(60)])
    assert (np.diff(rows, axis=1) == 1).all()
    found = episodes_of(rows)
    assert (found == found[:, :1]).all()  # no window leaves its episode
    assert stats.chisquare(np.bincount(found[:, 0], minlength=6), law * len(rows)).pvalue > ALPHA
    last = rows[found[:, 0] == 5][:, 0] - sum(LENGTHS[:5])
    assert stats.chisquare(np.bincount(last, minlength=16)).pvalue > ALPHA


def test_ends_come_more_often():
    replay = episode_replay(ends=10)
    rows = np.concatenate([replay.draw(100)[0]["obs/place"][:, :, 1] for _ in range(60)])
    last = rows[episodes_of(rows[:, 0]) == 5][:, 0] - sum(LENGTHS[:5])
    share = (last == 15).mean()
    assert share == pytest.approx(11 / 26, abs=4 * np.sqrt(0.25 / len(last)))


@pytest.mark.parametrize(
    "fields",
    [
        {"join": True, "minlen": 4, "ends": 3, "law": Triangular()},
        {"ends": 6},
        {"law": UnitMixture(Triangular())},
    ],
    ids=["pieces", "ends", "fifty-fifty"],
)
def test_beginnings_follow_the_law_that_is_reported(fields):
    """`law` against the first row of very many sequences, and the effective size that follows."""
    replay = episode_replay(length=6, **fields)
    pool, draw = replay._sampler.pool(), replay._options.draw
    law = draw.probabilities(pool)
    ticket = draw.draw(20_000, pool, np.random.default_rng(1))
    first = Ticket(*(part.reshape(20_000, -1)[:, 0] for part in ticket))
    found = np.bincount(replay._keep.find(*first), minlength=len(law))
    assert law.sum() == pytest.approx(1.0)
    assert (found[law == 0] == 0).all()
    assert stats.chisquare(found[law > 0], 20_000 * law[law > 0]).pvalue > ALPHA
    expected = 1 / ((law > 0).sum() * np.square(law).sum())
    assert replay.stats()["replay/effective"] == pytest.approx(expected)


def test_pieces_fill_a_sequence_and_each_begins_anew():
    replay = episode_replay(length=16, join=True)
    rows, ticket = replay.draw(50)
    assert ticket.row.shape == (50, 16)
    place = rows["obs/place"][:, :, 1]
    joined = (np.diff(place, axis=1) == 1) & (np.diff(episodes_of(place), axis=1) == 0)
    assert rows["is_first"][:, 0].all()
    assert rows["is_first"][:, 1:][~joined].all()
    assert (~joined).any(1).mean() > 0.5
    assert rows["is_last"][:, :-1][rows["is_first"][:, 1:]].all()
