"""The folder of a shared agent, made from a run folder."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reverie import files
from reverie.config import edit, reader
from reverie.config.schema import Config
from reverie.folder import digest, manifest, shared
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError
from reverie.report.read import Run, read_run
from reverie.share.card import card
from reverie.share.contents import Bundle
from reverie.share.results import Results, results_of
from reverie.train import chosen, stranger, weights
from reverie.train.agent import Agent, agent_of, read
from reverie.watch.video import MediaFile, media_of

LARGEST = 100_000_000
"""Most bytes of a film that is shared."""


def bundle(
    run: Path,
    name: str,
    *,
    seed_runs: Sequence[Path] = (),
    license: str = "unknown",
    at: str | int = chosen.NEWEST,
    allow: Sequence[str] = (),
) -> Bundle:
    """What is shared of a run folder.

    Args:
        name: of the repository, OWNER/NAME, or of the folder.
        seed_runs: runs of the same command with other seeds, whose results count too.
        license: of the weights, as the Hub spells it.
        at: the checkpoint (see `chosen`).
        allow: packages from which parts may be imported.

    Raises RunError where the folder holds no such checkpoint or is a shared agent already, or the
    runs differ in more than their seeds.
    """
    if shared.is_shared(run):
        raise RunError(f"{run} is a shared agent already: push the run folder that it came from.")
    config = stranger.read(run, allow=allow)[0]
    path = chosen.choose(run, at)
    saved = read(run, path)
    told, results = read_run(run, run.name), results_of([run, *seed_runs])
    films, notes = _films(run)
    contents: dict[str, bytes] = {
        shared.CONFIG: _config(config, told),
        shared.MODEL: weights.shared_bytes(saved),
        shared.RESULTS: json.dumps(results.tree, indent=1, allow_nan=False).encode() + b"\n",
        **({shared.CURVE: results.curve.encode()} if results.curve else {}),
        **films,
    }
    notes = [*([f"no results: {results.missing}"] if results.missing else []), *notes]
    facts = _facts(agent_of(saved, config, path), told, results)
    facts |= {"name": name.split("/")[-1], "repo": name, "license": license}
    kinds = (("replay", shared.REPLAY), ("dream", shared.DREAM), ("curve", shared.CURVE))
    facts |= {kind: file if file in contents else "" for kind, file in kinds}
    contents[shared.CARD] = card(facts).encode()
    contents[manifest.NAME] = manifest.make(contents, {})
    return Bundle(contents, notes)


def _config(config: Config, told: Run) -> bytes:
    """config.json without what concerns the machine, its paths and its user: `config` is as its
    reader has it."""
    record = {
        "config": edit.to_json(config),
        "versions": dict(told.versions),
        "command": _command(told),
        "facts": [],
    }
    return digest.seal(record)


def _command(told: Run) -> list[str]:
    """The words of the run's command, without what was the machine's; of whole paths only their
    last part is told."""
    try:
        words = reader.take(shlex.split(told.command.removeprefix("python -m ")))[0]
    except (ValueError, ConfigError):
        words = []
    words = words or ["reverie", "train", str(told.config.get("task", ""))]
    return [Path(word).name if Path(word).is_absolute() else word for word in words]


def _facts(agent: Agent, told: Run, results: Results) -> dict[str, Any]:
    """What the card says of the agent and its run."""
    config = agent.config
    tree = {"mean": 0.0, "std": 0.0, "metric": "", "score": "", "std_over": ""} | results.tree
    return {
        **tree,
        "task": config.task,
        "agent": config.agent,
        "size": config.size,
        "step": agent.step,
        "parameters": agent.parameters,
        "versions": {"reverie": "?", **told.versions},
        "command": shlex.join(_command(told)),
        "missing": results.missing,
        "summary": results.summary,
        **{name: f"{tree[name]:.2f}" for name in ("mean", "std")},
    }


def _films(run: Path) -> tuple[dict[str, bytes], list[str]]:
    """The newest film of an episode and of a dream, and what there is none of."""
    found = [file for file in media_of(run)[0] if file.kind == "mp4"]
    dreams = [file for file in found if file.name.startswith("openloop")]
    played = [file for file in found if file not in dreams]
    best = [file for file in played if file.name.startswith("eval")] or played
    contents, notes = {}, []
    for name, candidates in ((shared.REPLAY, best), (shared.DREAM, dreams)):
        if not candidates:
            notes.append(f"no {name}: the run has no such film.")
            continue
        newest: MediaFile = max(candidates, key=lambda file: file.step)
        try:
            contents[name] = files.read(newest.path, LARGEST)
        except OSError as error:
            notes.append(f"no {name}: {newest.path.name} cannot be read ({error.strerror}).")
    return contents, notes
