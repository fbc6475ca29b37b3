"""The files of an export: one program a file, and beside it what goes in and comes out."""

import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from reverie import files
from reverie.export import graph, programs, stablehlo
from reverie.export.programs import Program
from reverie.folder.errors import RunError
from reverie.folder.run_folder import versions
from reverie.nn.layers import to_compute
from reverie.train import chosen, stranger, weights
from reverie.train.agent import Agent, agent_of, read
from reverie.train.arrays import acting_from_host
from reverie.train.state import init
from reverie.watch.text import visible
from reverie.world.model import WorldModel

FORMAT = 1
CONVERTERS: dict[str, Callable[[Program], bytes]] = {
    "stablehlo": stablehlo.convert,
    "onnx": graph.convert,
}
Format = Literal["stablehlo", "onnx"]


class Written(NamedTuple):
    """What an export wrote."""

    files: list[Path]
    terms: str  # env or agent: whose words the programs speak


def export(
    run: Path,
    to: Format,
    out: Path | None = None,
    *,
    world: bool = False,
    greedy: bool = False,
    at: str | int = chosen.NEWEST,
    allow: Sequence[str] = (),
) -> Written:
    """Write the policy of a run folder, and with `world` one step of its dreams, to be run without
    Reverie.

    Args:
        run: run folder.
        to: the format.
        out: folder of the files; None: `export` in the run folder.
        greedy: the policy takes its mode instead of a sample.
        at: the checkpoint (see `chosen`).
        allow: packages from which parts may be imported.

    Raises RunError where the folder does not hold the checkpoint, it cannot be exported, a package
    is missing, or the files cannot be written.
    """
    config = stranger.read(run, {"device.kind": "cpu"}, allow)[0]
    path = chosen.choose(run, at)
    saved = read(run, path)
    agent = agent_of(saved, config, path)
    terms = programs.terms_of(agent)
    acting = to_compute(agent.acting, jnp.float32)
    made = {"policy": programs.policy(acting, terms, greedy=greedy)}
    if world:
        made["world"] = programs.world(world_of(agent, saved, path), acting, terms, config)
    about = _about(agent, terms.whose, greedy)
    folder = run / "export" if out is None else out
    written: list[Path] = []
    for name, program in made.items():
        data = CONVERTERS[to](program)
        written += _write(folder, f"{name}.{to}", data, about | _described(program, to))
    return Written(written, terms.whose)


def world_of(agent: Agent, saved: Mapping[str, Any], path: Path) -> WorldModel:
    """The world model of what was read from the checkpoint `path`, in float32."""
    obs, actions, config = agent.obs_specs, agent.action_specs, agent.config
    start = "agent.world."
    with weights.reading(path):
        named = weights.learned(saved).items()
        part = {n.removeprefix(start): a for n, a in named if n.startswith(start)}
        like = jax.eval_shape(
            lambda key: init(obs, actions, config, key).agent.world, jax.random.key(0)
        )
        return to_compute(acting_from_host(like, part), jnp.float32)


def _about(agent: Agent, whose: str, greedy: bool) -> dict[str, Any]:
    """What the files say of the agent and of how it was exported."""
    config = agent.config
    return {
        "format": FORMAT,
        "task": config.task,
        "agent": config.agent,
        "size": config.size,
        "step": agent.step,
        "parameters": agent.parameters,
        "terms": whose,
        "policy": "mode" if greedy else "sample",
        "versions": {k: v for k, v in versions().items() if k in ("reverie", "jax", "python")},
    }


def _described(program: Program, to: str) -> dict[str, Any]:
    packages = {"stablehlo": ("jaxlib",), "onnx": ("onnx",)}[to]
    return {
        "kind": to,
        "written_with": {name: importlib.metadata.version(name) for name in packages},
        "inputs": [port.as_json() for port in program.inputs],
        "outputs": [port.as_json() for port in program.outputs],
    }


def _write(folder: Path, name: str, data: bytes, about: Mapping[str, Any]) -> list[Path]:
    """The program and its description, each complete or not at all."""
    told = {"file": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), **about}
    described = json.dumps(told, indent=1, allow_nan=False).encode() + b"\n"
    paths = [folder / name, folder / f"{name}.json"]
    try:
        files.check_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in zip(paths, (data, described), strict=True):
            files.replace(path, content, partial=path.with_name(f".partial-{path.name}"))
    except OSError as error:
        raise RunError(
            f"the export cannot be written to {visible(str(folder))} "
            f"({error.strerror or error}): name another folder with --out."
        ) from error
    return paths
