"""From a task to its whole configuration: presets composed in one fixed order.

base <- agent <- benchmark <- size <- methods <- overrides

The base are the schema's defaults; the benchmark is the one of the task's suite under the chosen
agent (`suite_preset`), or the named one, literally, whichever agent runs.
A size that belongs to a preset (`Preset.size`) comes before that preset's other edits, a size that
the user names comes after them. The tables stand in `benchmarks.py` and `sizes.py`.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from reverie.config.benchmarks import (
    AGENTS,
    BALANCES,
    BENCHMARKS,
    METHODS,
    Preset,
)
from reverie.config.edit import apply, field_types
from reverie.config.families import FAMILIES
from reverie.config.schema import Config
from reverie.config.sequence import SEQUENCES, SequenceConfig
from reverie.config.sizes import owners, size_edits, size_fields, with_size
from reverie.config.strategies import STRATEGIES
from reverie.envs import registry
from reverie.part.errors import ConfigError, suggest
from reverie.part.tree import overlay
from reverie.part.values import coerce

_NO_ROW = ("gym", "custom")
"""What stands before the colon of single tasks that belong to no suite's row."""

_ARGUMENTS = ("task", "agent", "size", "pinned")


def resolve(
    task: str,
    *,
    agent: str = "v3",
    size: str = "auto",
    pictures: bool | None = None,
    preset: str | None = None,
    methods: Sequence[str] = (),
    balance: str | None = None,
    replay: str | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """The configuration of a run of `task`.

    Args:
        task: `suite_task`, `gym:ID`, or `custom:NAME` for an environment made by a callable;
            `continual:NAME` for a named sequence of tasks, or for the one in `sequence.tasks`.
        agent: name of an agent preset.
        size: a model size; `auto` takes the preset's own or the one the observations need.
        pictures: whether an observation is a picture, where that is known. None leaves the size
            `auto` for `with_size`; the model fields then hold the schema's defaults, except those
            that a preset or an override set, which are listed in `pinned`.
        preset: name of a benchmark preset; None takes the one of the task's suite.
        methods: names of method presets, in any order: no two write one field differently.
        balance: name of a way to balance the world model's losses, one more method; None leaves it
            to the other presets.
        replay: name of a replay strategy, one more method; None leaves it to the other presets.
        overrides: dotted path -> value, applied last.

    Raises:
        ConfigError: an unknown name (with the nearest), two methods that disagree, a wrong value.
    """
    overrides = dict(overrides or {})
    for name in set(overrides) & set(_ARGUMENTS):
        raise ConfigError(f"{name!r} is no override: name the {name} itself (--{name} or {name}=).")
    base = _named(agent, AGENTS, "agent")
    chosen = [_named(name, METHODS, "method") for name in methods]
    chosen += [] if balance is None else [_named(balance, BALANCES, "balance")]
    chosen += [] if replay is None else [_named(replay, STRATEGIES, "replay strategy")]
    check_methods(chosen)
    tasks = _sequence(task, overrides)
    layers, own_size = _benchmark(tasks.get("sequence.tasks", (task,))[0], preset, agent)
    layers |= tasks
    named_size = size != "auto"
    size = size if named_size else own_size
    widths = size_edits(size, agent) if size != "auto" else {}
    sized = (layers, widths) if named_size else (widths, layers)
    after = (*(method.edits for method in chosen), overrides)
    edits = overlay(Config(), {"task": task, **base.edits}, *sized, *after)
    if tasks and "steps" not in overrides:
        edits["steps"] = _total(edits)
    if size == "auto":
        edits["pinned"] = tuple(sorted(size_fields() & set(edits)))
    own = {path for layer in (base.edits, layers, *after) for path in layer}
    config = apply(Config(), edits, optional=set(widths) - own)
    return config if pictures is None else with_size(config, pictures)


def suite_of(task: str) -> str:
    """The suite that a task name starts with.

    Raises ConfigError where no suite has that name (nearest spelling named).
    """
    known = (*_NO_ROW, *registry.names())
    kind, colon, _ = task.partition(":")
    suite = kind if colon and kind in known else registry.split(task)[0]
    if suite:
        return suite
    suite = kind if colon else task.partition("_")[0]
    close = ":" in task and suggest(suite, ["gym"]).startswith("did")
    if re.search(r"-v\d+$", task) and not close:
        raise ConfigError(
            f"{task!r} looks like an id of Gymnasium: write gym:{task}; tasks are "
            "written suite_task or gym:ID."
        )
    raise ConfigError(
        f"the task {task!r} belongs to no suite: tasks are written suite_task or gym:ID, and "
        f"{suite!r} is no suite; {suggest(suite, known)} See `reverie tasks`."
    )


def suite_preset(suite: str, agent: str = "v3") -> Preset:
    """The benchmark preset that a task of `suite` gets under `agent` where the user names none.

    It is the agent's own block for that suite where its authors published one, else the suite's.
    """
    if suite in _NO_ROW:
        return BENCHMARKS["gym"]
    row = registry.row(suite)
    return _named(row.by_agent.get(agent, row.preset), BENCHMARKS, f"preset of {suite}")


def expected_pictures(task: str, preset: str | None = None, agent: str = "v3") -> bool | None:
    """Whether the environments of a task show pictures; None where only the environment knows.

    For texts that come before an environment exists. A run asks the environment.
    """
    name = task.removeprefix("continual:")
    if name in SEQUENCES:
        task = SEQUENCES[name].tasks[0]
    named = None if preset is None else _named(preset, BENCHMARKS, "preset")
    if named is not None and named.suite:
        return named.pictures
    return suite_preset(suite_of(task), agent).pictures


def _sequence(task: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """What the sequence of a task `continual:NAME` writes; nothing for other tasks."""
    kind, _, name = task.partition(":")
    if kind != "continual":
        return {}
    if "sequence.tasks" in overrides:
        tasks = coerce(overrides["sequence.tasks"], tuple[str, ...], "sequence.tasks")
        if len(tasks) < 1 or "sequence.steps" not in overrides:
            raise ConfigError(
                "a sequence of your own needs its tasks and the steps of each: for example "
                "reverie continual minigrid_empty_5x5 minigrid_empty_6x6 --sequence.steps 20000."
            )
        return {"sequence.tasks": tasks}
    if name not in SEQUENCES:
        raise ConfigError(f"there is no sequence {name!r}; {suggest(name, SEQUENCES)}")
    named = SEQUENCES[name]
    parts = {"tasks": named.tasks, "tests": named.tests, "steps": (named.steps,)}
    return {**named.edits, **{f"sequence.{name}": value for name, value in parts.items()}}


def _total(edits: Mapping[str, Any]) -> int:
    """Steps of the whole sequence that `edits` describe; the record's own checks come first."""
    fields = {k.partition(".")[2]: v for k, v in edits.items() if k.startswith("sequence.")}
    kinds = field_types()
    return SequenceConfig(
        **{
            name: coerce(v, kinds[f"sequence.{name}"], f"sequence.{name}")
            for name, v in fields.items()
        }
    ).total


def check_methods(methods: Sequence[Preset]) -> None:
    """Raises ConfigError where two method presets write one field differently."""
    for a, b in itertools.combinations(methods, 2):
        for path in sorted(set(a.edits) & set(b.edits)):
            if a.edits[path] != b.edits[path]:
                raise ConfigError(
                    f"the methods {a.name!r} and {b.name!r} both set {path}: to {a.edits[path]!r} "
                    f"and to {b.edits[path]!r}; choose one of them."
                )


def preset_named(name: str) -> Preset:
    """The agent, benchmark or method preset called `name`, or the size as one.

    A size that several agents have is that of the first; `v2/tiny` names another's.

    Raises ConfigError if there is none (nearest spelling named).
    """
    agent, _, size = name.rpartition("/")
    agents = [agent] if agent in FAMILIES else owners(name, FAMILIES)
    if agents and (agent or size in FAMILIES[agents[0]]):
        return Preset(name, f"Model size of {agents[0]}.", size_edits(size, agents[0]))
    return _named(name, {**METHODS, **AGENTS, **BALANCES, **STRATEGIES, **BENCHMARKS}, "preset")


def _named(name: str, table: Mapping[str, Preset], kind: str) -> Preset:
    if name not in table:
        raise ConfigError(f"there is no {kind} {name!r}; {suggest(name, table)}")
    return table[name]


def _benchmark(task: str, preset: str | None, agent: str) -> tuple[dict[str, Any], str]:
    """Edits and own size of the benchmark: the suite's, replaced or overlaid by the named one.

    A size of another agent's family is `auto`: the observations choose.
    """
    suite = suite_preset(suite_of(task), agent)
    if preset is None:
        return suite.edits_for(agent), _own_size(suite, agent)
    named = _named(preset, BENCHMARKS, "preset")
    edits, size = named.edits_for(agent), _own_size(named, agent)
    if named.suite:
        return edits, size
    size = _own_size(suite, agent) if size == "auto" else size
    return overlay(Config(), suite.edits_for(agent), edits), size


def _own_size(preset: Preset, agent: str) -> str:
    size = preset.size_for(agent)
    return size if size in FAMILIES[agent] else "auto"
