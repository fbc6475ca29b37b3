"""A saved replay, looked at: the episodes among its live rows."""

import numpy as np
import pytest
from replay_model import SPECS, make_rows
from score_models import add_rows, make_replay

from reverie.replay import stored
from reverie.replay.errors import ReplayError
from reverie.replay.options import ReplayConfig
from reverie.replay.unit import Episode

HOW = {"streams": 3, "capacity": 300, "length": 5, "seed": 7, "online": False, "chunk": 15}


def read(folder, manifest, options):
    how = {"gigabytes": 1, "inserts": None, **HOW}
    return stored.load(folder, manifest, SPECS, options=options, **how)


@pytest.mark.parametrize("options", [ReplayConfig(), ReplayConfig(unit=Episode())])
@pytest.mark.parametrize("rows", [40, 130])
def test_stretches_are_the_episodes_that_are_left(tmp_path, options, rows):
    replay = make_replay(options)
    add_rows(replay, rows)
    found = read(tmp_path, replay.save(tmp_path), options)
    stretches = found.stretches()
    assert stretches
    for stretch in stretches:
        part = found.rows(stretch)
        assert len(part["reward"]) == stretch.rows
        assert not any(name.startswith("latent/") for name in part)
        assert not part["is_first"][1:].any()
        assert stretch.whole == (part["is_first"][0] and part["is_last"][-1])
    ends = [stretch.first + stretch.rows for stretch in stretches]
    assert ends == sorted(ends, reverse=True)
    if options == ReplayConfig() and rows == 40:
        assert sum(s.rows for s in found.stretches(least=1)) == 3 * rows


def test_damage_is_told(tmp_path):
    replay = make_replay(ReplayConfig())
    add_rows(replay, 20)
    manifest = replay.save(tmp_path)
    path = next(tmp_path.glob("fixed-*"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ReplayError, match="is damaged"):
        read(tmp_path, manifest, ReplayConfig())


def test_rows_come_back_as_they_went_in(tmp_path):
    replay = make_replay(ReplayConfig())
    add_rows(replay, 30)
    found = read(tmp_path, replay.save(tmp_path), ReplayConfig())
    went_in = [make_rows(t, replay.streams) for t in range(30)]
    for stretch in found.stretches():
        rows = went_in[stretch.first : stretch.first + stretch.rows]
        for name, column in found.rows(stretch).items():
            np.testing.assert_array_equal(column, [row[name][stretch.stream] for row in rows])
