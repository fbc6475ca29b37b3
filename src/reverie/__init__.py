"""Reverie: reinforcement learning in the dreams of a learned world model.

    run    = reverie.train("gym:CartPole-v1", steps=20_000, logdir="runs/mine")
    agent  = reverie.load(run)
    scores = reverie.evaluate(run, episodes=20)

The names below are the public ones. Each is imported when it is first used, so that importing
Reverie costs nothing and the device can be chosen before JAX starts.

The tree, in the order in which its stations may import each other:

    module.py                     the names of Equinox that we use
    records.py  files.py          what travels between stations; files written whole
    part/  nn/  optim/            choices as records; networks; optimisers
    envs/  replay/  world/  behavior/  signals/    the circle, station by station
    config/  machine/  folder/  watch/             what to run, on what, where, and how it looks
    web/                          the server of every local page
    callbacks/                    what user code may do while a run goes on
    train/                        the circle closed: start reading at train/loop.py
    report/  bench/  doctor/      what is made of runs, measurements, checks
    dream/  live/                 a run's world model in the browser; runs that go on
    export/  share/               agents that act without Reverie; agents handed to others
    sweeps/                       many runs, on this machine or on a cluster
    api/                          Reverie from Python
    cli.py  verbs.py  sweep_verb.py  listings.py  publish.py  launch.py  options.py  help.py
    __main__.py                   the command
"""

import importlib
import sys
import types
import typing

if typing.TYPE_CHECKING:
    import inspect

    from reverie.api import check_env as check_env
    from reverie.api import compare as compare
    from reverie.api import continual as continual
    from reverie.api import evaluate as evaluate
    from reverie.api import load as load
    from reverie.api import saved_config as saved_config
    from reverie.api import sweep as sweep
    from reverie.api import train as train
    from reverie.callbacks import Callback as Callback
    from reverie.callbacks import KeepBest as KeepBest
    from reverie.callbacks import NotebookDisplay as NotebookDisplay
    from reverie.callbacks import OptunaPruning as OptunaPruning
    from reverie.callbacks import StopOnReturn as StopOnReturn
    from reverie.config.edit import diff as diff
    from reverie.config.edit import from_json as from_json
    from reverie.config.edit import override as override
    from reverie.config.edit import to_json as to_json
    from reverie.config.presets import resolve as resolve
    from reverie.config.schema import Config as Config
    from reverie.envs.base import EnvError as EnvError
    from reverie.envs.catalog import tasks as tasks
    from reverie.folder.errors import RunError as RunError
    from reverie.part.errors import ConfigError as ConfigError
    from reverie.report.page import write_report as write_report
    from reverie.watch.sink import Sink as Sink

__version__ = "0.1.0"

_HOME = {
    "continual": "reverie.api",
    "load": "reverie.api",
    "evaluate": "reverie.api",
    "compare": "reverie.api",
    "check_env": "reverie.api",
    "saved_config": "reverie.api",
    "sweep": "reverie.api",
    "Config": "reverie.config.schema",
    "ConfigError": "reverie.part.errors",
    "resolve": "reverie.config.presets",
    "override": "reverie.config.edit",
    "diff": "reverie.config.edit",
    "to_json": "reverie.config.edit",
    "from_json": "reverie.config.edit",
    "tasks": "reverie.envs.catalog",
    "EnvError": "reverie.envs.base",
    "RunError": "reverie.folder.errors",
    "write_report": "reverie.report.page",
    "Callback": "reverie.callbacks",
    "StopOnReturn": "reverie.callbacks",
    "KeepBest": "reverie.callbacks",
    "OptunaPruning": "reverie.callbacks",
    "NotebookDisplay": "reverie.callbacks",
    "Sink": "reverie.watch.sink",
}


class _Train(types.ModuleType):
    """The station `reverie.train`, which is also the verb: calling it learns a task.

    A package and a function cannot share a name otherwise: importing `reverie.train.loop` binds
    `reverie.train` to the package, and a function bound over it would hide `reverie.train.loop`
    (`import reverie.train.loop as loop` fails then). A class for the module is Python's documented
    way (data model, "Customizing module attribute access"); it changes this one module, when
    Reverie is imported, whatever is imported afterwards.

    Its signature and documentation are those of the verb, which `help`, notebooks and editors
    show; both are looked up when somebody asks.
    """

    def __call__(self, *task: typing.Any, **options: typing.Any) -> typing.Any:
        """See `reverie.api.train`."""
        return _imported(options.get("overrides"))(*task, **options)

    @property
    def __signature__(self) -> "inspect.Signature":
        import inspect

        return inspect.signature(_verb())


def _documented(module: types.ModuleType) -> str:
    """What `help(reverie.train)` says: the verb with its arguments, then the station's contents."""
    import inspect
    import textwrap

    verb = _verb()
    first, _, rest = (inspect.getdoc(verb) or "").partition("\n")
    signature = inspect.signature(verb)
    bare = [part.replace(annotation=part.empty) for part in signature.parameters.values()]
    call = f"reverie.train{signature.replace(parameters=bare, return_annotation=signature.empty)}"
    call = textwrap.fill(call, 90, subsequent_indent=" " * len("reverie.train("))
    return f"{first}\n\n{call}\n{rest}\n\nAs a package: {module.__dict__['__doc__']}"


def _verb() -> typing.Any:
    from reverie.api import train

    return train


def _imported(overrides: typing.Any) -> typing.Any:
    """The verb; where it is imported only now it is said what takes so long, unless `overrides` ask
    for silence."""
    from reverie.watch import startup

    silent = isinstance(overrides, dict) and overrides.get("log.progress") == "none"
    with startup.phase("imports", shown=not silent and "reverie.api" not in sys.modules):
        return _verb()


_Train.__doc__ = property(_documented)  # type: ignore[assignment]
importlib.import_module("reverie.train").__class__ = _Train

__all__ = ["train", *_HOME]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> typing.Any:
    if name not in _HOME:
        raise AttributeError(f"reverie has no {name!r}; its names are {', '.join(__all__)}.")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
