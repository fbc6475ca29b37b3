"""Size of exported programs and CPU time of one step, policies beside the same agent in Reverie.

    python benchmarks/export/latency.py > benchmarks/export/latency.json

Weights are random: neither number depends on what was learned. The three ways take turns, 20 steps
each, and CPU seconds are counted, so that a busy machine does not decide.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["JAX_PLATFORMS"] = "cpu"
sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

import jax
import numpy as np
import onnxruntime
from gymnasium import spaces
from jax import export
from networks import fresh_state

from reverie.config.presets import resolve
from reverie.envs.own_terms import OwnTerms
from reverie.export import graph, programs, stablehlo
from reverie.export.programs import Program
from reverie.train.agent import Agent
from reverie.train.learner import acting_of
from reverie.world.model import WorldModel

Steps = dict[str, Callable[[], object]]
"""One step by each way, by its name."""

CASES = {
    "CartPole, quick settings": ("gym:CartPole-v1", "tiny", spaces.Box(-1, 1, (4,), np.float32)),
    "64x64 pictures, 12m": ("atari100k_pong", "12m", spaces.Box(0, 255, (64, 64, 3), np.uint8)),
}
ROUNDS, STEPS = 15, 20


def made(task: str, size: str, seen: spaces.Space) -> tuple[Agent, WorldModel]:
    """An agent with random weights, and its world model."""
    own = OwnTerms(seen, spaces.Discrete(6))
    config = resolve(task, size=size, overrides={"device.precision": "f32", "device.kind": "cpu"})
    state = fresh_state(own.obs_specs, own.action_specs, config)
    agent = Agent(acting_of(state, config), own.action_specs, own.obs_specs, config, own)
    return agent, state.agent.world


def ways(program: Program) -> tuple[Steps, dict[str, int]]:
    """One step of a program by each format, and the bytes of the files."""
    files = {"onnx": graph.convert(program), "stablehlo": stablehlo.convert(program)}
    given = {port.name: np.zeros(port.shape, port.dtype) for port in program.inputs}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(files["onnx"], options)
    call = jax.jit(export.deserialize(bytearray(files["stablehlo"])).call)
    steps: Steps = {
        "stablehlo": lambda: jax.block_until_ready(call(given)),
        "onnx": lambda: session.run(None, given),
    }
    return steps, {name: len(data) for name, data in files.items()}


def acting(agent: Agent) -> Steps:
    """One step of the agent itself."""
    seen = agent.own.observation_space.sample()
    carry = agent.act(seen)[1]
    return {"Agent.act": lambda: agent.act(seen, carry)}


def measured(steps: Steps) -> dict[str, float]:
    """Median CPU milliseconds of a step."""
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            step()
            start = time.process_time()
            for _ in range(STEPS):
                step()
            spent[name].append((time.process_time() - start) / STEPS * 1e3)
    return {name: round(float(np.median(times)), 3) for name, times in spent.items()}


def main() -> None:
    found: dict[str, dict[str, object]] = {}
    for name, (task, size, seen) in CASES.items():
        agent, model = made(task, size, seen)
        terms, found[name] = programs.terms_of(agent), {}
        made_of = {
            "policy": programs.policy(agent.acting, terms, greedy=False),
            "world": programs.world(model, agent.acting, terms, agent.config),
        }
        for kind, program in made_of.items():
            steps, sizes = ways(program)
            beside = acting(agent) if kind == "policy" else {}
            found[name][kind] = {"bytes": sizes, "cpu_ms": measured({**beside, **steps})}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
