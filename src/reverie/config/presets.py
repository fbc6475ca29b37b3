"""From a task to its whole configuration: presets composed in one fixed order.

base <- agent <- benchmark <- size <- methods <- overrides

The base are the schema's defaults; the benchmark is the one of the task's suite under the chosen
agent (`suite_preset`), or the named one, literally, whichever agent runs. Over the block of a small
task's suite, and of environments of one's own, `quick` is laid (`default_preset`, `small.py`).
A size that belongs to a preset (`Preset.size`) comes before that preset's other edits, a size that
the user names comes after them. The tables stand in `agents.py`, `benchmarks.py`, `sizes.py`,
`methods.py`, `balances.py` and `strategies.py`.
"""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reverie.config.agents import AGENTS
from reverie.config.balances import BALANCES
from reverie.config.benchmarks import BENCHMARKS
from reverie.config.edit import apply, field_types
from reverie.config.families import FAMILIES
from reverie.config.methods import METHODS
from reverie.config.preset import Preset
from reverie.config.preset_file import NAMES, SUFFIX, Chosen, levels, read
from reverie.config.schema import Config
from reverie.config.sequence import SEQUENCES, SequenceConfig
from reverie.config.sizes import owners, size_edits, size_fields, with_size
from reverie.config.small import is_small
from reverie.config.starts import STARTS, with_starts
from reverie.config.strategies import STRATEGIES
from reverie.envs import gym_ids, registry
from reverie.part.edits import overlay
from reverie.part.errors import ConfigError, suggest
from reverie.part.values import coerce

_NO_ROW = ("gym", "custom")
"""What stands before the colon of single tasks that belong to no suite's row."""

_ARGUMENTS = ("task", "agent", "size", "preset", "pinned")


def resolve(
    task: str,
    *,
    agent: str | None = None,
    size: str = "auto",
    pictures: bool | None = None,
    preset: str | Path | None = None,
    methods: Sequence[str] = (),
    balance: str | None = None,
    replay: str | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """The configuration of a run of `task`.

    Args:
        task: `suite_task`, `gym:ID`, or `custom:NAME` for an environment made by a callable;
            `continual:NAME` for a named sequence of tasks, or for the one in `sequence.tasks`.
        agent: name of an agent preset; None takes that of a preset file, else v3.
        size: a model size; `auto` takes the preset's own or the one the observations need.
        pictures: whether an observation is a picture, where that is known. None leaves the size
            `auto` for `with_size`; the model fields then hold the schema's defaults, except those
            that a preset or an override set, which are listed in `pinned`.
        preset: name of a benchmark preset, or a TOML file of your own (`preset_file.py`), over
            which everything else that is given is laid; None takes the usual one
            (`default_preset`; `published` for a sequence).
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
    own = Chosen(
        agent=agent or "",
        size=size,
        preset=str(preset or ""),
        methods=tuple(methods),
        balance=balance or "",
        replay=replay or "",
        overrides=overrides,
    )
    config = _composed(task, levels(own))
    return config if pictures is None else with_size(config, pictures)


def _composed(task: str, chosen: Sequence[Chosen]) -> Config:
    """The configuration of what is laid one over the other, the innermost first."""
    agent = agent_of(chosen)
    base = _named(agent, AGENTS, "agent", _where(chosen, "agent"))
    asked = {path: value for level in chosen for path, value in level.overrides.items()}
    tasks = _sequence(task, asked)
    home = suite_of(tasks.get("sequence.tasks", (task,))[0])
    usual = "published" if tasks else default_preset(task)
    layers, own_size = _benchmark(home, chosen[0], agent, usual=usual)
    layers |= tasks
    sized = next((level for level in reversed(chosen) if level.size != "auto"), None)
    size = sized.size if sized else own_size
    widths = size_edits(size, agent) if size != "auto" else {}
    over = [_laid_over(chosen, number) for number in range(len(chosen))]
    own = {path for layer in (base.edits, layers, *itertools.chain(*over)) for path in layer}
    after = [
        edits
        for level, layer in zip(chosen, over, strict=True)
        for edits in ([widths, *layer] if level is sized else layer)
    ]
    first = (layers,) if sized else (widths, layers)
    edits = overlay(Config(), {"task": task, **base.edits}, *first, *after)
    if tasks and "steps" not in asked:
        edits["steps"] = _total(edits)
    if size == "auto":
        edits["pinned"] = tuple(sorted(size_fields() & set(edits)))
    starts = 0 if any(STARTS in layer for layer in itertools.chain(*over)) else edits.pop(STARTS, 0)
    return with_starts(apply(Config(), edits, optional=set(widths) - own), starts)


def _where(chosen: Sequence[Chosen], name: str) -> str:
    """Where the last one that names an agent (or another single choice) stands."""
    return next((level.where for level in reversed(chosen) if getattr(level, name)), "")


def agent_of(chosen: Sequence[Chosen]) -> str:
    """The agent that the last of these names; v3 where none does."""
    return next((level.agent for level in reversed(chosen) if level.agent), "v3")


def _laid_over(chosen: Sequence[Chosen], number: int) -> list[Mapping[str, Any]]:
    """The edits of one level: its methods, then its overrides. A balance or replay strategy counts
    only where no later level names another."""
    level, later = chosen[number], chosen[number + 1 :]
    methods = [_named(name, METHODS, "method", level.where) for name in level.methods]
    if level.balance and not any(other.balance for other in later):
        methods.append(_named(level.balance, BALANCES, "balance", level.where))
    if level.replay and not any(other.replay for other in later):
        methods.append(_named(level.replay, STRATEGIES, "replay strategy", level.where))
    check_methods(methods)
    return [*(method.edits for method in methods), level.overrides]


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
    if not close and (id := gym_ids.meant(task)):
        raise ConfigError(
            f"{task!r} looks like an id of Gymnasium: write gym:{id}; tasks are "
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


def default_preset(task: str) -> str:
    """The preset that is laid over a suite's own where the user names none: `quick` for small tasks
    and environments of one's own, else `published`, which changes nothing."""
    return "quick" if is_small(task) else "published"


def expected_pictures(
    task: str, preset: str | None = None, agent: str | None = None
) -> bool | None:
    """Whether the environments of a task show pictures; None where only the environment knows.

    For texts that come before an environment exists. A run asks the environment.
    """
    name = task.removeprefix("continual:")
    if name in SEQUENCES:
        task = SEQUENCES[name].tasks[0]
    chosen = levels(Chosen(agent=agent or "", preset=preset or ""))
    name = chosen[0].preset
    named = _named(name, BENCHMARKS, "preset", chosen[0].where) if name else None
    if named is not None and named.suite:
        return named.pictures
    return suite_preset(suite_of(task), agent_of(chosen)).pictures


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
    if name.endswith(SUFFIX):
        kept = read(Path(name).expanduser())
        names = {key: getattr(kept, key) for key in NAMES if getattr(kept, key)}
        return Preset(name, kept.doc or "A preset of your own.", {**names, **kept.overrides})
    agent, _, size = name.rpartition("/")
    agents = [agent] if agent in FAMILIES else owners(name, FAMILIES)
    if agents and (agent or size in FAMILIES[agents[0]]):
        return Preset(name, f"Model size of {agents[0]}.", size_edits(size, agents[0]))
    return _named(name, {**METHODS, **AGENTS, **BALANCES, **STRATEGIES, **BENCHMARKS}, "preset")


def _named(name: str, table: Mapping[str, Preset], kind: str, where: str = "") -> Preset:
    if name not in table:
        raise ConfigError(f"there is no {kind} {name!r}{where}; {suggest(name, table)}")
    return table[name]


def _benchmark(home: str, first: Chosen, agent: str, *, usual: str) -> tuple[dict[str, Any], str]:
    """Edits and own size of the benchmark: the suite's, replaced or overlaid by the named one, or
    by the `usual` one.

    A size of another agent's family is `auto`: the observations choose.
    """
    suite, name = suite_preset(home, agent), first.preset or usual
    if first.preset not in BENCHMARKS and Path(f"{first.preset}{SUFFIX}").is_file():
        raise ConfigError(
            f"there is no preset {first.preset!r}{first.where}; a file of your own is named with "
            f"its ending: {first.preset}{SUFFIX}."
        )
    named = _named(name, BENCHMARKS, "preset", first.where)
    edits, size = named.edits_for(agent), _own_size(named, agent)
    if not named.suite:
        size = _own_size(suite, agent) if size == "auto" else size
        edits = overlay(Config(), suite.edits_for(agent), edits)
    return {**edits, "preset": name}, size


def _own_size(preset: Preset, agent: str) -> str:
    size = preset.size_for(agent)
    return size if size in FAMILIES[agent] else "auto"
