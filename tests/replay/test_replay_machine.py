"""Random sequences of add, draw, write, peek, save and load against the brute-force model."""

import copy
import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from ml_dtypes import bfloat16
from replay_model import SPECS, Model, make_rows

from reverie.replay.files import prune
from reverie.replay.replay import Replay

STREAMS, CAPACITY, LENGTH = 3, 50, 5  # 16 slots a stream
SLOTS = CAPACITY // STREAMS


def make_replay():
    return Replay(
        SPECS, streams=STREAMS, capacity=CAPACITY, length=LENGTH, seed=7, chunk=15, gigabytes=1
    )


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key].dtype == value.dtype, key
        np.testing.assert_array_equal(found[key], value, err_msg=key)


class ReplayMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="replay-machine-"))
        self.replay, self.model = make_replay(), Model(STREAMS, SLOTS, LENGTH)
        self.tickets, self.fresh, self.dropped, self.updates = [], [], 0, 0
        self.saved = None

    def life(self):
        return self.model, self.tickets, self.fresh, self.dropped, self.updates

    def teardown(self):
        shutil.rmtree(self.folder)

    @rule(num=st.integers(1, 7))
    def add(self, num):
        for _ in range(num):
            rows = make_rows(self.model.inserted, STREAMS)
            self.replay.add(rows)
            self.model.add(rows)

    @precondition(lambda self: self.model.windows())
    @rule(batch=st.integers(1, 4))
    def draw(self, batch):
        alive = max(0, self.model.inserted - SLOTS)
        end = self.model.inserted // LENGTH
        tiles = [(s, q * LENGTH) for q in range(end) for s in range(STREAMS) if q * LENGTH >= alive]
        queued = [tile for tile in tiles if tile not in self.fresh][:batch]
        sequences, ticket = self.replay.draw(batch)
        starts = list(zip(ticket.stream.tolist(), ticket.row.tolist(), strict=True))
        assert starts[: len(queued)] == queued
        assert set(starts) <= self.model.windows()
        for b, start in enumerate(starts):
            found = {key: value[b] for key, value in sequences.items()}
            assert_same(found, self.model.sequence(*start))
        self.fresh += queued
        self.tickets.append(ticket)

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 99), offset=st.integers(0, LENGTH - 1), value=st.integers(0, 255))
    def write(self, pick, offset, value):
        ticket = self.tickets[pick % len(self.tickets)]
        lead = (len(ticket.row), LENGTH - offset)
        stoch = (np.arange(np.prod(lead) * 2) + value).astype(np.uint8).reshape(*lead, 2)
        values = {"latent/stoch": stoch}
        if value % 2:
            values["latent/deter"] = np.broadcast_to(stoch[..., :1], (*lead, 4)).astype(bfloat16)
        late = self.model.write(ticket, values, offset)
        assert self.replay.write(ticket, values, offset=offset) == late
        self.dropped += late
        self.updates += np.prod(lead) - late

    @precondition(lambda self: self.model.windows())
    @rule(counter=st.integers(0, 5))
    def peek(self, counter):
        once, twice = self.replay.peek(2, counter), self.replay.peek(2, counter)
        assert_same(once, twice)
        for b, (stream, row) in enumerate(once["obs/place"][:, 0].tolist()):
            found = {key: value[b] for key, value in once.items()}
            assert_same(found, self.model.sequence(stream, row))

    @rule(tidy=st.booleans())
    def save(self, tidy):
        manifest = self.replay.save(self.folder)
        state = copy.deepcopy(self.life())
        self.saved = (manifest, state)
        if tidy:
            prune(self.folder, [manifest])

    @precondition(lambda self: self.saved)
    @rule(same_object=st.booleans())
    def load(self, same_object):
        manifest, state = self.saved
        if not same_object:
            self.replay = make_replay()
        self.replay.load(self.folder, manifest)
        self.model, self.tickets, self.fresh, self.dropped, self.updates = copy.deepcopy(state)

    @invariant()
    def agrees(self):
        stats = self.replay.stats()
        live = min(self.model.inserted, SLOTS)
        assert stats["replay/rows"] == live * STREAMS
        assert stats["replay/windows"] == len(self.model.windows()) == self.replay.num_windows
        assert stats["replay/inserts"] == self.model.inserted * STREAMS
        assert stats["replay/evicted"] == (self.model.inserted - live) * STREAMS
        assert stats["replay/online"] == len(self.fresh)
        assert stats["replay/samples"] == sum(len(ticket.row) for ticket in self.tickets)
        assert stats["replay/dropped"] == self.dropped
        assert stats["replay/updates"] == self.updates


ReplayMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, derandomize=True
)
TestReplayMachine = ReplayMachine.TestCase
