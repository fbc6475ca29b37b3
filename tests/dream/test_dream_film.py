"""Films of numbers, of rows written by hand."""

import numpy as np
import pytest

from reverie.dream import export, lines
from reverie.dream.branch import Row
from reverie.dream.errors import DreamError


def rows_of(dream, real, drawn=None):
    """Rows of an observation `at`; None where reality is not known."""
    return [
        Row(None, {"at": np.float32(d)}, None, None if r is None else {"at": np.float32(r)}, None)
        if drawn is None
        else Row(None, {"at": np.float32(d)}, None, None, None, drawn=drawn[i])
        for i, (d, r) in enumerate(zip(dream, real, strict=True))
    ]


def test_numbers_that_vary_most_come_first():
    found = lines.tracks(rows_of([[0, 1], [0, 3]], [[0, 1], None]))
    assert [track.name for track in found] == ["at[1]", "at[0]"]
    assert found[0].dream.tolist() == [1, 3]
    np.testing.assert_array_equal(found[0].real, [1, np.nan])


def test_a_line_is_where_the_number_is():
    """A dream that rises from its lowest to its highest value, over a reality that stays below."""
    film = lines.frames(rows_of([[0.0], [1.0]], [[0.0], [0.0]]))
    assert film.shape == (2, lines.HEIGHT + lines.LINE, lines.WIDTH, 3)
    low, high = lines.HEIGHT - 3, lines.LINE + 3
    assert film[0][high, lines.WIDTH - 3].tolist() == list(lines.DREAM)
    assert film[0][low, lines.WIDTH // 2].tolist() == list(lines.INK)
    marks = [np.flatnonzero((frame == lines.MARK).all(-1)[lines.LINE + 9]) for frame in film]
    assert [mark.tolist() for mark in marks] == [[3], [lines.WIDTH - 3]]


def test_what_the_environment_draws_stands_beside_the_lines():
    drawn = [np.full((90, 30, 3), 7, np.uint8), None]
    film = export.frames_of(rows_of([[0.0], [1.0]], [None, None], drawn))
    assert film.shape[1:3] == (90, 30 + export.GAP + lines.WIDTH)
    assert (film[0][:, :30] == 7).all()
    assert (film[1][:, :30] == 170).all()


def test_a_film_that_cannot_be_made_is_said():
    rows = rows_of([[0.0]], [None])
    with pytest.raises(DreamError, match="no picture 'image'; the model shows numbers only"):
        export.frames_of(rows, "image")
    with pytest.raises(DreamError, match="at most 1,000 rows, the branch has 1,001"):
        export.frames_of(rows * 1001)
