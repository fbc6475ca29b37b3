"""The law of the draws: uniform, independent, a function of (seed, counter). alpha = 1e-4."""

import numpy as np
import pytest
from replay_model import SPECS, fill
from scipy import stats

from reverie.replay.draw import PEEK, TRAIN, Pool, Uniform, generator
from reverie.replay.errors import ReplayError
from reverie.replay.keep import Ring
from reverie.replay.options import ReplayConfig
from reverie.replay.replay import Replay

ALPHA = 1e-4


def make_keep(streams, slots, inserted):
    keep = Ring(streams=streams, slots=slots, length=4)
    for _ in range(inserted):
        keep.admit({})
    return keep


@pytest.mark.parametrize("inserted", [20, 64, 65, 150], ids=["filling", "full", "wrapped", "later"])
def test_uniform_over_all_valid_windows(inserted):
    keep, length = make_keep(3, 64, inserted), 9
    rng = generator(0, 1, TRAIN)
    ticket = Uniform().draw(40_000, Pool(keep, keep, length, None), rng)
    oldest = max(0, inserted - 64)
    starts = min(inserted, 64) - length + 1
    assert keep.num_windows(length) == 3 * starts
    counts = np.zeros((3, starts))
    np.add.at(counts, (ticket.stream, ticket.row - oldest), 1)  # out of range raises
    assert stats.chisquare(counts.ravel()).pvalue > ALPHA


def test_the_only_window_is_drawn():
    keep = make_keep(1, 5, 5)
    ticket = Uniform().draw(10, Pool(keep, keep, 5, None), generator(0, 0, TRAIN))
    assert ticket.row.tolist() == [0] * 10


def test_batches_are_uniform_and_consecutive_ones_independent():
    replay = Replay(
        SPECS, streams=2, capacity=20, length=5, seed=11, online=False, gigabytes=1
    )  # 12 windows
    fill(replay, 13)
    tickets = [replay.draw(2)[1] for _ in range(3000)]
    code = np.array([ticket.stream * 6 + ticket.row - 3 for ticket in tickets])
    assert stats.chisquare(np.bincount(code.ravel(), minlength=12)).pvalue > ALPHA
    within = np.bincount(code[:, 0] * 12 + code[:, 1], minlength=144)
    between = np.bincount(code[:-1, 0] * 12 + code[1:, 0], minlength=144)
    assert stats.chisquare(within).pvalue > ALPHA
    assert stats.chisquare(between).pvalue > ALPHA


def test_ordinals_run_from_the_oldest_to_the_newest_window():
    keep = make_keep(2, 8, 21)
    ticket = keep.locate(np.arange(keep.num_windows(4)), 4)
    assert ticket.row.tolist() == sorted(ticket.row.tolist())
    assert (ticket.row[0], ticket.row[-1]) == (13, 17)
    assert len(set(zip(*ticket, strict=True))) == 10


def test_generators_are_functions_of_seed_counter_and_purpose():
    def sample(*args):
        return generator(*args).integers(2**62, size=4).tolist()

    arguments = [(0, 0, TRAIN), (0, 1, TRAIN), (1, 0, TRAIN), (0, 0, PEEK), (0, 1, PEEK)]
    assert len({tuple(sample(*args)) for args in arguments}) == len(arguments)
    assert sample(5, 2**63, TRAIN) == sample(5, 2**63, TRAIN)
    with pytest.raises(ReplayError, match="counter of a draw must lie in"):
        generator(0, -1, PEEK)


def test_the_configured_draw_is_built():
    assert isinstance(ReplayConfig().draw, Uniform)
