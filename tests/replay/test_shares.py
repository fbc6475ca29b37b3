"""A replay in parts: the rows of each environment stay in its own, and draws are shared out."""

import numpy as np
import pytest

from reverie.replay.errors import ReplayError
from reverie.replay.files import check, prune
from reverie.replay.options import ReplayConfig
from reverie.replay.priorities import Proportional
from reverie.replay.replay import Replay
from reverie.replay.shares import Shares, manifests_of, seed_of
from reverie.signals.kl import Kl

SPECS = {
    "number": ((), "int64"),
    "latent/x": ((), "float32"),
    **dict.fromkeys(("is_first", "is_last", "is_terminal"), ((), "bool")),
}


def part(index: int, options: ReplayConfig | None = None) -> Replay:
    how = {"streams": 2, "capacity": 200, "length": 4, "chunk": 16, "gigabytes": 0.1}
    return Replay(SPECS, seed=seed_of(5, index), online=False, options=options, **how)


def filled(indices=(0, 1, 2), rows: int = 30, options: ReplayConfig | None = None) -> Shares:
    """Row t of environment e holds the number 1000·e + t."""
    shares = Shares([part(index, options) for index in indices], indices[0])
    envs = np.concatenate([[2 * index, 2 * index + 1] for index in indices])
    for t in range(rows):
        flags = np.full(len(envs), t == 0)
        never = np.zeros(len(envs), bool)
        row = {"number": 1000 * envs + t, "latent/x": np.zeros(len(envs), np.float32)}
        shares.add(row | {"is_first": flags, "is_last": never, "is_terminal": never})
    return shares


def test_every_part_gives_its_share_of_a_batch():
    rows, ticket = filled().draw(9)
    env, t = np.divmod(rows["number"], 1000)
    np.testing.assert_array_equal(env[:, 0] // 2, np.repeat([0, 1, 2], 3))
    np.testing.assert_array_equal(env, np.broadcast_to(ticket.stream[:, None], env.shape))
    np.testing.assert_array_equal(np.diff(t), 1)


def test_what_is_drawn_does_not_depend_on_who_keeps_the_parts():
    whole, apart = filled(), [filled((0,)), filled((1, 2))]
    for _ in range(3):
        rows = whole.draw(6)[0]["number"]
        others = np.concatenate([apart[0].draw(2)[0]["number"], apart[1].draw(4)[0]["number"]])
        np.testing.assert_array_equal(rows, others)
    assert len({tuple(filled((index,)).draw(6)[1].row.tolist()) for index in range(3)}) == 3


def test_results_are_written_where_they_came_from():
    shares = filled()
    rows, ticket = shares.draw(9)
    value = rows["number"][:, 1:].astype(np.float32)
    assert shares.write(ticket, {"latent/x": value}, offset=1) == 0
    again, _ = shares.windows(np.arange(shares.num_windows))
    seen = set(value.ravel().tolist())
    for number, latent in zip(again["number"].ravel(), again["latent/x"].ravel(), strict=True):
        assert latent == (number if float(number) in seen else 0)


def test_windows_are_found_by_ordinal_in_any_order():
    shares = filled()
    everything, tickets = shares.windows(np.arange(shares.num_windows))
    order = np.random.default_rng(0).permutation(shares.num_windows)[:20]
    some, ticket = shares.windows(order)
    np.testing.assert_array_equal(some["number"], everything["number"][order])
    np.testing.assert_array_equal(ticket.stream, tickets.stream[order])


def scores_of(rows):
    """Scores (B, 3) of the rows after the first, of which nothing else depends."""
    return ((rows["number"][:, 1:] * 37) % 11).astype(np.float32)


def test_scores_go_to_the_part_whose_rows_they_are_of():
    """Draws by scores equal those of parts that are used alone."""
    options = ReplayConfig(draw=Proportional(), signal=Kl(), online=False)
    shares, lone = (filled(options=options), [filled((i,), options=options) for i in range(3)])
    everything, ticket = shares.windows(np.arange(shares.num_windows))
    shares.rescore(ticket, scores_of(everything), offset=1)
    for one in lone:
        some, own = one.windows(np.arange(one.num_windows))
        one.rescore(own, scores_of(some), offset=1)
    for _ in range(4):
        rows, ticket = shares.draw(9)
        drawn = [one.draw(3) for one in lone]
        others = np.concatenate([some["number"] for some, _ in drawn])
        np.testing.assert_array_equal(rows["number"], others)
        shares.write(ticket, {"score": 5 * scores_of(rows) + 1}, offset=1)
        for one, (some, own) in zip(lone, drawn, strict=True):
            one.write(own, {"score": 5 * scores_of(some) + 1}, offset=1)
    chosen = np.concatenate([shares.draw(9)[0]["number"] for _ in range(60)])
    assert scores_of({"number": chosen}).mean() > scores_of(everything).mean()


def test_peeks_and_numbers_are_of_all_parts():
    shares = filled()
    seen = shares.peek(4, 7)["number"] // 2000
    assert sorted(seen[:, 0].tolist()) == [0, 0, 1, 2]
    np.testing.assert_array_equal(shares.peek(4, 7)["number"], shares.peek(4, 7)["number"])
    assert shares.can_draw(3 * 54) and not shares.can_draw(3 * 54 + 1)
    assert shares.num_windows == 3 * 2 * 27 and shares.streams == 6
    stats = shares.stats()
    assert (stats["replay/rows"], stats["replay/streams"]) == (180, 6)
    assert shares.live_bytes == 3 * filled((0,)).live_bytes
    early = filled(rows=2)
    assert early.num_windows_of(4) == 0 and not early.can_draw()


def test_it_is_saved_part_by_part_and_goes_on(tmp_path):
    one, two = filled(), filled()
    one.draw(6)
    two.draw(6)
    manifest = one.save(tmp_path)
    places = manifests_of(tmp_path, manifest)
    assert [folder.name for folder, _ in places] == ["share-0", "share-1", "share-2"]
    for folder, listed in places:
        check(folder, listed)
        assert prune(folder, [listed]) == 0
    back = Shares([part(index) for index in range(3)])
    back.load(tmp_path, manifest)
    np.testing.assert_array_equal(back.draw(6)[0]["number"], two.draw(6)[0]["number"])
    later = Shares([part(1), part(2)], 1)
    later.load(tmp_path, {"shares": manifest["shares"][1:]})
    assert later.num_windows == 2 * 54
    with pytest.raises(ReplayError, match=r"has 3 shares, this run has 2: .*--replay.shares"):
        later.load(tmp_path, manifest)
    alone = part(0).save(tmp_path / "alone")
    assert manifests_of(tmp_path, alone) == [(tmp_path, alone)]
