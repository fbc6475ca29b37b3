"""The sum tree: its law, its exactness, and both kernels bit for bit (oracles 2, 3, 4, 7, 9)."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reverie.replay.tree import NUMPY, SumTree, block_of, compilable, compiled_kernels

ALPHA = 1e-4
KERNELS = [
    pytest.param("numpy", id="numpy"),
    pytest.param("numba", marks=pytest.mark.skipif(not compilable(), reason="needs reverie[fast]")),
]


@pytest.fixture(scope="module")
def compiled():
    return compiled_kernels()


@pytest.fixture(params=KERNELS)
def tree_of(request):
    compiled = request.getfixturevalue("compiled") if request.param == "numba" else NUMPY
    return lambda size: SumTree(size, compiled)


def test_leaves_are_drawn_in_proportion_to_their_weights(tree_of):
    rng, size = np.random.default_rng(0), 3000
    weights = rng.random(size) ** 3
    weights[::7] = 0
    tree = tree_of(size)
    tree.set(np.arange(size), weights)
    changed = rng.choice(size, 500, replace=False)
    weights[changed] = rng.random(500) * (changed % 7 > 0)
    tree.set(changed, weights[changed])
    counts = np.zeros(size, np.int64)
    for _ in range(200):
        np.add.at(counts, tree.draw(rng.random(10_000)), 1)
    assert counts[weights == 0].sum() == 0
    expected = weights / weights.sum() * counts.sum()
    often = expected >= 20
    found = np.append(counts[often], counts[~often].sum())
    law = np.append(expected[often], expected[~often].sum())
    assert stats.chisquare(found, law * counts.sum() / law.sum()).pvalue > ALPHA


@pytest.mark.skipif(not compilable(), reason="needs reverie[fast]")
@pytest.mark.parametrize("size", [1, 63, 64, 65, 5000, 300_000])
def test_both_kernels_draw_the_same_bits(size, compiled):
    rng = np.random.default_rng(size)
    slow, quick = SumTree(size), SumTree(size, compiled)
    for _ in range(20):
        index = rng.integers(size, size=(16, 100))
        weight = rng.lognormal(0, 4, size=(16, 100)) * (rng.random((16, 100)) < 0.8)
        weight[-1, -1] = 1.0
        for tree in (slow, quick):
            tree.set(index, weight)
        assert slow.total == quick.total
        uniform = np.append(rng.random(200), [0.0, np.nextafter(1, 0)])
        np.testing.assert_array_equal(slow.draw(uniform), quick.draw(uniform))


@pytest.mark.parametrize("size", [1, 1000])
def test_the_total_never_drifts(size, tree_of):
    rng, tree = np.random.default_rng(1), tree_of(size)
    for _ in range(1000):  # a million changes
        scale = 10.0 ** rng.integers(-8, 9)
        tree.set(rng.integers(size, size=1000), rng.random(1000) * scale)
    assert tree.total == pytest.approx(math.fsum(tree.weights), rel=1e-12)


def test_a_wide_range_of_weights_keeps_its_shares(tree_of):
    """One leaf of 1e5 against a million of 1e-2: 10 to 1, also after others came and went."""
    size = 1_000_001
    tree = tree_of(size)
    tree.set(np.arange(size), np.full(size, 1e-2))
    for weight in (1e5, 1e-2):
        tree.set(np.arange(2000), np.full(2000, weight))
    tree.set(np.array([777_777]), np.array([1e5]))
    rng, num = np.random.default_rng(2), 110_000
    hits = sum((tree.draw(rng.random(1000)) == 777_777).sum() for _ in range(num // 1000))
    assert abs(hits - num * 10 / 11) < 3 * math.sqrt(num * 10 / 121)


def test_a_common_factor_changes_no_draw(tree_of):
    rng = np.random.default_rng(3)
    weights, uniform = rng.random(5000), rng.random(5000)
    once, seven = tree_of(5000), tree_of(5000)
    once.set(np.arange(5000), weights)
    seven.set(np.arange(5000), 7 * weights)
    np.testing.assert_array_equal(once.draw(uniform), seven.draw(uniform))


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan, -1e-30])
def test_other_weights_are_refused_and_change_nothing(bad):
    tree = SumTree(10)
    tree.set(np.arange(10), np.ones(10))
    with pytest.raises(ValueError, match="a weight must be finite and at least 0, got"):
        tree.set(np.array([1, 2]), np.array([5.0, bad]))
    assert tree.weights.tolist() == [1.0] * 10


def test_nothing_is_drawn_where_all_weights_are_zero():
    with pytest.raises(ValueError, match="every weight is 0"):
        SumTree(5).draw(np.array([0.5]))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    size=st.integers(1, 300),
    steps=st.lists(
        st.tuples(st.integers(0, 10_000), st.floats(0, 1e9), st.floats(0, 1, exclude_max=True)),
        min_size=1,
        max_size=60,
    ),
)
def test_any_sequence_agrees_with_a_plain_list(size, steps):
    tree, plain = SumTree(size), np.zeros(size)
    for place, weight, uniform in steps:
        tree.set(np.array([place % size]), np.array([weight]))
        plain[place % size] = weight
        assert np.isfinite(tree.total) and tree.total >= 0
        assert tree.total == pytest.approx(math.fsum(plain), rel=1e-12)
        if tree.total > 0:
            found = int(tree.draw(np.array([uniform]))[0])
            below = math.fsum(plain[:found])
            slack = 1e-9 * tree.total
            assert plain[found] > 0
            assert below - slack <= uniform * tree.total <= below + plain[found] + slack


def test_blocks_grow_with_the_square_root():
    assert [block_of(n) for n in (1, 1000, 10_000, 100_000, 10**6, 10**8)] == [
        64,
        64,
        128,
        256,
        1024,
        1024,
    ]
