"""Rows on the device: what is added, gathered and written back is what the host's replay holds."""

from typing import Any

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from reverie.replay.options import ReplayConfig
from reverie.replay.remote import RemoteRows
from reverie.replay.replay import Replay
from reverie.train.ondevice import ring as rings
from reverie.train.ondevice.ring import Windows

STREAMS, SLOTS, LENGTH, BATCH = 2, 11, 4, 6
SPECS = {
    "obs/place": ((3,), "float32"),
    "reward": ((), "float32"),
    "is_first": ((), "bool"),
    "is_last": ((), "bool"),
    "latent/deter": ((2,), ml_dtypes.bfloat16),
    "latent/stoch": ((), "uint8"),
}


def replay(**options):
    config = ReplayConfig(capacity=STREAMS * SLOTS, chunk=STREAMS * 3, **options)
    how = {"capacity": STREAMS * SLOTS, "length": LENGTH, "options": config, "chunk": STREAMS * 3}
    return Replay(SPECS, streams=STREAMS, gigabytes=1.0, seed=3, **how)


def row(rng):
    flags = {name: rng.random(STREAMS) < 0.3 for name in ("is_first", "is_last")}
    return {
        "obs/place": rng.standard_normal((STREAMS, 3)).astype(np.float32),
        "reward": rng.standard_normal(STREAMS).astype(np.float32),
        "latent/deter": rng.standard_normal((STREAMS, 2)).astype(ml_dtypes.bfloat16),
        "latent/stoch": rng.integers(0, 9, STREAMS).astype(np.uint8),
        **flags,
    }


def results(rng):
    shape = (BATCH, LENGTH - 1)
    deter = rng.standard_normal((*shape, 2)).astype(np.float32)
    return {"latent/deter": deter, "latent/stoch": rng.integers(0, 9, shape).astype(np.uint8)}


def windows(ticket):
    return Windows(*(np.int32(part) for part in ticket))


def empty(columns):
    """A ring without rows."""
    return {
        name: jnp.zeros((STREAMS, SLOTS, *column.shape), rings.stored(column.dtype))
        for name, column in columns.items()
    }


def home(remote, ring, columns):
    """Bring the rows home, as a call does between two of its turns."""

    def read(first, size, names):
        found = rings.block(ring, first, size=size, names=names)
        return {name: np.asarray(bits).view(columns[name].dtype) for name, bits in found.items()}

    remote.bring_home(read)


def test_the_device_holds_what_the_host_would():
    """Draws, gathers and late write-backs over several rounds of the ring; overlapping windows."""
    rng, whole, books = np.random.default_rng(0), replay(), replay()
    remote, columns = RemoteRows(books), books.columns
    ring = empty(columns)
    pending, told = None, []
    for turn in range(60):
        made = row(rng)
        whole.add(made)
        ring = rings.add(ring, columns, made, jnp.int32(turn))
        remote.admit()
        remote.arrived(1)
        if turn < 12 or turn % 3:
            continue
        rows, ticket = whole.draw(BATCH)
        drawn = remote.draw(BATCH)
        np.testing.assert_array_equal(ticket, drawn.ticket)
        found = rings.sequences(ring, columns, windows(ticket), LENGTH)
        for name, column in rows.items():
            np.testing.assert_array_equal(found[name], column, err_msg=name)
        if pending is not None:
            told.append(whole.write(*pending, offset=1))
            remote.written(pending[0], LENGTH - 1, None, offset=1)
            how: dict[str, Any] = {
                "offset": 1,
                "inserted": np.int32(turn + 1),
                "on": jnp.array(True),
                "after": found,
            }
            ring = rings.write(ring, columns, windows(pending[0]), pending[1], **how)
        pending = ticket, results(rng)
    assert sum(told) > 0, "no result came too late"
    home(remote, ring, columns)
    for name in columns:
        mine, theirs = (r.inside.store.arrays[name] for r in (books, whole))
        np.testing.assert_array_equal(mine, theirs, err_msg=name)
    assert books.stats() == whole.stats()


@pytest.mark.parametrize("first", [0, 1])
def test_of_overlapping_windows_the_last_one_wins(first):
    columns = replay().columns
    ring = empty(columns)
    both = Windows(np.array([1, 1]), np.array([first, 1 - first]))
    values = {"latent/stoch": jnp.array([[1, 2, 3], [4, 5, 6]], jnp.uint8)}
    how: dict[str, Any] = {
        "offset": 1,
        "inserted": np.int32(6),
        "on": jnp.array(True),
        "after": ring,
    }
    found = rings.write(ring, columns, both, values, **how)["latent/stoch"]
    want = [0, 4, 5, 6, 3] if first else [0, 1, 4, 5, 6]
    assert found[1, :5].tolist() == want
    assert not found[0].any()
    off = rings.write(ring, columns, both, values, **{**how, "on": jnp.array(False)})
    assert not np.any(off["latent/stoch"])
