"""Exported programs, run step by step where there is no Reverie.

    python alone.py FOLDER NAME KIND [FOLDER NAME KIND ...]

Reads `NAME.given.npz`, a row a step; rows of `first/STATE` are the state before the first step
(zeros where there is none). Writes what the program gave into `NAME.KIND.taken.npz`.
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.modules["reverie"] = None  # whoever imports it fails


def stablehlo(path):
    import jax
    from jax import export

    call = jax.jit(export.deserialize(bytearray(Path(path).read_bytes())).call)
    return lambda given: {name: np.asarray(x) for name, x in call(given).items()}


def onnx(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [out.name for out in session.get_outputs()]
    return lambda given: dict(zip(names, session.run(None, given), strict=True))


def run(folder, name, kind):
    told = json.loads(Path(f"{folder}/{name}.{kind}.json").read_text())
    program = {"stablehlo": stablehlo, "onnx": onnx}[kind](f"{folder}/{name}.{kind}")
    given = dict(np.load(f"{folder}/{name}.given.npz"))
    state = {
        port["name"]: given.pop(f"first/{port['name']}", np.zeros(port["shape"], port["dtype"]))
        for port in told["inputs"]
        if port["role"] == "state"
    }
    taken = []
    for step in range(len(next(iter(given.values())))):
        out = program({**{name: np.asarray(rows[step]) for name, rows in given.items()}, **state})
        for port in told["outputs"]:
            assert out[port["name"]].shape == tuple(port["shape"]), port
            assert out[port["name"]].dtype == port["dtype"], port
        state = {name: out[f"next_{name}"] for name in state}
        taken.append(out)
    together = {name: np.stack([row[name] for row in taken]) for name in taken[0]}
    np.savez(f"{folder}/{name}.{kind}.taken.npz", **together)


if __name__ == "__main__":
    for place in range(1, len(sys.argv), 3):
        run(*sys.argv[place : place + 3])
