"""The table of docs/guide.md that says what the agent sees, run row by row."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces
from toy_envs import Shows

from reverie.envs.adapter import Adapter
from reverie.envs.options import EnvConfig

GUIDE = Path(__file__).parent.parent.parent / "docs" / "guide.md"
ROW = re.compile(r"^\| `(?P<space>[A-Z]\w+\(.*\))` \| (?P<becomes>[^|]+) \|", re.M)
NAMES = {"inf": np.inf} | {
    str(np.dtype(t)): t for t in (np.uint8, np.uint16, np.float32, np.float64)
}


def built(node):
    """A space from its expression: calls of spaces, names and literals."""
    match node:
        case ast.Call():
            parts = [built(argument) for argument in node.args]
            return getattr(spaces, node.func.id)(
                *parts, **{k.arg: built(k.value) for k in node.keywords}
            )
        case ast.Name():
            return NAMES[node.id]
        case ast.List():
            return [built(part) for part in node.elts]
        case ast.UnaryOp(operand=ast.Name()):
            return -built(node.operand)
    return ast.literal_eval(node)


ROWS = [(row["space"], row["becomes"].strip()) for row in ROW.finditer(GUIDE.read_text("utf-8"))]


def test_the_table_is_found():
    assert len(ROWS) >= 18


@pytest.mark.parametrize(("text", "becomes"), ROWS)
def test_what_the_guide_says_of_a_space_is_so(text, becomes):
    space = built(ast.parse(text, mode="eval").body)
    beside = spaces.Dict(seen=space, other=spaces.Discrete(2))  # so that nothing is allowed
    shown = beside.sample()
    env = Adapter(Shows(beside, [shown]), EnvConfig())
    obs = env.reset(0)
    found = {
        k.removeprefix("seen").removeprefix("_"): s
        for k, s in env.obs_specs.items()
        if k != "other"
    }
    kinds = {key: f"{spec.kind} {spec.shape}" for key, spec in found.items()}
    said = ", ".join(f"{key}: {kind}" if key else kind for key, kind in sorted(kinds.items()))
    assert (said or "nothing") == becomes
    assert all(obs[key].shape == spec.shape for key, spec in env.obs_specs.items())
