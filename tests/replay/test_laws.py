"""The laws of the draws (oracles 5, 6, 8, 10, 11, 12, 30), each against its formula."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from score_models import add_rows, by_scores, learn, make_replay

from reverie.part.edits import apply
from reverie.part.errors import ConfigError
from reverie.replay.ages import Recency, TimeBalanced, Triangular
from reverie.replay.draw import AbstractDraw, Importance, Pool, Uniform
from reverie.replay.mixture import AbstractMixture, Member, Mixture
from reverie.replay.options import ReplayConfig
from reverie.replay.priorities import Proportional, Rank, Softmax, softmax
from reverie.signals.curious import Curious
from reverie.signals.kl import Kl
from reverie.watch.advice import fresh_share

ALPHA = 1e-4


def assert_law(found, law):
    """Chi-square of counts against probabilities; rare ones are put together."""
    expected = law * found.sum()
    often = expected >= 20
    found = np.append(found[often], found[~often].sum())
    expected = np.append(expected[often], expected[~often].sum())
    keep = expected > 0
    assert found[~keep].sum() == 0
    if keep.sum() > 1:
        expected = expected[keep] * (found.sum() / expected.sum())
        assert stats.chisquare(found[keep], expected).pvalue > ALPHA


@pytest.mark.parametrize("num", [1, 2, 1000])
@pytest.mark.parametrize(
    "law",
    [
        Recency(0.0),
        Recency(0.4),
        Recency(1.0),
        Recency(1.7),
        Triangular(),
        TimeBalanced(0.3),
        TimeBalanced(1.0),
    ],
    ids=[
        "uniform",
        "power 0.4",
        "power 1",
        "power 1.7",
        "triangular",
        "balanced 0.3",
        "balanced 1",
    ],
)
def test_ordinals_follow_their_law(law, num):
    uniform = np.random.default_rng(num).random(400_000)
    share = law.shares(num)
    assert share.sum() == pytest.approx(1.0)
    if law == Recency(0.0):
        np.testing.assert_allclose(share, 1 / num)
    assert_law(np.bincount(law.ordinals(uniform, num), minlength=num), share)


@pytest.mark.parametrize("exponent", [0.3, 0.5, 1.0, 1.5])
def test_frequency_falls_with_age_by_the_exponent(exponent):
    """Oracle 5: slope −e over ages 2 … n/10, and P(newest) in closed form."""
    num = 2000
    uniform = np.random.default_rng(0).random(4_000_000)
    age = num - 1 - Recency(exponent).ordinals(uniform, num)
    counts = np.bincount(age, minlength=num)
    edges = np.unique(np.geomspace(2, num // 10, 12).astype(int))
    rate = np.array([counts[a:b].mean() for a, b in itertools.pairwise(edges)])
    middle = [np.exp(np.log(np.arange(a, b) + 1.5).mean()) for a, b in itertools.pairwise(edges)]
    slope = np.polyfit(np.log(middle), np.log(rate), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.02)
    if exponent == 1.0:
        newest = np.log(2) / np.log(num + 1)
        assert counts[0] / len(uniform) == pytest.approx(newest, rel=0.01)


def test_triangular_shares_of_the_published_code():
    """P(newest quarter) = 7/16, newest tenth 19 %, newest half 75 %, oldest quarter 6 %."""
    share = Triangular().shares(1000)
    assert share[750:].sum() == pytest.approx(7 / 16, abs=1e-12)
    assert share[900:].sum() == pytest.approx(0.19)
    assert share[500:].sum() == pytest.approx(0.75)
    assert share[:250].sum() == pytest.approx(0.0625)


def test_balanced_draws_even_out_the_visits_of_a_life():
    """Uniform draws from a growing store visit old windows ln(n/i) times; balanced ones less so."""
    rng, visits = np.random.default_rng(0), {0.0: np.zeros(1000), 1.0: np.zeros(1000)}
    for strength, counts in visits.items():
        for num in range(1, 1001):
            np.add.at(counts, TimeBalanced(strength).ordinals(rng.random(100), num), 1)
    spread = {tau: c[50:900].std() / c[50:900].mean() for tau, c in visits.items()}
    assert spread[1.0] < 0.6 * spread[0.0]


class Named(AbstractDraw):
    """A stand-in whose windows tell who drew them."""

    def __init__(self, row):
        self.row = row

    def draw(self, num, pool, rng):
        ticket = Uniform().draw(num, pool, rng)
        return ticket._replace(row=np.full(num, self.row))

    def probability(self, ticket, pool):
        return None

    def probabilities(self, pool):
        return Uniform().probabilities(pool)

    def effective(self, pool):
        return 1.0


class Several(AbstractMixture):
    """A mixture of any number of draws."""

    def __init__(self, draws, shares, by="window"):
        self.rows, self.by = [Member(*pair) for pair in zip(draws, shares, strict=True)], by

    def members(self):
        return self.rows


def pool_of(replay):
    return Pool(replay._keep, replay._keep, replay.length, replay._sampler.scores)


@pytest.mark.parametrize("by", ["window", "batch"])
def test_members_get_their_shares(by):
    """Oracle 8: binomial counts; 0.7/0.2/0.1 is a mixture; a share of 0 is never drawn from."""
    replay = make_replay(ReplayConfig())
    add_rows(replay, 20)
    members = [Named(0), Named(1), Named(2), Named(3)]
    mixture = Several(members, [0.7, 0.2, 0.1, 0.0], by)
    rng = np.random.default_rng(0)
    rows = np.stack([mixture.draw(8, pool_of(replay), rng).row for _ in range(5000)])
    if by == "batch":
        assert (rows == rows[:, :1]).all()
        rows = rows[:, 0]
    assert_law(np.bincount(rows.ravel(), minlength=4), np.array([0.7, 0.2, 0.1, 0.0]))


def test_a_mixtures_law_is_the_mixture_of_the_laws():
    rest = Mixture(Triangular(), Uniform(), share=0.2 / 0.7)
    options = ReplayConfig(draw=Mixture(Recency(0.5), rest, share=0.3))
    replay = make_replay(options)
    add_rows(replay, 60)
    pool, draw = pool_of(replay), options.draw
    num = pool.index.num_windows(pool.length)
    mixed = 0.5 / num + 0.3 * Recency(0.5).shares(num) + 0.2 * Triangular().shares(num)
    place = pool.keep.find(*pool.index.locate(np.arange(num), pool.length))
    np.testing.assert_allclose(draw.probabilities(pool)[place], mixed)
    assert draw.effective(pool) == pytest.approx(1 / (num * np.square(mixed).sum()))
    counts = np.zeros(pool.keep.places)
    ticket = draw.draw(40_000, pool, np.random.default_rng(0))
    np.add.at(counts, pool.keep.find(*ticket), 1)
    assert_law(counts[place], mixed)


def test_shares_that_cannot_be_are_refused():
    for share in (-0.1, 1.2):
        with pytest.raises(ConfigError, match=r"replay\.draw\.share must be in \[0, 1\], found"):
            Mixture(share=share)
    with pytest.raises(ConfigError, match=r"Did you mean 'triangular'"):
        apply(ReplayConfig(), {"draw": "mixture", "draw.first": "triangle"})
    with pytest.raises(ConfigError, match=r"replay\.draw\.first must be a part \(uniform, recency"):
        Mixture(first="triangular")


def test_a_mixture_inside_a_mixture_is_tossed_once():
    inner = Mixture(Named(1), Named(2), share=0.25)
    shares = [member.share for member in Mixture(Named(0), inner, share=0.2).members()]
    assert shares == pytest.approx([0.2, 0.2, 0.6])
    other = dataclasses.replace(inner, by="batch")
    assert len(Mixture(Named(0), other, share=0.2).members()) == 2


def scored(options, seed=0, updates=60):
    replay, rng = make_replay(options, capacity=300), np.random.default_rng(seed)
    add_rows(replay, 100)
    for _ in range(updates):
        learn(replay, rng)
    replay._sampler.settle()
    return replay


def test_importance_weights_estimate_the_uniform_mean():
    """Oracle 10: Σ w f / N, w = 1/(N P), is the mean of f; the largest weight is 1."""
    options = dataclasses.replace(by_scores(exponent=1.0), importance=Importance(1.0, 1.0))
    replay = scored(options)
    pool, draw = pool_of(replay), options.draw
    num = pool.keep.num_windows(pool.length)
    value = np.random.default_rng(1).normal(size=pool.keep.places)
    windows = pool.keep.locate(np.arange(num), pool.length)
    truth = value[pool.keep.find(*windows)].mean()
    ticket = draw.draw(200_000, pool, np.random.default_rng(2))
    chance = draw.probability(ticket, pool)
    parts = value[pool.keep.find(*ticket)] / (num * chance)
    assert abs(parts.mean() - truth) < 4 * parts.std() / np.sqrt(len(parts))
    rows, _ = replay.draw(16)
    assert rows["weight"].max() == 1.0 and rows["weight"].min() < 1.0
    assert rows["weight"].dtype == np.float32


def test_the_exponent_of_importance_weights_follows_its_schedule():
    weights = Importance(begin=0.4, end=1.0, updates=10)
    assert [weights.exponent(n) for n in (0, 5, 10, 99)] == [0.4, 0.7, 1.0, 1.0]


def test_softmax_between_uniform_and_the_largest():
    """Oracle 11."""
    score = np.random.default_rng(0).normal(size=50) * 3
    np.testing.assert_allclose(softmax(score, 1e9), 1 / 50, rtol=1e-6)
    assert softmax(score, 1e-3)[score.argmax()] == 1.0
    np.testing.assert_allclose(softmax(score + 700.0, 1.0), softmax(score, 1.0), rtol=1e-9)
    law = np.exp(score) / np.exp(score).sum()
    np.testing.assert_allclose(softmax(score, 1.0), law, rtol=1e-12)


@pytest.mark.parametrize(
    ("draw", "law"),
    [
        (Softmax(scale=0.5), lambda w: softmax(w, 0.5)),
        (Rank(0.7), lambda w: Recency(0.7).shares(len(w))[np.argsort(np.argsort(w))]),
        (Proportional(), lambda w: w / w.sum()),
    ],
)
def test_scored_draws_follow_their_law(draw, law):
    replay = scored(ReplayConfig(draw=draw, signal=Kl()))
    pool, rng = pool_of(replay), np.random.default_rng(3)
    place = np.flatnonzero(pool.scores.tree.weights)
    counts = np.zeros(pool.keep.places)
    for _ in range(100):
        ticket = draw.draw(500, pool, rng)
        np.add.at(counts, pool.keep.find(*ticket), 1)
    assert_law(counts[place], law(pool.scores.tree.weights[place]))
    np.testing.assert_allclose(
        draw.probabilities(pool)[place], law(pool.scores.tree.weights[place])
    )
    effective = draw.effective(pool)
    p = law(pool.scores.tree.weights[place])
    assert effective == pytest.approx(1 / (len(place) * np.square(p).sum()), rel=1e-9)


def test_stratified_draws_take_one_of_every_share():
    draw = Proportional(stratified=True)
    replay = scored(dataclasses.replace(by_scores(), draw=draw))
    pool = pool_of(replay)
    ticket = draw.draw(20, pool, np.random.default_rng(0))
    tree = pool.scores.tree
    ends = np.cumsum(tree.weights)
    place = pool.keep.find(*ticket)
    begin = ends[place] - tree.weights[place]
    share = tree.total / 20
    assert (begin < share * np.arange(1, 21)).all() and (ends[place] > share * np.arange(20)).all()


def test_reports_change_nothing():
    """Oracle 12: every array and every later draw stay as they are."""
    options = dataclasses.replace(by_scores(), fresh=0.25)
    peeked, plain = scored(options), scored(options)
    arrays = {name: array.copy() for name, array in peeked._store.arrays.items()}
    for counter in range(20):
        peeked.peek(4, counter)
        peeked.peek(4, counter, length=9)
    for name, array in peeked._store.arrays.items():
        np.testing.assert_array_equal(array, arrays[name])
    for _ in range(20):
        np.testing.assert_array_equal(peeked.draw(8)[1].row, plain.draw(8)[1].row)


@pytest.mark.parametrize("fresh", [0.0, 0.5])
@pytest.mark.parametrize("signal", [Kl, Curious])
def test_a_resumed_replay_draws_the_same_thousand_windows(tmp_path, signal, fresh):
    """Oracle 30, with changes that were not settled when it was saved; twice the same file."""
    options = dataclasses.replace(by_scores(signal=signal, initial="mean"), fresh=fresh)
    replay = scored(options)
    add_rows(replay, 7, 100)
    manifest = replay.save(tmp_path)
    twin = make_replay(options, capacity=300)
    twin.load(tmp_path, manifest)
    rngs = [np.random.default_rng(5), np.random.default_rng(5)]
    for step in range(60):
        tickets = [learn(r, rng, batch=16)[0] for r, rng in zip((replay, twin), rngs, strict=True)]
        np.testing.assert_array_equal(tickets[0].row, tickets[1].row)
        np.testing.assert_array_equal(tickets[0].stream, tickets[1].stream)
        for r in (replay, twin):
            add_rows(r, 1, 107 + step)
    assert replay.stats() == twin.stats()


def test_saving_changes_no_later_draw(tmp_path):
    saving, plain = scored(by_scores()), scored(by_scores())
    rngs = [np.random.default_rng(5), np.random.default_rng(5)]
    for step in range(40):
        for replay in (saving, plain):
            add_rows(replay, 3, 100 + 3 * step)
        saving.save(tmp_path)
        rows = [learn(r, g)[0].row for r, g in zip((saving, plain), rngs, strict=True)]
        np.testing.assert_array_equal(*rows)


@pytest.mark.parametrize(
    ("ratio", "streams", "share"),
    [
        (32, 16, 1.0),
        (64, 16, 1.0),
        (128, 4, 0.375),
        (256, 1, 0.13),
        (512, 1, 0.094),
        (1024, 1, 0.062),
    ],
)
def test_new_windows_first_take_the_share_that_was_measured(ratio, streams, share):
    """Oracle 6: law against simulation [R §3.1], and against our own fresh share without a cap."""
    law = fresh_share(batch=16, length=64, ratio=ratio, streams=streams)
    assert law == pytest.approx(share, abs=0.001)
    replay = make_replay(
        ReplayConfig(fresh=1.0), streams=streams, capacity=20_000 * streams, length=65, chunk=1024
    )
    new = 16 * 64 / ratio
    add_rows(replay, 70)
    replay._sampler.settle()
    replay._sampler.fresh.waiting[:] = False
    replay._sampler.fresh.load()
    inserted, taken, due = 70, [], 0.0
    for _ in range(150):
        due += new / streams
        add_rows(replay, int(due), inserted)
        inserted, due = inserted + int(due), due - int(due)
        taken.append(replay._sampler.draw(16, np.random.default_rng(inserted)).fresh)
    assert np.mean(taken) / 16 == pytest.approx(law, abs=0.02)


def test_the_cap_holds():
    replay = make_replay(ReplayConfig(fresh=0.25), streams=4, capacity=4000)
    for step in range(60):
        add_rows(replay, 20, 20 * step)
        replay.draw(16)
    assert replay.stats()["replay/fresh"] == pytest.approx(0.25)


def test_the_example_of_the_docs_draws_what_it_says():
    """docs/replay.md: the class there runs as printed, and its middle half gets three quarters."""
    page = (Path(__file__).parents[2] / "docs" / "replay.md").read_text()
    code = next(part for part in page.split("```python\n") if "class Middle" in part)
    scope = {}
    exec(code.partition("```")[0], scope)
    replay = make_replay(ReplayConfig())
    add_rows(replay, 84)
    pool = pool_of(replay)
    ticket = scope["Middle"]().draw(40_000, pool, np.random.default_rng(0))
    assert ((ticket.row >= 20) & (ticket.row < 60)).mean() == pytest.approx(0.75, abs=0.01)
    assert scope["Middle"]().effective(pool) == pytest.approx(0.75, abs=0.01)
