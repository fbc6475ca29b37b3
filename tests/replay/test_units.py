"""A store of units as a whole: windows, memory, checkpoints, threads, refusals.

Oracles 13 to 16 and 26 to 30 of replay-sampling.md §7; short lives: `test_unit_machine.py`."""

import json
import threading
import time

import numpy as np
import pytest
from replay_model import SPECS, make_rows
from unit_model import unit_rows

from reverie.config.presets import resolve
from reverie.part.errors import ConfigError
from reverie.replay.coverage import Coverage
from reverie.replay.errors import ReplayError
from reverie.replay.keep import Ticket
from reverie.replay.mixture import Stores
from reverie.replay.options import ReplayConfig
from reverie.replay.replay import Replay
from reverie.replay.reservoir import RandomReplace, Reservoir
from reverie.replay.split import Split
from reverie.replay.top import TopReturn, TopSurprise
from reverie.replay.unit import Chunk, Episode, Row, Splice
from reverie.signals.kl import Kl

SPLICE = {"unit": Splice(16)}
EPISODE = {"unit": Episode(page=8)}
KEEPS = {
    "fifo": EPISODE,
    "reservoir": {"keep": Reservoir(), **SPLICE},
    "random_replace": {"keep": RandomReplace(), "unit": Episode(page=8, ongoing=True)},
    "coverage": {"keep": Coverage(), **EPISODE},
    "top_return": {"keep": TopReturn(), "unit": Chunk(rows=12, page=4)},
    "split": {"keep": Split(), "draw": Stores(), **SPLICE},
}


def make_replay(keep, **kwargs):
    options = {"streams": 2, "capacity": 400, "length": 5, "seed": 3, "chunk": 32, "gigabytes": 1}
    return Replay(SPECS, options=ReplayConfig(**keep), **(options | kwargs))


def fill(replay, num, start=0, row=unit_rows):
    for t in range(start, start + num):
        replay.add(row(t, replay.streams))


def work(replay, num, batch=3):
    """`num` updates as a run makes them; everything that was drawn, as bytes."""
    seen = []
    for turn in range(num):
        sequences, ticket = replay.draw(batch)
        seen += [value.tobytes() for _, value in sorted(sequences.items())]
        seen += [ticket.stream.tolist(), ticket.row.tolist()]
        replay.write(ticket, {"latent/deter": np.full((batch, 4, 4), turn, np.float32)}, offset=1)
    return seen


def through_json(manifest):
    return json.loads(json.dumps(manifest))


@pytest.mark.parametrize("name", KEEPS)
def test_a_resumed_replay_draws_the_same_thousand_windows(tmp_path, name):
    original = make_replay(KEEPS[name])
    fill(original, 700)
    work(original, 3)
    manifest = through_json(original.save(tmp_path))
    resumed = make_replay(KEEPS[name])
    resumed.load(tmp_path, manifest)
    for start in range(700, 1100, 40):
        for replay in (original, resumed):
            fill(replay, 40, start=start)
        assert work(original, 10, batch=10) == work(resumed, 10, batch=10)
    assert original.stats() == resumed.stats()
    assert original.stats()["replay/samples"] == 1009
    again = through_json(original.save(tmp_path / "a"))
    assert again == through_json(resumed.save(tmp_path / "b"))


def test_only_what_changed_is_written(tmp_path):
    replay = make_replay(KEEPS["reservoir"], capacity=4000, chunk=64)
    fill(replay, 1500)
    replay.save(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    assert replay.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == before
    fill(replay, 16, start=1500)  # a unit of every stream
    replay.save(tmp_path)
    new = {path.name for path in tmp_path.iterdir()} - before
    rows = [name for name in new if not name.startswith("table")]
    assert len(rows) <= 8  # at most four blocks of 64 rows, two groups each
    assert len(before) > 100


def test_later_runs_may_have_more_memory_and_never_less(tmp_path):
    small, large = make_replay(KEEPS["reservoir"]), make_replay(KEEPS["reservoir"], capacity=600)
    fill(small, 500)
    manifest = through_json(small.save(tmp_path))
    large.load(tmp_path, manifest)
    assert large.num_windows == small.num_windows
    fill(large, 900, start=500)
    assert large.stats()["replay/rows"] <= 600
    with pytest.raises(ReplayError, match=r"25 pages of 16 rows, this run 20.*capacity 400"):
        make_replay(KEEPS["reservoir"], capacity=320).load(tmp_path, manifest)
    with pytest.raises(ReplayError, match=r"keeps \['units', 16, 'splice', 16, 'reservoir'\]"):
        make_replay({"keep": RandomReplace(), **SPLICE}).load(tmp_path, manifest)
    ring = Replay(SPECS, streams=2, capacity=400, length=5, chunk=64, gigabytes=1)
    fill(ring, 10)
    with pytest.raises(ReplayError, match=r"keeps by 'units'|has streams|has block"):
        ring.load(tmp_path, manifest)


def test_damage_to_a_table_is_named(tmp_path):
    replay = make_replay(KEEPS["coverage"])
    fill(replay, 300)
    manifest = replay.save(tmp_path)
    name = manifest["files"]["table:keep/rule0/vector"][0][1]
    data = bytearray((tmp_path / name).read_bytes())
    data[-1] ^= 1
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ReplayError, match=f"{name} is damaged"):
        make_replay(KEEPS["coverage"]).load(tmp_path, manifest)


def test_the_number_of_windows_is_the_formula():
    splice = make_replay(SPLICE, capacity=4000, length=7)
    fill(splice, 163)
    assert splice.num_windows == 2 * 10 * (16 - 7 + 1)
    assert splice.num_windows_of(3) == 2 * 10 * (16 - 3 + 1)
    assert splice.stats()["replay/lost"] == 2 * 163 - splice.num_windows
    growing = make_replay({"unit": Splice(16, ongoing=True)}, capacity=4000, length=7)
    fill(growing, 169)  # the eleventh splice has 9 rows: 3 windows
    assert growing.num_windows == 2 * (10 * 10 + 3)
    assert growing.num_windows_of(9) == 2 * (10 * 8 + 1)


def test_every_row_of_a_unit_is_in_some_window_and_no_window_leaves_its_unit():
    replay = make_replay(KEEPS["fifo"], capacity=2000)
    fill(replay, 600)
    keep = replay._keep
    spans = keep.spans()
    ticket = keep.locate(np.arange(replay.num_windows), 5)
    covered = {(s, r + k) for s, r in zip(*ticket, strict=True) for k in range(5)}
    rows = [(s, r) for s, f, n in zip(*spans, strict=True) for r in range(f, f + n)]
    assert len(spans.rows) > 30
    assert covered == {(int(s), int(r)) for s, r in rows}


def test_windows_of_episodes_have_no_first_row_inside():
    for name in ("fifo", "random_replace", "top_return"):
        replay = make_replay(KEEPS[name])
        fill(replay, 500)
        sequences = replay.peek(400, 0)
        assert sequences["is_first"][:, 0].all()
        assert not sequences["is_first"][:, 1:].any()
        assert not sequences["is_last"][:, :-1].any()
    splice = make_replay(KEEPS["reservoir"])
    fill(splice, 500)
    sequences = splice.peek(400, 0)
    first = sequences["is_first"][:, 1:]
    assert first.any()
    assert sequences["is_last"][:, :-1][first].all()


@pytest.mark.parametrize("ongoing", [False, True])
def test_online_every_row_comes_exactly_once(ongoing):
    replay = make_replay({"unit": Splice(15, ongoing=ongoing)})
    seen = []
    for t in range(150):
        replay.add(unit_rows(t, 2))
        waiting = int(replay.stats()["replay/waiting"])
        if waiting:
            replay.peek(3, t)  # takes nothing out of the queue
            sequences, _ = replay.draw(waiting)
            seen += [tuple(place) for place in sequences["obs/place"].reshape(-1, 2).tolist()]
    assert len(seen) == len(set(seen)) == 300
    assert replay.stats()["replay/online"] == 60


def test_a_split_store_keeps_its_shares_and_frees_what_both_let_go():
    replay = make_replay({**KEEPS["split"], "keep": Split(share=0.25)}, capacity=42 * 16)
    fill(replay, 16 * 400)
    held = replay._keep
    kept = held.table["kept"]
    newest, lot = (kept & 1).astype(bool), (kept & 2).astype(bool)
    assert newest.sum() == 10  # of 42 pages two belong to growing units
    assert lot.sum() == 30
    stored = (newest | lot).sum()
    assert held.pages.taken == stored  # those of both lie there once; nothing grows just now
    serial = held.table["serial"]
    assert serial[newest].tolist() == list(range(790, 800))
    one, other = replay._keep.parts
    assert one.num_windows(5) == 10 * 12
    assert other.num_windows(5) == 30 * 12
    assert replay.num_windows == stored * 12
    late = one.locate(np.arange(120), 5)
    assert late.row.min() >= 16 * 395


def test_memory_stays_what_was_planned_and_dead_rows_are_out_of_reach():
    for name, keep in KEEPS.items():
        replay = make_replay(keep)
        planned, taken = replay.planned_bytes, []
        for start in range(0, 2000, 100):  # ten capacities
            fill(replay, 100, start=start)
            stats = replay.stats()
            taken.append(stats["replay/rows"] + stats["replay/empty"])
            assert stats["replay/rows"] <= 400
        assert sum(array.nbytes for array in replay._store.arrays.values()) == planned, name
        assert max(taken[8:]) <= 400
        # all but the growing units and one unit is used, wherever a lot leaves no gap
        if name in ("fifo", "random_replace", "coverage"):
            assert min(taken[8:]) >= 400 - 120
        stream, row = np.meshgrid(np.arange(2), np.arange(2000))
        live = (replay._keep.find(stream.ravel(), row.ravel()) >= 0).sum()
        assert live == stats["replay/rows"]


def test_what_is_dropped_or_cut_is_said_once():
    replay = make_replay(EPISODE, capacity=64, length=5)
    assert replay.notes(1) == []
    for t in range(200):
        rows = make_rows(t, 2, first=False)
        rows["is_last"] = np.array([t in (2, 5), False])
        replay.add(rows)
    notes = replay.notes(1)
    assert len(notes) == 3
    assert "a unit of 3 rows was not kept: at least 5 are needed" in notes[0]
    assert "full of units that still grow: the longest, of" in notes[1]
    assert replay.stats()["replay/short"] == 2
    assert replay.stats()["replay/cut"] > 1
    assert replay.notes(1) == []


def test_a_replay_that_lets_nobody_learn_says_so_once():
    replay = make_replay(SPLICE, capacity=80)
    fill(replay, 30)
    assert replay.notes(100) == []  # nothing had to go yet
    fill(replay, 50, start=30)
    assert replay.notes(36) == []
    (note,) = replay.notes(37)
    assert "learning waits: it takes 37 windows, and the replay holds 36 after" in note
    assert replay.notes(37) == []


def test_writes_to_units_that_went_are_dropped_and_a_new_tenant_is_not_touched():
    replay = make_replay(SPLICE, streams=1, capacity=64, online=False)
    fill(replay, 16)
    _, ticket = replay.draw(4)
    fill(replay, 64, start=16)
    before = {key: array.copy() for key, array in replay._store.arrays.items()}
    values = {"latent/stoch": np.full((4, 4, 2), 99, np.uint8)}
    assert replay.write(ticket, values, offset=1) == 16
    for key, array in replay._store.arrays.items():
        np.testing.assert_array_equal(array, before[key])
    assert replay.stats()["replay/dropped"] == 16


def test_a_sequence_of_pieces_marks_where_each_begins_and_is_written_row_by_row():
    replay = make_replay(SPLICE, capacity=4 * 16)
    for t in range(16):
        replay.add(make_rows(t, 2, first=t == 0) | {"is_last": np.zeros(2, bool)})
    stream = np.array([[0, 0, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0]])
    row = np.array([[3, 4, 5, 6, 7], [1, 2, 3, 9, 10], [10, 11, 12, 0, 1]])
    ticket = Ticket(stream, row)
    sequences = replay._assemble(ticket, 5)
    np.testing.assert_array_equal(sequences["obs/place"], np.stack([stream, row], -1))
    first = np.array([[1, 0, 1, 0, 0], [1, 0, 0, 1, 0], [1, 0, 0, 1, 0]], bool)
    np.testing.assert_array_equal(sequences["is_first"], first)
    np.testing.assert_array_equal(sequences["is_last"][:, :-1], first[:, 1:])
    values = {"latent/stoch": np.arange(24, dtype=np.uint8).reshape(3, 4, 2)}
    assert replay.write(ticket, values, offset=1) == 0
    after = replay._assemble(ticket, 5)["latent/stoch"]
    np.testing.assert_array_equal(after[:, 1:], values["latent/stoch"])
    fill(replay, 64, start=16)
    assert replay.write(ticket, values, offset=1) == 12  # all of them are gone


def test_the_return_of_a_unit_is_its_own_also_across_a_resume(tmp_path):
    keep = {"keep": TopReturn(), "unit": Splice(8)}
    replay, rewards = make_replay(keep), np.random.default_rng(0).normal(size=(40, 2))
    for t in range(40):
        replay.add(make_rows(t, 2) | {"reward": rewards[t].astype(np.float32)})
        if t == 20:  # in the middle of a unit
            manifest, replay = replay.save(tmp_path), make_replay(keep)
            replay.load(tmp_path, manifest)
    found = replay._keep.partitions.parts[0].rule.tables()
    returns = dict(zip(found["serial"].tolist(), found["key"].tolist(), strict=True))
    expected = rewards.reshape(5, 8, 2).sum(1).reshape(-1)  # serials alternate between streams
    np.testing.assert_allclose([returns[serial] for serial in range(10)], expected, rtol=1e-5)


def test_the_units_that_surprised_most_stay():
    keep = {"keep": TopSurprise(), **SPLICE, "signal": Kl()}
    replay = make_replay(keep, streams=1, capacity=16 * 9, online=False)
    for unit in range(40):
        fill(replay, 16, start=16 * unit)
        for _ in range(40):  # every window there is, several times
            _, ticket = replay.draw(8)
            surprise = (ticket.row // 16 % 10).astype(np.float32)
            values = {"latent/stoch": np.zeros((8, 4, 2), np.uint8)}
            score = np.repeat(surprise[:, None], 4, 1)
            replay.write(ticket, {**values, "score": score}, offset=1)
    serials = replay._keep.spans().first // 16
    assert sorted((serials % 10).tolist()) == [8, 8, 8, 8, 9, 9, 9, 9]


@pytest.mark.parametrize("name", ["reservoir", "random_replace", "split"])
@pytest.mark.parametrize("seconds", [0.7, pytest.param(5, marks=pytest.mark.slow)])
def test_one_writer_one_sampler_one_committer(name, seconds):
    replay = make_replay(KEEPS[name], streams=4, capacity=800, length=7)
    rows = [unit_rows(t, 4) for t in range(400)]
    tickets, failures, done, added = [], [], threading.Event(), 0

    def sample():
        while not done.is_set():
            if not replay.can_draw():
                continue
            sequences, ticket = replay.draw(3)
            place = sequences["obs/place"]
            steps = ticket.row[:, None] + np.arange(7)
            same = (place[..., 0] == ticket.stream[:, None]).all()
            marks = sequences["latent/stoch"][..., 0] == place[..., 1] % 251
            if not same or (place[..., 1] != steps).any() or not marks.all():
                failures.append((place, ticket))
            tickets.append((ticket, place))

    def commit():
        while not done.is_set() or tickets:
            if tickets:
                ticket, place = tickets.pop(0)
                stoch = np.repeat(place[:, 1:, 1:] % 251, 2, axis=2).astype(np.uint8)
                replay.write(ticket, {"latent/stoch": stoch}, offset=1)

    threads = [threading.Thread(target=work) for work in (sample, commit)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end or added < 300:
        row = dict(rows[added % 400])
        row["obs/place"] = np.stack([np.arange(4), np.full(4, added)], 1).astype(np.int32)
        row["latent/stoch"] = np.full((4, 2), added % 251, np.uint8)
        replay.add(row)
        added += 1
    done.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert not failures
    assert replay.stats()["replay/evicted"] > 0
    final = replay.peek(200, 0)
    np.testing.assert_array_equal(final["latent/stoch"][..., 0], final["obs/place"][..., 1] % 251)
    keep = replay._keep
    ticket = keep.locate(np.arange(replay.num_windows), 7)
    assert keep.drawable(*ticket).all()


@pytest.mark.parametrize(
    ("keep", "options", "message"),
    [
        ({"unit": Splice(4)}, {}, r"5 rows and never leaves its unit: set --replay"),
        (SPLICE, {"capacity": 40}, r"40 rows has 2 pages of 16.*set --replay.capacity 64"),
        ({**KEEPS["split"], **EPISODE}, {"capacity": 24}, r"in every store: set --replay.cap"),
    ],
)
def test_refuses_memory_that_could_never_hold_a_window(keep, options, message):
    with pytest.raises(ReplayError, match=message):
        make_replay(keep, **options)


def test_the_capacity_that_a_refusal_names_is_enough():
    for keep in (
        {**KEEPS["split"], **EPISODE, "keep": Split(share=0.1)},
        SPLICE,
        KEEPS["top_return"],
    ):
        with pytest.raises(ReplayError, match=r"set --replay\.capacity") as caught:
            make_replay(keep, capacity=12, length=6)
        need = int(str(caught.value).split("--replay.capacity ")[1].split()[0])
        replay = make_replay(keep, capacity=need, length=6)
        fill(replay, 200)
        assert replay.can_draw()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unit": "splice", "unit.rows": 64}, r"unit.rows \(64\) must be at least .* = 65: sequen"),
        (
            {"unit": "splice", "capacity": 2400},
            r"capacity \(2400 rows\) must be at least 2560: learning starts at .* 16 x 64 windows",
        ),
    ],
)
def test_a_run_refuses_units_that_would_never_let_it_learn(changes, message):
    overrides = {f"replay.{name}": value for name, value in changes.items()} | {"env.num": 1}
    with pytest.raises(ConfigError, match=message):
        edits = {"train.ratio": 512, **overrides}
        resolve("gym:CartPole-v1", preset="published", overrides=edits)


def test_a_ring_has_no_spans():
    replay = Replay(SPECS, streams=1, capacity=20, length=5, gigabytes=1)
    with pytest.raises(ReplayError, match=r"set --replay\.unit episode"):
        replay._keep.spans()


def test_memory_that_a_short_run_never_touches_needs_no_budget():
    keep = EPISODE
    with pytest.raises(ReplayError, match=r"49 bytes\); allowed are 0.01 GB"):
        make_replay(keep, capacity=3_000_000, gigabytes=0.01)
    replay = make_replay(keep, capacity=3_000_000, gigabytes=0.01, inserts=100_000)
    assert replay.planned_bytes == 100_000 * 49
    assert replay.disk_bytes == 3_000_000 * 49
    assert not replay.wraps
    assert make_replay(keep, inserts=100_000).wraps


@pytest.mark.parametrize("unit", [Row(), Episode(page=4), Splice(12)])
def test_age_is_the_share_of_windows_that_are_newer(unit):
    """Window i of N has N − i − 1 newer ones; in rings rows of one time count as one."""
    replay = make_replay({"unit": unit}, streams=3, capacity=240, length=5)
    for t in range(150):
        replay.add(unit_rows(t, 3))
    keep, num = replay._keep, replay.num_windows
    ordinal = np.arange(num)
    newer = keep.newer(*keep.locate(ordinal, 5))
    expected = 1 - (ordinal // 3 * 3 + 3 if unit == Row() else ordinal + 1) / num
    np.testing.assert_allclose(newer, expected, atol=1e-12)
