"""Replays that draw by scores, and what their scores should be by brute force."""

import numpy as np
from replay_model import SPECS, make_rows

from reverie.replay.keep import Ticket, spread
from reverie.replay.options import ReplayConfig
from reverie.replay.priorities import Proportional
from reverie.replay.replay import Replay
from reverie.signals.kl import Kl


def make_replay(options, *, streams=3, capacity=300, length=5, seed=7, online=False, **more):
    return Replay(
        SPECS,
        streams=streams,
        capacity=capacity,
        length=length,
        seed=seed,
        online=online,
        options=options,
        gigabytes=1,
        **{"chunk": 15, **more},
    )


def by_scores(signal=Kl, **fields):
    """A configuration that draws in proportion to scores; `fields` are options of the signal."""
    return ReplayConfig(draw=Proportional(), signal=signal(**fields))


def add_rows(replay, num, start=0):
    for t in range(start, start + num):
        replay.add(make_rows(t, replay.streams))


def learn(replay, rng, *, batch=4, offset=1, score=None):
    """One draw and its write-back with random scores; the ticket and the scores."""
    _, ticket = replay.draw(batch)
    score = make_score(replay, rng, batch, offset) if score is None else score
    write(replay, ticket, score, offset)
    return ticket, score


def make_score(replay, rng, batch, offset):
    return rng.lognormal(0, 1, size=(batch, replay.length - offset)).astype(np.float32)


def write(replay, ticket, score, offset):
    stoch = np.zeros((*score.shape, 2), np.uint8)
    return replay.write(ticket, {"latent/stoch": stoch, "score": score}, offset=offset)


class ScoreModel:
    """Score and visits of every live row in a dictionary; weights from all rows of a window."""

    def __init__(self, replay, config):
        """`config`: the signal."""
        self.replay, self.config = replay, config
        self.value, self.visits = {}, {}
        self.initial = self.largest = config.initial_value

    def windows(self):
        keep, length = self.replay._keep, self.replay.length
        ticket = keep.locate(np.arange(keep.num_windows(length)), length)
        return list(zip(ticket.stream.tolist(), ticket.row.tolist(), strict=True))

    def sync(self):
        """Rows that arrived take the initial score, dead ones are forgotten."""
        keep = self.replay._keep
        live = keep.address(np.flatnonzero(occupied(keep)))
        live = set(zip(live.stream.tolist(), live.row.tolist(), strict=True))
        self.value = {r: self.value.get(r, np.float32(self.initial)) for r in live}
        self.visits = {r: self.visits.get(r, 0) for r in live}

    def commit(self, ticket, score, offset, combine=lambda raw, visits: raw):
        self.sync()
        stream, row = spread(ticket, self.replay.length)
        rows = [
            ((int(stream[b, offset + t]), int(row[b, offset + t])), score[b, t])
            for b, t in np.ndindex(*score.shape)
        ]
        for address, _ in rows:
            if address in self.value:
                self.visits[address] += 1
        for address, raw in rows:
            if address in self.value:
                self.value[address] = np.float32(combine(raw, self.visits[address]))
                self.largest = max(self.largest, float(self.value[address]))
        seen = [float(self.value[r]) for r, visits in self.visits.items() if visits]
        if self.config.initial == "mean" and seen:
            self.initial = max(0.0, np.mean(seen) + self.config.initial_std * np.std(seen))
        if self.config.initial == "max":
            self.initial = self.largest

    def weight(self, stream, row, aggregate):
        steps = [self.value[stream, row + t] for t in range(self.replay.length)]
        return aggregate(np.array(steps, np.float32).astype(np.float64) ** self.config.exponent)

    def check(self, aggregate):
        """Every window has the aggregate of its steps, every other place weighs nothing."""
        self.sync()
        replay, keep = self.replay, self.replay._keep
        replay._sampler.settle()
        scores = replay._sampler.scores
        weights = scores.tree.weights.copy()
        windows = self.windows()
        for stream, row in windows:
            place = int(keep.find(np.array([stream]), np.array([row]))[0])
            expected = self.weight(stream, row, aggregate)
            np.testing.assert_allclose(weights[place], expected, rtol=2e-6)
            weights[place] = 0.0
        assert not weights.any()
        for (stream, row), visits in self.visits.items():
            place = int(keep.find(np.array([stream]), np.array([row]))[0])
            assert scores.visits[place] == visits


def occupied(keep):
    """Which places hold a live row."""
    places = np.arange(keep.places)
    found = keep.address(places)
    back = keep.find(*Ticket(found.stream, np.maximum(found.row, 0)))
    return (back == places) & (found.row >= 0)


BLEND = {
    "blend": lambda steps: 0.5 * steps.max() + 0.5 * steps.mean(),
    "mean": np.mean,
    "max": np.max,
    "sum": np.sum,
    "anchor": lambda steps: steps[-1],
}
