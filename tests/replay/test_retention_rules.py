"""The rules of retention as laws, and the published ones number by number. Oracles 24 to 27 of
replay-sampling.md §7; golden/dreamerv2 continual.npz."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from reverie.part.part import find
from reverie.replay.coverage import CoverageRule, Embedder, distances
from reverie.replay.reservoir import RandomReplaceRule, ReservoirRule
from reverie.replay.retention import AbstractRetention, FifoRule, Unit
from reverie.replay.top import TopReturnRule, TopSurpriseRule

ALPHA = 1e-4
GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "dreamerv2" / "continual.npz")


def live(rule, sizes, capacity, *, rets=None, rows=None):
    """What is stored after these units came, one after the other: a store without any rows."""
    stored, load = {}, 0
    for serial, size in enumerate(sizes):
        stored[serial] = size
        ret = 0.0 if rets is None else float(rets[serial])
        unit = Unit(serial, size, ret, lambda most, s=serial: {"obs/x": rows[s][:most]})
        load += size
        for gone in rule.offer(unit, load=load, capacity=capacity):
            load -= stored.pop(gone)
        while load > capacity:
            load -= stored.pop(rule.victim())
    return list(stored)


class Script:
    """Dice that fall as they were told."""

    def __init__(self, numbers):
        self.numbers, self.bounds = list(numbers), []

    def roll(self):
        return self

    def integers(self, bound):
        self.bounds.append(bound)
        return self.numbers.pop(0)


def offered(case):
    """Number and length of the episodes that are long enough, in the order of their arrival."""
    length = GOLDEN[f"{case}/episode_length"]
    accepted = np.flatnonzero(length >= GOLDEN[f"{case}/minlen"])
    np.testing.assert_array_equal(np.flatnonzero(GOLDEN[f"{case}/stored"]), accepted)
    return accepted, length


@pytest.mark.parametrize("case", ["keep_reservoir", "keep_fifo"])
def test_the_published_retention_number_by_number(case):
    rule, capacity = FifoRule(), int(GOLDEN[f"{case}/capacity"])
    stored, (accepted, length) = [], offered(case)
    if case == "keep_reservoir":
        rule = RandomReplaceRule(0)
    for episode in accepted.tolist():
        if case == "keep_reservoir":
            draws = [GOLDEN[f"{case}/draw_first"][episode], *GOLDEN[f"{case}/draws_limit"][episode]]
            rule._dice = Script(int(draw) for draw in draws if draw >= 0)
        stored.append(episode)
        load = int(length[stored].sum())
        unit = Unit(episode, int(length[episode]), 0.0, lambda most: {})
        removed = rule.offer(unit, load=load, capacity=capacity)
        load -= int(length[removed].sum()) if removed else 0
        while load > capacity:
            removed.append(rule.victim())
            load -= int(length[removed[-1]])
        expected = [int(gone) for gone in GOLDEN[f"{case}/removed"][episode] if gone >= 0]
        assert removed == expected
        stored = [one for one in stored if one not in removed]
        assert load == GOLDEN[f"{case}/loaded_steps"][episode]
        assert len(stored) == GOLDEN[f"{case}/loaded_episodes"][episode]
        if case == "keep_reservoir":
            assert not rule._dice.numbers
    assert stored == GOLDEN[f"{case}/kept"].tolist()
    task = GOLDEN[f"{case}/episode_task"]
    steps = np.bincount(task[stored], length[stored], minlength=4)
    np.testing.assert_allclose(steps / steps.sum(), GOLDEN[f"{case}/share_of_steps_per_task"])


def algorithm_r(num, room, rng):
    """Vitter's Algorithm R: the reference for the law of a reservoir."""
    stored = []
    for unit in range(num):
        if unit < room:
            stored.append(unit)
        elif (position := int(rng.integers(unit + 1))) < room:
            stored[position] = unit
    return stored


def inclusion(make, repeats, num):
    """Which units were stored in each repeat."""
    member = np.zeros((repeats, num))
    for repeat in range(repeats):
        member[repeat, make(repeat)] = 1
    return member


@pytest.mark.parametrize("repeats", [400, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_reservoir_keeps_every_unit_and_every_pair_alike_as_algorithm_r_does(repeats):
    num, room = 400, 100
    member = inclusion(lambda k: live(ReservoirRule(k), [1] * num, room), repeats, num)
    rng = np.random.default_rng(0)
    theirs = inclusion(lambda k: algorithm_r(num, room, rng), repeats, num).sum(0)
    ours = member.sum(0)
    for counts in (ours, theirs):
        assert np.abs(counts / repeats - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / repeats)
        octiles = counts.reshape(8, -1).sum(1)
        assert octiles.sum() == room * repeats
        assert stats.chisquare(octiles).pvalue > ALPHA
    assert stats.chi2_contingency([ours, theirs]).pvalue > ALPHA
    pair = room * (room - 1) / (num * (num - 1))
    near = (member[:, 1:] * member[:, :-1]).mean(1)  # neighbours
    far = member[:, :50].mean(1) * member[:, 350:].mean(1)  # the oldest with the newest
    for both in (near, far):
        assert abs(both.mean() - pair) < 4 * both.std() / np.sqrt(repeats)


def test_random_replacement_forgets_exponentially():
    num, room, repeats = 400, 100, 200
    member = inclusion(lambda k: live(RandomReplaceRule(k), [1] * num, room), repeats, num)
    share = member.sum(0).reshape(8, -1).mean(1) / repeats
    later = num - 1 - np.arange(num)
    expected = ((1 - 1 / room) ** np.minimum(later, num - room)).reshape(8, -1).mean(1)
    np.testing.assert_allclose(share, expected, atol=0.03)
    measured = [0.05, 0.05, 0.07, 0.11, 0.17, 0.29, 0.48, 0.79]  # of the published class [R §5.1]
    np.testing.assert_allclose(share, measured, atol=0.03)


def test_a_reservoir_of_units_of_two_sizes_stays_within_memory_and_is_nearly_fair():
    rng, num, capacity, repeats = np.random.default_rng(1), 300, 400, 400
    sizes = rng.choice([4, 12], num)
    counts = np.zeros(num)
    for repeat in range(repeats):
        stored = live(ReservoirRule(repeat), sizes.tolist(), capacity)
        assert sizes[stored].sum() <= capacity
        counts[stored] += 1
    share = counts / repeats
    old, new = share[:150].mean(), share[150:].mean()
    assert abs(old - new) < 0.02  # no preference for age
    small, large = share[sizes == 4].mean(), share[sizes == 12].mean()
    assert 1 - 2 * 12 / capacity < large / small < 1.01  # the documented bias, by size alone


def test_a_reservoir_stays_fair_after_memory_was_short_for_a_while():
    counts = np.zeros(200)
    for repeat in range(600):
        rule, stored = ReservoirRule(repeat), {}
        for serial in range(200):
            capacity = 20 if 80 <= serial < 90 else 50
            stored[serial] = 1
            unit = Unit(serial, 1, 0.0, lambda most: {})
            for gone in rule.offer(unit, load=len(stored), capacity=capacity):
                del stored[gone]
            while len(stored) > capacity:
                del stored[rule.victim()]
        counts[list(stored)] += 1
    octiles = counts.reshape(8, -1).sum(1)
    assert stats.chisquare(octiles).pvalue > ALPHA


def test_fifo_keeps_the_newest_in_order():
    assert live(FifoRule(), [3, 4, 5, 1, 6, 2], 9) == [3, 4, 5]
    assert live(FifoRule(), [1] * 50, 7) == list(range(43, 50))


def test_top_return_keeps_the_best_and_of_equal_ones_the_newest():
    rets = [0.5, -1.0, 2.0, 0.5, 7.0, -3.0, 0.5]
    assert live(TopReturnRule(), [1] * 7, 4, rets=rets) == [2, 3, 4, 6]


def test_top_surprise_judges_what_was_trained_on_and_spares_the_new():
    rule, stored = TopSurpriseRule(), set()

    def offer(serial):
        stored.add(serial)
        rule.offer(Unit(serial, 1, 0.0, lambda most: {}), load=len(stored), capacity=4)
        while len(stored) > 4:
            stored.discard(rule.victim())

    for serial in range(4):
        offer(serial)
        rule.rescore(serial, [0.3, 0.9, 0.1, 0.7][serial])
    offer(4)
    assert stored == {0, 1, 3, 4}  # the least surprising one went, not the unseen
    offer(5)
    assert stored == {1, 3, 4, 5}
    offer(6)
    assert stored == {1, 3, 5, 6}  # unseen units may take half: the oldest of them goes
    rule.rescore(1, 0.01)
    rule.rescore(5, 0.8)
    rule.rescore(99, 5.0)  # gone long ago
    offer(7)
    assert stored == {3, 5, 6, 7}


def looks(kinds, seed=0):
    """Pictures of units: two very different scenes, with a little noise."""
    rng = np.random.default_rng(seed)
    scenes = rng.integers(0, 256, (2, 32, 32, 3))
    noise = rng.integers(-8, 9, (len(kinds), 6, 32, 32, 3))
    return np.clip(scenes[np.asarray(kinds)][:, None] + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("distance", ["euclid", "cosine"])
def test_coverage_keeps_both_of_two_clusters_of_very_different_size(distance):
    kinds = (np.random.default_rng(3).random(400) < 0.05).astype(int)
    assert 10 < kinds.sum() < 30
    rule = CoverageRule(0, embed=Embedder(0), distance=distance)
    stored = live(rule, [1] * 400, 20, rows=looks(kinds))
    assert 0.3 <= kinds[stored].mean() <= 0.7
    assert kinds.mean() < 0.07


def test_coverage_lets_duplicates_go_first():
    rows = looks([0] * 12)
    rows[1:9] = rows[0]  # units 0 … 8 look the same
    rng = np.random.default_rng(5)
    rows[9:] = rng.integers(0, 256, (3, 6, 32, 32, 3))
    rule = CoverageRule(0, embed=Embedder(0), distance="euclid")
    assert live(rule, [1] * 12, 4, rows=rows) == [0, 9, 10, 11]


def test_distances_are_symmetric_and_grow_in_the_right_direction():
    embed = Embedder(0)
    one, near, far = (embed({"obs/x": look}) for look in looks([0, 0, 1]))
    for kind in ("euclid", "cosine"):
        assert distances(one, one[None], kind)[0] == pytest.approx(0, abs=1e-5)
        assert distances(one, near[None], kind)[0] < 0.2 * distances(one, far[None], kind)[0]
        forth, back = distances(one, far[None], kind), distances(far, one[None], kind)
        np.testing.assert_allclose(forth, back, rtol=1e-5)
    squared = distances(one, far[None], "euclid")[0] ** 2
    assert squared == pytest.approx(2 * distances(one, far[None], "cosine")[0], rel=1e-4)


def test_a_vector_is_a_function_of_seed_and_observations():
    rows = {"obs/image": looks([0])[0], "obs/speed": np.array([[1e6], [-1e6]] * 3, np.float32)}
    one, two, other = Embedder(0)(rows), Embedder(0)(rows), Embedder(1)(rows)
    np.testing.assert_array_equal(one, two)
    assert not np.allclose(one, other)
    assert np.linalg.norm(one) == pytest.approx(1)
    assert np.isfinite(one).all()


@pytest.mark.parametrize("name", sorted(set(AbstractRetention.MEMBERS) - {"split"}))
@pytest.mark.parametrize("seen", [0, 3, 60])
def test_a_loaded_rule_goes_on_as_the_saved_one(name, seen):
    rng = np.random.default_rng(seen)
    rets, pictures = rng.normal(size=200), looks([0] * 200, seed=seen)
    record = find(AbstractRetention, name)()
    rule, twin, stored = record.rule(4), record.rule(4), set()

    def turn(rule, stored, serial):
        stored.add(serial)
        unit = Unit(serial, 1, rets[serial], lambda most: {"obs/x": pictures[serial]})
        gone = list(rule.offer(unit, load=len(stored), capacity=20))
        stored -= set(gone)
        while len(stored) > 20:
            gone.append(rule.victim())
            stored.discard(gone[-1])
        rule.rescore(serial // 2, abs(rets[serial]))
        return gone

    for serial in range(seen):
        turn(rule, stored, serial)
    twin.load(rule.state(), rule.tables())
    copy = set(stored)
    for serial in range(seen, seen + 60):
        assert turn(rule, stored, serial) == turn(twin, copy, serial)
