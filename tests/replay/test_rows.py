"""What a row holds, and what may be put into it."""

import numpy as np
import pytest
from ml_dtypes import bfloat16
from networks import rssm

from reverie.records import Spec
from reverie.replay.errors import ReplayError
from reverie.replay.rows import fit, make_columns, row_bytes, row_specs

FLAGS = {"is_first": ((), "bool"), "is_last": ((), "bool")}


def test_rows_of_an_agent():
    obs = {"image": Spec("image", (64, 64, 3)), "speed": Spec("vector", (3,))}
    action = {"action": Spec("discrete", (), (5,))}
    columns = row_specs(obs, action, rssm(deter=8192, stoch=32, classes=64).columns())
    assert {name: (c.shape, c.dtype.name) for name, c in columns.items()} == {
        "obs/image": ((64, 64, 3), "uint8"),
        "obs/speed": ((3,), "float32"),
        "action/action": ((), "int32"),
        "reward": ((), "float32"),
        "is_first": ((), "bool"),
        "is_last": ((), "bool"),
        "is_terminal": ((), "bool"),
        "latent/deter": ((8192,), "bfloat16"),
        "latent/stoch": ((32,), "uint8"),
    }
    # spec/dreamerv3.md §4.3: 2·D + 32 bytes of latents at 200m
    assert row_bytes(columns) == 12288 + 12 + 4 + 4 + 3 + (2 * 8192 + 32)


def test_refuses_columns_that_cannot_be_stored():
    with pytest.raises(ReplayError, match="need a column 'is_last' of shape"):
        make_columns({"is_first": ((), "bool")})
    with pytest.raises(ReplayError, match="name has dtype"):
        make_columns(FLAGS | {"name": ((), object)})


@pytest.mark.parametrize(
    ("source", "target"),
    [("float32", bfloat16), (bfloat16, "float32"), ("float64", "float32"), ("uint8", "int32")],
)
def test_numbers_are_converted_where_nothing_is_lost_but_precision(source, target):
    column = make_columns(FLAGS | {"x": ((2,), target)})["x"]
    found = fit("x", np.array([[1, 2]], source), column, (1,))
    assert found.dtype == target
    assert found.astype(float).tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("source", "target"),
    [("int32", "uint8"), ("float32", "int32"), ("int64", "float32"), ("int32", bfloat16)],
)
def test_refuses_conversions_that_lose_values(source, target):
    column = make_columns(FLAGS | {"x": ((2,), target)})["x"]
    with pytest.raises(ReplayError, match=r"x has dtype .* convert it before"):
        fit("x", np.array([[1, 2]], source), column, (1,))
