"""The contact sheet: captions, pictures, numbers and classes of an observation."""

import numpy as np
import pytest
from PIL import ImageColor

from reverie.doctor import bands
from reverie.doctor.bands import COLORS, HEIGHT, LETTERS, LINES, WIDTH, full_sheet
from reverie.doctor.sheet import stacked
from reverie.records import Spec

CAPTION = LETTERS + 15
NUMBERS = Spec("vector", (2,))


def rows_of(key, values):
    return [{key: value} for value in values]


def columns_of(chart, color):
    """Where a colour is in a chart: for every column with it the mean height."""
    hit = (chart == np.array(ImageColor.getrgb(color))).all(-1)
    return {x: float(np.flatnonzero(hit[:, x]).mean()) for x in np.flatnonzero(hit.any(0))}


def test_every_key_has_its_band_under_a_caption():
    specs = {
        "place": NUMBERS,
        "lamp": Spec("discrete", (), (3,)),
        "view": Spec("image", (100, 100, 3)),
    }
    rows = [
        {"place": np.float32([k, -k]), "lamp": np.int32(k % 3), "view": np.full((100, 100, 3), k)}
        for k in range(20)
    ]
    rows = [row | {"view": row["view"].astype(np.uint8)} for row in rows]
    sheet = full_sheet(specs, rows, [])
    assert sheet.shape == (3 * CAPTION + 2 * HEIGHT + 104, 8 * 104, 3)
    for top in (0, CAPTION + HEIGHT, 2 * (CAPTION + HEIGHT)):
        caption = sheet[top : top + CAPTION]
        assert (caption < 100).any() and (caption[:, 600:] == 255).all()


def test_numbers_are_lines_that_rise_and_fall_as_they_do():
    values = np.stack([np.linspace(0, 1, 50), np.linspace(1, 0, 50)], 1).astype(np.float32)
    chart = full_sheet({"x": NUMBERS}, rows_of("x", values), [])[CAPTION:, : WIDTH - 200]
    up, down = (list(columns_of(chart, color).values()) for color in COLORS[:2])
    assert up[0] > HEIGHT - 30 and up[-1] < 40 and down[0] < 40 and down[-1] > HEIGHT - 30


def test_classes_are_steps_between_their_places():
    values = np.int32([0] * 10 + [2] * 10 + [1] * 10)
    spec = Spec("discrete", (), (3,))
    chart = full_sheet({"x": spec}, rows_of("x", values), [])[CAPTION:, : WIDTH - 200]
    heights = list(columns_of(chart, COLORS[0]).values())
    first, middle, last = (heights[len(heights) * k // 6] for k in (1, 3, 5))
    assert first > last > middle and last == pytest.approx((first + middle) / 2, abs=2)


def test_episodes_begin_at_grey_lines():
    values = np.zeros((40, 2), np.float32)
    plain, lined = (full_sheet({"x": NUMBERS}, rows_of("x", values), b) for b in ([], [20]))
    assert (plain != lined).any() and ((plain != lined).any((0, 2)).sum()) <= 2


def test_episodes_beyond_the_rows_of_a_very_long_key_have_no_line(monkeypatch):
    monkeypatch.setattr(bands, "NUMBERS", 20)  # of two components ten rows
    values = np.zeros((40, 2), np.float32)
    sheets = [full_sheet({"x": NUMBERS}, rows_of("x", values), b) for b in ([], [20], [5, 20])]
    assert (sheets[0] == sheets[1]).all()
    assert 0 < (sheets[0] != sheets[2]).any((0, 2)).sum() <= 2


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((1, 2)),
        np.full((5, 2), np.nan),
        np.array([[np.nan, 1.0], [2.0, np.inf], [3.0, 1.0]]),
        np.full((5, 2), 1e38),
        np.array([[-3e38, 3e38]] * 4),
    ],
)
def test_odd_numbers_are_drawn(values):
    sheet = full_sheet({"x": NUMBERS}, rows_of("x", values.astype(np.float32)), [])
    assert sheet.shape[0] == CAPTION + HEIGHT


@pytest.mark.parametrize(
    ("key", "spec"),
    [
        ("k" * 400, Spec("vector", (3, 4))),
        ("line\nbreak", Spec("vector", ())),
        ("many", Spec("vector", (1000,))),
        ("classes", Spec("discrete", (4,), (2, 100, 3, 1))),
        ("one", Spec("discrete", (), (1,))),
    ],
)
def test_odd_keys_and_shapes_are_drawn(key, spec):
    zeros = np.zeros(spec.shape, spec.dtype)
    sheet = full_sheet({key: spec}, rows_of(key, [zeros] * 4), [])
    assert sheet.shape == (CAPTION + HEIGHT, WIDTH, 3)


def test_the_components_that_vary_most_are_shown():
    values = np.zeros((30, 20), np.float32)
    values[:, 7] = np.arange(30)
    chart = full_sheet({"x": Spec("vector", (20,))}, rows_of("x", values), [])[CAPTION:]
    drawn = columns_of(chart[:, : WIDTH - 200], COLORS[LINES - 1])
    assert min(drawn.values()) < 40  # the last in their order: [0] ... [6] vary as little


def test_nothing_seen_is_no_sheet():
    assert full_sheet({"x": NUMBERS}, [], []) is None and stacked([]) is None
