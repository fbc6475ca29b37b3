"""Continual metrics against the published functions' values and against hand-made curves."""

from pathlib import Path

import numpy as np
import pytest

from reverie.report import transfer
from reverie.report.transfer import Curve

GOLDEN = Path(__file__).parent.parent / "golden" / "dreamerv2" / "continual.npz"
TASKS, TOLERANCE = 3, 1e-10


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(GOLDEN) as arrays:
        return {k.removeprefix("metrics/"): arrays[k] for k in arrays.files if "metrics/" in k}


def curves(golden, kind):
    tables = [golden[f"{kind}_task{i}"] for i in range(TASKS)]
    return [Curve(table[:, 0], table[:, 1:]) for table in tables]


def areas(golden, kind="curve", span=1.0, whole=False):
    steps = float(golden["steps_per_task"])
    if kind == "reference":
        return [transfer.area(c, 0, steps) for c in curves(golden, kind)]
    if whole:
        return [transfer.area(c, 0, TASKS * steps) for c in curves(golden, kind)]
    pairs = enumerate(curves(golden, kind))
    return [transfer.area(c, i * steps, (i + 1) * steps) for i, c in pairs]


@pytest.mark.parametrize("suffix", ["", "_smoothed"])
def test_performance_and_forgetting_equal_the_published_values(golden, suffix):
    keep = float(golden["smoothing"]) if suffix else 0.0
    ends = [(i + 1) * float(golden["steps_per_task"]) for i in range(TASKS)]
    found = transfer.average_performance(curves(golden, "curve"), keep)
    np.testing.assert_allclose(found, golden[f"average_performance{suffix}"], rtol=TOLERANCE)
    found = transfer.forgetting(curves(golden, "curve"), ends, keep)
    np.testing.assert_allclose(found, golden[f"forgetting{suffix}"], rtol=TOLERANCE)


def test_areas_equal_the_published_values(golden):
    np.testing.assert_allclose(areas(golden), golden["auc"], rtol=TOLERANCE)
    np.testing.assert_allclose(areas(golden, whole=True), golden["auc_full_range"], rtol=TOLERANCE)
    np.testing.assert_allclose(areas(golden, "reference"), golden["auc_reference"], rtol=TOLERANCE)


def test_forward_transfer_equals_the_published_values(golden):
    own, reference = areas(golden), areas(golden, "reference")
    whole = areas(golden, whole=True)
    mean = [golden["auc_reference_seed_mean"][i] for i in range(TASKS)]
    name = "forward_transfer_one_minus_auc_continual"
    for found, wanted in (
        (transfer.forward_transfer(own, reference, "published"), name),
        (transfer.forward_transfer(whole, reference, "published"), f"{name}_full_range"),
        (transfer.forward_transfer(own, mean, "published"), f"{name}_reference_seed_mean"),
        (
            transfer.forward_transfer(own, [*reference[:-1], None], "published"),
            f"{name}_last_reference_missing",
        ),
        (
            transfer.forward_transfer(own, reference, "continual_world"),
            "forward_transfer_one_minus_auc_reference",
        ),
    ):
        np.testing.assert_allclose(found, golden[wanted], rtol=TOLERANCE, err_msg=wanted)


def test_the_two_definitions_differ_as_the_specification_says():
    own, reference = [np.array([0.6])], [np.array([0.2])]
    assert transfer.forward_transfer(own, reference, "published") == pytest.approx(1.0)
    assert transfer.forward_transfer(own, reference, "continual_world") == pytest.approx(0.5)


def test_hand_made_sequence():
    """Two tasks of 10 steps: the first is learned and half forgotten, the second learned."""
    step = np.array([5.0, 10.0, 15.0, 20.0])
    first = Curve(step, np.array([[0.5], [0.8], [0.6], [0.4]]))
    second = Curve(step, np.array([[-1.0], [0.0], [np.nan], [0.8]]))
    assert transfer.average_performance([first, second]) == pytest.approx(0.6)
    assert transfer.forgetting([first, second], [10, 20]) == pytest.approx((0.4 + 0.0) / 2)
    assert transfer.area(first, 0, 10) == pytest.approx(
        0.0
    )  # one sample before 10: its time is lost
    assert transfer.area(first, 0, 20) == pytest.approx((5 * 0.8 + 5 * 0.6) / 20)


def test_a_task_without_an_evaluation_before_its_end_is_refused():
    curve = Curve(np.array([5.0]), np.array([[1.0]]))
    with pytest.raises(ValueError, match="no evaluation up to step 4"):
        transfer.forgetting([curve], [4])
