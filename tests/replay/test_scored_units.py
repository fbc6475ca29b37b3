"""Scores on top of a store of units: weights and statistics equal a brute-force pass over what
lives, after any life. Oracles 7, 12, 17, 19, 21 and 30 of replay-sampling.md §7."""

import numpy as np
import pytest
from replay_model import SPECS
from unit_model import unit_rows

from reverie.replay.options import ReplayConfig
from reverie.replay.priorities import Proportional
from reverie.replay.replay import Replay
from reverie.replay.reservoir import RandomReplace, Reservoir
from reverie.replay.top import TopReturn, TopSurprise
from reverie.replay.unit import Chunk, Episode, Splice
from reverie.signals.kl import Kl

LENGTH = 5
KEEPS = {
    "ring": {},
    "fifo": {"unit": Episode(page=8)},
    "reservoir": {"keep": Reservoir(), "unit": Splice(16)},
    "random_replace": {"keep": RandomReplace(), "unit": Episode(page=8, ongoing=True)},
    "top_return": {"keep": TopReturn(), "unit": Chunk(rows=12, page=4, ongoing=True)},
    "top_surprise": {"keep": TopSurprise(), "unit": Splice(16)},
}


def make_replay(keep):
    signal = Kl(exponent=0.8, blend=0.5, initial="mean", initial_std=1.0)
    options = ReplayConfig(**keep, draw=Proportional(), signal=signal)
    return Replay(
        SPECS,
        streams=2,
        capacity=320,
        length=LENGTH,
        seed=3,
        chunk=32,
        gigabytes=1,
        options=options,
    )


class Seen:
    """Newest score of every row that an update scored, by address."""

    def __init__(self):
        self.score = {}

    def work(self, replay, num, seed):
        rng = np.random.default_rng(seed)
        drawn = []
        for _ in range(num):
            _, ticket = replay.draw(4)
            drawn.append((ticket.stream.tolist(), ticket.row.tolist()))
            score = rng.lognormal(sigma=1.0, size=(4, LENGTH - 1)).astype(np.float32)
            values = {"latent/stoch": np.zeros((4, LENGTH - 1, 2), np.uint8), "score": score}
            replay.write(ticket, values, offset=1)
            for b, (stream, row) in enumerate(zip(*drawn[-1], strict=True)):
                for t in range(LENGTH - 1):
                    self.score[stream, row + 1 + t] = score[b, t]
        return drawn


def check(replay, seen):
    scores, keep = replay._sampler.scores, replay._keep
    replay._sampler.settle()
    windows = keep.locate(np.arange(replay.num_windows), LENGTH)
    expected = np.zeros(keep.places)
    for stream, row in zip(*windows, strict=True):
        rows = row + np.arange(LENGTH)
        place = keep.find(np.full(LENGTH, stream), rows)
        power = scores.value[place].astype(np.float64) ** 0.8
        expected[place[0]] = 0.5 * power.max() + 0.5 * power.mean()
        for where, r in zip(place, rows.tolist(), strict=True):
            known = seen.score.get((int(stream), r))
            assert (scores.visits[where] > 0) == (known is not None)
            assert known is None or scores.value[where] == known
    weights = scores.tree.weights[: keep.places]
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    assert (weights[expected == 0] == 0).all()
    live = [
        score
        for (stream, row), score in seen.score.items()
        if keep.find(np.array([stream]), np.array([row]))[0] >= 0
    ]
    found = scores.moments.mean_std(scores.value, scores.visits)
    if not live:
        assert found is None
        return
    np.testing.assert_allclose(found, [np.mean(live), np.std(live)], rtol=1e-5)


@pytest.mark.parametrize("name", KEEPS)
def test_weights_and_statistics_equal_a_brute_force_pass(name, tmp_path):
    replay, seen = make_replay(KEEPS[name]), Seen()
    for turn in range(10):
        for t in range(60 * turn, 60 * turn + 60):
            replay.add(unit_rows(t, 2))
        seen.work(replay, 6, turn)
        check(replay, seen)
    manifest = replay.save(tmp_path)
    twin = make_replay(KEEPS[name])
    twin.load(tmp_path, manifest)
    check(twin, seen)
    copy = Seen()
    copy.score = dict(seen.score)
    for turn in range(3):
        for one in (replay, twin):
            for t in range(600 + 40 * turn, 640 + 40 * turn):
                one.add(unit_rows(t, 2))
        assert seen.work(replay, 5, turn) == copy.work(twin, 5, turn)
    check(replay, seen)
    check(twin, copy)
    before = [scores.value.tobytes() for scores in [replay._sampler.scores]]
    weights = replay._sampler.scores.tree.weights.copy()
    replay.peek(9, 4)
    replay.stats()
    assert before == [replay._sampler.scores.value.tobytes()]
    np.testing.assert_array_equal(weights, replay._sampler.scores.tree.weights)
