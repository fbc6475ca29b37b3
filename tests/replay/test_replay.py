"""Replay as its caller sees it: assembly, the online queue, late writes, refusals, threads."""

import threading

import numpy as np
import pytest
from replay_model import SPECS, fill, make_rows

from reverie.replay.errors import ReplayError
from reverie.replay.replay import Replay


def make_replay(**kwargs):
    options = {"streams": 2, "capacity": 200, "length": 5, "seed": 3, "gigabytes": 1} | kwargs
    return Replay(SPECS, **options)


def test_windows_are_consecutive_rows_of_one_stream_across_the_seam_of_the_ring():
    replay = make_replay(capacity=22)  # 11 slots a stream: windows wrap
    fill(replay, 37)
    place = replay.peek(500, 0)["obs/place"]
    np.testing.assert_array_equal(place[:, :, 0], place[:, :1, 0].repeat(5, 1))
    np.testing.assert_array_equal(place[:, :, 1], place[:, :1, 1] + np.arange(5))
    assert set(place[:, 0, 1].tolist()) == set(range(26, 33))


def test_number_of_windows():
    replay = make_replay(capacity=20)
    counts = []
    for t in range(13):
        counts.append(replay.num_windows)
        replay.add(make_rows(t, 2))
    assert counts == [0, 0, 0, 0, 0, 2, 4, 6, 8, 10, 12, 12, 12]
    assert replay.can_draw(12)
    assert not replay.can_draw(13)


def test_a_sequence_starts_first_and_an_abandoned_episode_ends_last():
    replay = make_replay(streams=1, capacity=5, online=False)
    for t, first in enumerate([False, False, True, False, True]):
        rows = make_rows(t, 1, first=first)
        rows["is_last"] = np.array([t == 3])
        replay.add(rows)
    sequences, _ = replay.draw(1)
    assert sequences["is_first"][0].tolist() == [True, False, True, False, True]
    assert sequences["is_last"][0].tolist() == [False, True, False, True, False]
    stored = replay._store.arrays
    assert stored["is_first"][0].tolist() == [False, False, True, False, True]
    assert stored["is_last"][0].tolist() == [False, False, False, True, False]


def test_every_row_is_delivered_online_exactly_once_and_oldest_first():
    replay = make_replay(capacity=1000)
    seen = []
    for t in range(83):
        replay.add(make_rows(t, 2))
        if t >= 4:
            waiting = int(replay.stats()["replay/waiting"])
            sequences, _ = replay.draw(1 + waiting)
            seen += [tuple(row) for row in sequences["obs/place"][:waiting].reshape(-1, 2)]
            assert waiting == (2 if t % 5 == 4 else 0)
    assert len(seen) == len(set(seen)) == 2 * 80
    assert [row[1] for row in seen[::10]] == list(range(0, 80, 5))


def test_evicted_online_windows_are_skipped_and_counted():
    replay = make_replay(capacity=22)
    fill(replay, 37)  # rows 26 … 36 live: the first whole tile begins at 30
    _, ticket = replay.draw(3)
    assert (ticket.stream[:2].tolist(), ticket.row[:2].tolist()) == ([0, 1], [30, 30])
    stats = replay.stats()
    assert stats["replay/skipped"] == 12
    assert stats["replay/waiting"] == 0
    assert stats["replay/fresh"] == pytest.approx(2 / 3)


def test_without_queue_every_sequence_is_drawn():
    replay = make_replay(online=False)
    fill(replay, 50)
    replay.draw(4)
    assert replay.stats()["replay/fresh"] == 0
    assert "replay/waiting" not in replay.stats()


def test_age_counts_the_newer_rows_of_the_stream():
    replay = make_replay(online=False)
    fill(replay, 50)
    _, ticket = replay.draw(8)
    assert replay.stats()["replay/age"] == (50 - 5 - ticket.row).mean()
    assert "replay/age" not in replay.stats()


def test_writes_after_eviction_are_dropped_and_never_reach_the_new_tenant():
    replay = make_replay(streams=1, capacity=10, online=False)
    fill(replay, 10)
    _, ticket = replay.draw(1)
    start = int(ticket.row[0])
    fill(replay, start + 3, start=10)  # rows 0 … start + 2 are gone
    before = {key: array.copy() for key, array in replay._store.arrays.items()}
    marked = np.full((1, 4, 2), 99, np.uint8)
    assert replay.write(ticket, {"latent/stoch": marked}, offset=1) == 2
    after = replay._store.arrays
    changed = (after["latent/stoch"] != before["latent/stoch"]).any(-1)[0]
    expected = [r % 10 for r in (start + 3, start + 4)]
    assert set(np.flatnonzero(changed)) <= set(expected)
    assert (after["latent/stoch"][0, expected] == 99).all()
    assert replay.stats()["replay/dropped"] == 2


def test_write_covers_exactly_the_trained_rows():
    replay = make_replay(streams=1, capacity=5)
    fill(replay, 5)
    _, ticket = replay.draw(1)
    replay.write(ticket, {"latent/deter": np.full((1, 4, 4), 2.0, np.float32)}, offset=1)
    deter = replay.peek(1, 0)["latent/deter"][0].astype(np.float32)
    assert (deter[1:] == 2).all()
    np.testing.assert_array_equal(deter[0], make_rows(0, 1)["latent/deter"][0].astype(np.float32))


def test_peeking_and_statistics_leave_no_trace():
    one, two = make_replay(), make_replay()
    for replay in (one, two):
        fill(replay, 40)
        replay.draw(4)
    one.peek(8, 0)
    one.peek(3, 5, length=7)
    for _ in range(5):
        mine, yours = one.draw(4), two.draw(4)
        np.testing.assert_array_equal(mine[1].row, yours[1].row)
        np.testing.assert_array_equal(mine[0]["obs/place"], yours[0]["obs/place"])
    assert one.stats() == two.stats()


def test_peek_takes_another_length():
    replay = make_replay()
    fill(replay, 12)
    place = replay.peek(50, 1, length=9)["obs/place"]
    assert place.shape == (50, 9, 2)
    assert set(place[:, 0, 1].tolist()) == {0, 1, 2, 3}


def test_seeds_draw_differently_and_the_same_seed_alike():
    def rows(seed):
        replay = make_replay(seed=seed, online=False)
        fill(replay, 90)
        return replay.draw(50)[1].row.tolist()

    assert rows(1) == rows(1) != rows(2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"capacity": 9}, r"9 rows gives each of 2 streams 4; a sequence takes 5: set --replay"),
        ({"streams": 0}, r"streams must be at least 1, got 0"),
        ({"chunk": 0}, r"chunk must be at least 1, got 0"),
        ({"seed": -1}, r"seed of a draw must lie in \[0, 2\*\*64\), got -1"),
        ({"mutable": ("latent/detr",)}, r"no column 'latent/detr'.*did you mean 'latent/deter'"),
        ({"gigabytes": 1e-6}, r"would take 0.00 GB \(200 rows of 49 bytes\); allowed"),
    ],
)
def test_refuses_impossible_sizes(options, message):
    with pytest.raises(ReplayError, match=message):
        make_replay(**options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reward": None}, r"without reward"),
        ({"rewards": np.zeros(2)}, r"no column 'rewards'; did you mean 'reward'"),
        ({"reward": np.zeros(3, np.float32)}, r"reward has shape \(3,\); expected \(2,\)"),
        ({"obs/place": np.zeros((2, 2), np.int64)}, r"dtype int64; the replay stores int32"),
        ({"obs/image": np.zeros((2, 2, 2, 3))}, r"dtype float64; the replay stores uint8"),
    ],
)
def test_refuses_rows_that_do_not_fit(change, message):
    replay = make_replay()
    rows = {k: v for k, v in (make_rows(0, 2) | change).items() if v is not None}
    with pytest.raises(ReplayError, match=message):
        replay.add(rows)
    assert replay.stats()["replay/rows"] == 0


def test_refuses_draws_and_writes_that_make_no_sense():
    replay = make_replay()
    fill(replay, 4)
    with pytest.raises(ReplayError, match=r"a sequence takes 5 rows of one stream.*hold 4"):
        replay.draw(1)
    fill(replay, 4, start=4)
    _, ticket = replay.draw(2)
    with pytest.raises(ReplayError, match="'reward' is not mutable; known: latent/deter"):
        replay.write(ticket, {"reward": np.zeros((2, 4), np.float32)}, offset=1)
    with pytest.raises(ReplayError, match="rows 2 … 5 of a sequence cannot be written"):
        replay.write(ticket, {"latent/stoch": np.zeros((2, 4, 2), np.uint8)}, offset=2)
    with pytest.raises(ReplayError, match=r"latent/stoch has shape \(3, 4, 2\)"):
        replay.write(ticket, {"latent/stoch": np.zeros((3, 4, 2), np.uint8)}, offset=1)


def test_one_writer_one_sampler_one_committer():
    replay = make_replay(streams=4, capacity=400, length=7)
    fill(replay, 7)
    rows = [make_rows(t, 4) for t in range(7, 2007)]
    tickets, failures, done = [], [], threading.Event()

    def sample():
        while not done.is_set():
            sequences, ticket = replay.draw(3)
            place = sequences["obs/place"]
            steps = ticket.row[:, None] + np.arange(7)
            if (
                not (place[..., 0] == ticket.stream[:, None]).all()
                or (place[..., 1] != steps).any()
            ):
                failures.append(place)
            tickets.append((ticket, place))

    def commit():
        while not done.is_set() or tickets:
            if tickets:
                ticket, place = tickets.pop(0)
                stoch = (place[:, 1:] % 251).astype(np.uint8)
                replay.write(ticket, {"latent/stoch": stoch}, offset=1)

    threads = [threading.Thread(target=work) for work in (sample, commit)]
    for thread in threads:
        thread.start()
    for row in rows:
        row["latent/stoch"] = (row["obs/place"] % 251).astype(np.uint8)
        replay.add(row)
    done.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert not failures
    final = replay.peek(300, 0)
    late = final["obs/place"][..., 1] >= 7
    np.testing.assert_array_equal(final["latent/stoch"][late], final["obs/place"][late] % 251)
