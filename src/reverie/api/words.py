"""The words of the command line, gathered for shells that complete them."""

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from reverie.bench import options as bench
from reverie.config.agents import AGENTS
from reverie.config.balances import BALANCES
from reverie.config.benchmarks import BENCHMARKS
from reverie.config.completion import SHELLS, Words
from reverie.config.edit import field_types
from reverie.config.families import FAMILIES
from reverie.config.methods import METHODS
from reverie.config.overview import ALL, GROUPS
from reverie.config.sequence import SEQUENCES
from reverie.config.strategies import STRATEGIES
from reverie.doctor.options import DoctorOptions
from reverie.dream.options import DreamOptions
from reverie.envs.catalog import tasks
from reverie.export.options import ExportOptions
from reverie.help import HIDDEN
from reverie.launch import LONE, NAMED
from reverie.options import CompareOptions, EvalOptions, ReportOptions
from reverie.part import part as parts
from reverie.part.part import is_slot
from reverie.share.options import PullOptions, PushOptions
from reverie.sweep_verb import ACTIONS
from reverie.sweeps.options import SweepOptions


def words(verbs: Sequence[str], groups: Sequence[str]) -> Words:
    """All words; `groups` are those that `reverie presets` takes."""
    names = [row.name for row in tasks()]
    presets = (*AGENTS, *BENCHMARKS, *METHODS, *BALANCES, *STRATEGIES, *SEQUENCES)
    places = {
        "train": names,
        "continual": (*SEQUENCES, *names),
        "doctor": names,
        "sweep": (*ACTIONS, *names),
        "tasks": names,
        "presets": (*groups, *presets),
        "bench": ("update", "launches", "act", "env", "replay"),
        "completion": SHELLS,
    }
    return Words(flags={verb: _flags(verb) for verb in verbs}, places=places, values=_values())


def _flags(verb: str) -> list[str]:
    """The flags of a verb, with their dashes."""
    records: Mapping[str, Sequence[Any]] = {
        "eval": (EvalOptions,),
        "report": (ReportOptions,),
        "compare": (CompareOptions,),
        "doctor": (DoctorOptions,),
        "export": (ExportOptions,),
        "sweep": (SweepOptions,),
        "dream": (DreamOptions,),
        "push": (PushOptions,),
        "pull": (PullOptions,),
        "bench": (
            *(bench.UpdateOptions, bench.LaunchOptions, bench.ActOptions),
            *(bench.EnvOptions, bench.ReplayOptions),
        ),
    }
    found = [field.name for record in records.get(verb, ()) for field in dataclasses.fields(record)]
    if verb in ("train", "continual", "sweep"):
        found += [*NAMED, *LONE, *(path for path in field_types() if path not in HIDDEN)]
    more = ["save"] if verb == "presets" else []
    return [f"--{name}" for name in (*dict.fromkeys(found), *more, "help")]


def _values() -> dict[str, Sequence[str]]:
    """What flags of `train` take, where that is a choice."""
    found: dict[str, Sequence[str]] = {}
    for path, kind in field_types().items():
        if typing.get_origin(kind) is Literal:
            found[f"--{path}"] = [str(choice) for choice in typing.get_args(kind)]
        elif is_slot(kind):
            found[f"--{path}"] = list(parts.members(kind))
    sizes = dict.fromkeys(size for family in FAMILIES.values() for size in family)
    return found | {
        "--agent": list(AGENTS),
        "--size": ["auto", *sizes],
        "--preset": list(BENCHMARKS),
        "--methods": list(METHODS),
        "--balance": list(BALANCES),
        "--replay": list(STRATEGIES),
        "--help": [*GROUPS, ALL],
    }
