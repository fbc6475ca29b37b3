"""Random lives of a store of units against the brute-force model, for every rule and every unit.

Oracles 13 to 16, 19, 26, 28 and 30 of replay-sampling.md §7."""

import copy
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from ml_dtypes import bfloat16
from replay_model import SPECS, make_rows
from unit_model import UnitModel, unit_rows

from reverie.replay.coverage import Coverage
from reverie.replay.files import prune
from reverie.replay.mixture import Stores
from reverie.replay.options import ReplayConfig
from reverie.replay.replay import Replay
from reverie.replay.reservoir import RandomReplace, Reservoir
from reverie.replay.split import Split
from reverie.replay.top import TopReturn, TopSurprise
from reverie.replay.unit import Chunk, Episode, Splice, partitions
from reverie.signals.kl import Kl

STREAMS, LENGTH, SEED = 2, 5, 7


class UnitMachine(RuleBasedStateMachine):
    options = ReplayConfig(unit=Episode(page=4))
    capacity = 120

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="unit-machine-"))
        self.replay = self.make_replay()
        pages = self.replay._memory.slots // self.replay._memory.page
        rules = [part.rule for part in partitions(self.options.keep, SEED)]
        self.model = UnitModel(self.options, rules, streams=STREAMS, pages=pages, length=LENGTH)
        self.tickets, self.dropped, self.open_places, self.saved = [], 0, set(), None
        self.listen(self.replay)

    def make_replay(self):
        return Replay(
            SPECS,
            streams=STREAMS,
            capacity=self.capacity,
            length=LENGTH,
            seed=SEED,
            chunk=24,
            gigabytes=1,
            options=self.options,
        )

    def listen(self, replay):
        """Keep the set of places where windows begin, from what `changes` says alone."""
        changes = replay._keep.changes

        def heard():
            change = changes()
            for places in (change.closed, change.opened):
                assert len(set(places.tolist())) == len(places)
            closed, opened = set(change.closed.tolist()), set(change.opened.tolist())
            assert closed <= self.open_places
            self.open_places -= closed
            assert not opened & self.open_places
            self.open_places |= opened
            return change

        replay._keep.changes = heard

    def teardown(self):
        shutil.rmtree(self.folder)

    @initialize(num=st.sampled_from([0, 40, 120, 250]))
    def begin(self, num):
        """Most lives begin with a full memory: that is where decisions are made."""
        self.add(num)

    @rule(num=st.integers(1, 25))
    def add(self, num):
        for _ in range(num):
            rows = unit_rows(self.model.inserted, STREAMS)
            self.replay.add(rows)
            self.model.add(rows)

    @precondition(lambda self: self.model.windows())
    @rule(batch=st.integers(1, 4))
    def draw(self, batch):
        self.model.skip()
        queued, self.model.line = self.model.line[:batch], self.model.line[batch:]
        sequences, ticket = self.replay.draw(batch)
        starts = list(zip(ticket.stream.tolist(), ticket.row.tolist(), strict=True))
        assert starts[: len(queued)] == queued
        assert set(starts) <= self.model.windows()
        for b, start in enumerate(starts):
            for key, value in self.model.sequence(*start).items():
                np.testing.assert_array_equal(sequences[key][b], value, err_msg=key)
        self.tickets.append(ticket)

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 99), offset=st.integers(0, LENGTH - 1), value=st.integers(0, 255))
    def write(self, pick, offset, value):
        ticket = self.tickets[pick % len(self.tickets)]
        lead = (len(ticket.row), LENGTH - offset)
        stoch = (np.arange(np.prod(lead) * 2) + value).astype(np.uint8).reshape(*lead, 2)
        deter = np.broadcast_to(stoch[..., :1], (*lead, 4)).astype(bfloat16)
        values = {"latent/stoch": stoch, "latent/deter": deter}
        late = self.model.write(ticket, values, offset)
        assert self.replay.write(ticket, values, offset=offset) == late
        self.dropped += late

    @precondition(lambda self: isinstance(self.options.keep, TopSurprise) and self.model.inserted)
    @rule(seed=st.integers(0, 99))
    def score(self, seed):
        rng = np.random.default_rng(seed)
        stream = rng.integers(STREAMS, size=12)
        row = rng.choice(np.arange(max(0, self.model.inserted - 90), self.model.inserted + 12), 12)
        score = rng.random(12).astype(np.float32)
        self.replay._keep.rescore(stream, row, score)
        self.model.rescore(stream, row, score)

    @rule(tidy=st.booleans())
    def save(self, tidy):
        manifest = self.replay.save(self.folder)
        life = self.model, self.tickets, self.dropped, self.open_places
        self.saved = (manifest, copy.deepcopy(life))
        if tidy:
            prune(self.folder, [manifest])

    @precondition(lambda self: self.saved)
    @rule(same_object=st.booleans())
    def load(self, same_object):
        manifest, life = self.saved
        if not same_object:
            self.replay = self.make_replay()
        self.replay.load(self.folder, manifest)
        self.replay._keep.changes()  # begins with all that lives
        self.listen(self.replay)
        self.model, self.tickets, self.dropped, self.open_places = copy.deepcopy(life)

    @invariant()
    def windows_agree(self):
        keep, expected = self.replay._keep, self.model.ordered()
        self.replay._sampler.settle()
        keep.changes()
        assert keep.num_windows(LENGTH) == len(expected) == self.replay.num_windows
        ticket = keep.locate(np.arange(len(expected)), LENGTH)
        assert list(zip(*map(np.ndarray.tolist, ticket), strict=True)) == expected
        for part, index in enumerate(keep.parts):
            num = index.num_windows(LENGTH)
            found = index.locate(np.arange(num), LENGTH)
            assert list(zip(*map(np.ndarray.tolist, found), strict=True)) == self.model.ordered(
                part if len(keep.parts) > 1 else None
            )
        places = keep.find(*ticket)
        assert set(places.tolist()) == self.open_places
        back = keep.address(places)
        np.testing.assert_array_equal(back.stream, ticket.stream)
        np.testing.assert_array_equal(back.row, ticket.row)

    @invariant()
    def every_row_is_found_or_gone(self):
        row = np.tile(np.arange(-2, self.model.inserted + 2), STREAMS)
        stream = np.repeat(np.arange(STREAMS), self.model.inserted + 4)
        pairs = list(zip(stream.tolist(), row.tolist(), strict=True))
        place = self.replay._keep.find(stream, row)
        assert (place >= 0).tolist() == [self.model.holds(*pair) for pair in pairs]
        live = place[place >= 0]
        assert len(set(live.tolist())) == len(live) <= self.capacity
        inside = self.replay._store.gather(live, ["obs/place"])["obs/place"]
        np.testing.assert_array_equal(inside, np.stack([stream, row], 1)[place >= 0])
        windows = self.model.windows()
        drawable = self.replay._keep.drawable(stream, row)
        assert drawable.tolist() == [pair in windows for pair in pairs]

    @invariant()
    def numbers_agree(self):
        stats, model = self.replay.stats(), self.model
        model.skip()
        rows = sum(unit["rows"] for unit in model.units.values())
        assert stats["replay/rows"] == rows
        assert stats["replay/lost"] == rows - len(model.windows())
        assert stats["replay/empty"] == model.taken() * model.page - rows >= 0
        assert stats["replay/units"] == len(model.units)
        assert stats["replay/short"] == model.short
        assert stats["replay/cut"] == model.cut
        assert stats["replay/dropped"] == self.dropped
        assert stats["replay/waiting"] == len(model.line)
        assert stats["replay/skipped"] == model.skipped
        spans = self.replay._keep.spans()
        drawn = [
            (unit["stream"], unit["first"], unit["rows"])
            for _, unit in sorted(model.units.items())
            if self.options.unit.ongoing or unit["in"] != {-1}
        ]
        drawn = [span for span in drawn if span[2]]
        assert list(zip(*map(np.ndarray.tolist, spans), strict=True)) == drawn


SPLIT = {"draw": Stores()}
CASES = {
    "fifo-episode": {"unit": Episode(page=4)},
    "fifo-episode-ongoing": {"unit": Episode(page=4, ongoing=True)},
    "fifo-episode-minlen": {"unit": Episode(page=3, minlen=8)},
    "reservoir-splice": {"keep": Reservoir(), "unit": Splice(8)},
    "reservoir-episode-ongoing": {"keep": Reservoir(), "unit": Episode(page=4, ongoing=True)},
    "random_replace-episode": {"keep": RandomReplace(), "unit": Episode(page=4)},
    "random_replace-chunk": {"keep": RandomReplace(), "unit": Chunk(rows=10, page=4)},
    "coverage-episode": {"keep": Coverage(), "unit": Episode(page=4)},
    "top_return-chunk-ongoing": {
        "keep": TopReturn(),
        "unit": Chunk(rows=9, page=3, ongoing=True),
    },
    "top_surprise-splice": {"keep": TopSurprise(), "unit": Splice(8), "signal": Kl()},
    "top_surprise-episode-ongoing": {
        "keep": TopSurprise(),
        "unit": Episode(page=4, ongoing=True),
        "signal": Kl(),
    },
    "split-splice": {"keep": Split(share=0.4), "unit": Splice(7), **SPLIT},
    "split-episode-ongoing": {
        "keep": Split(other=TopReturn()),
        "unit": Episode(page=4, ongoing=True),
        **SPLIT,
    },
}


@pytest.mark.parametrize("case", CASES)
def test_a_store_of_units_agrees_with_the_model(case):
    machine = type("Machine", (UnitMachine,), {"options": ReplayConfig(**CASES[case])})
    life = settings(max_examples=8, stateful_step_count=25, deadline=None, derandomize=True)
    run_state_machine_as_test(machine, settings=life)


@pytest.mark.parametrize("capacity", [24, 28, 32, 36])
def test_growing_units_that_fill_the_memory_in_step_agree_with_the_model(capacity):
    """One takes the last page, the next finds none: the first is cut and gives it back."""
    options = ReplayConfig(**CASES["fifo-episode-ongoing"])
    machine = type("Machine", (UnitMachine,), {"options": options, "capacity": capacity})()
    for t in range(70):
        rows = make_rows(t, STREAMS, first=t == 0) | {"is_last": np.zeros(STREAMS, bool)}
        machine.replay.add(rows)
        machine.model.add(rows)
        machine.windows_agree()
        machine.every_row_is_found_or_gone()
        machine.numbers_agree()
    assert machine.model.cut > 2
    machine.teardown()


@pytest.mark.slow
@pytest.mark.parametrize("capacity", [40, 64, 200])
@pytest.mark.parametrize("case", CASES)
def test_long_lives_of_a_store_of_units_agree_with_the_model(case, capacity):
    options = ReplayConfig(**CASES[case])
    machine = type("Machine", (UnitMachine,), {"options": options, "capacity": capacity})
    life = settings(max_examples=40, stateful_step_count=40, deadline=None, derandomize=True)
    run_state_machine_as_test(machine, settings=life)
