"""All suites: those that come with Reverie, and those that installed packages offer.

A package offers a suite by an entry point of the group `reverie.suites`, named as the suite, whose
value is `module:OBJECT` of a `suite.Suite`. Its tasks are then written SUITE_NAME like ours. What
is offered is known without an import; a row is imported when a task of it is named, or all tasks
are listed.
"""

import functools as ft
import importlib.metadata
import json
import warnings
from typing import Any

from reverie.envs.base import EnvError, Split
from reverie.envs.options import EnvConfig
from reverie.envs.suite import Suite
from reverie.envs.suites import SUITES
from reverie.part.errors import ConfigError
from reverie.part.named import object_at

GROUP = "reverie.suites"
"""Entry points by which packages offer suites."""


@ft.cache
def offered() -> dict[str, str]:
    """Suites of other packages: name -> `module:OBJECT` of the row. Nothing is imported.

    The name of one of ours stays ours, and of two packages the first has it; a warning says so.
    """
    found: dict[str, str] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        taken = "Reverie" if point.name in (*SUITES, *PLAIN) else found.get(point.name)
        if taken is None:
            found[point.name] = point.value
        elif taken != point.value:
            warnings.warn(
                f"The suite {point.name!r} of {point.value} is left out: {taken} has one of that "
                "name.",
                stacklevel=1,
            )
    return found


PLAIN = ("gym", "custom", "continual")
"""What stands before the colon of tasks that belong to no row."""


def names() -> tuple[str, ...]:
    """The names of all suites, ours first."""
    return (*SUITES, *offered())


def split(task: str) -> tuple[str, str]:
    """Suite and name within it of a task `SUITE_NAME`; the suite is "" where none is so called."""
    first, _, rest = task.partition("_")
    if first in SUITES:
        return first, rest
    suite = max((name for name in offered() if task.startswith(f"{name}_")), key=len, default="")
    return suite, task.removeprefix(f"{suite}_") if suite else task


def home(task: str) -> str:
    """The module outside Reverie that a task's suite would import; '' where there is none."""
    return offered().get(split(task)[0], "").partition(":")[0]


def row(suite: str) -> Suite:
    """The row of a suite that `names` lists.

    Raises EnvError where another package's cannot be loaded.
    """
    if suite in SUITES:
        return SUITES[suite]
    target = offered()[suite]
    try:
        found = object_at(target)
        listed = tuple(found.names()) if isinstance(found, Suite) else ()
    except (Exception, SystemExit) as error:
        raise EnvError(
            f"The suite {suite!r} cannot be loaded from {target} ({type(error).__name__}: {error})."
        ) from error
    if not isinstance(found, Suite) or not all(isinstance(name, str) for name in listed):
        raise EnvError(
            f"The suite {suite!r} is a {type(found).__name__} in {target}; expected a "
            "reverie.envs.suite.Suite whose names are texts."
        )
    return found


def every() -> dict[str, Suite]:
    """All rows by name; one that cannot be loaded is left out with a warning."""
    found = {}
    for suite in names():
        try:
            found[suite] = row(suite)
        except EnvError as error:
            warnings.warn(str(error), stacklevel=1)
    return found


def build(suite: str, name: str, config: EnvConfig, split: Split) -> Any:
    """What the suite's builder makes of a task.

    Raises EnvError for a simulator that is not installed (with the extra to install), or
    `config.kwargs` that do not fit.
    """
    about, kwargs = row(suite), json.loads(config.kwargs)
    try:
        return _builder(about)(name, config, split, **kwargs)
    except ImportError as error:
        said = f"The {suite} tasks need a package that is missing here ({error})."
        raise EnvError(f"{said} {about.missing()}".rstrip()) from None
    except TypeError as error:
        if kwargs and "argument" in str(error):
            raise EnvError(f"env.kwargs {kwargs} do not fit {suite}_{name}: {error}.") from None
        raise


def _builder(about: Suite) -> Any:
    try:
        return object_at(about.build)
    except ConfigError as error:
        raise EnvError(f"{about.build!r}: {error}") from error
