"""Actions as people give them: classes and numbers, their names and their keys."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from reverie.dream.errors import DreamError
from reverie.envs.action_names import names_of
from reverie.envs.values import WrongValue, as_array
from reverie.part.errors import suggest
from reverie.records import Spec, Specs, component_names

KEYS = "1234567890qweryuiopsdfghjklzxcvnm"
"""Keys of classes in their order; letters that do something else on the page are left out."""
ARROWS = {
    "left": "ArrowLeft",
    "right": "ArrowRight",
    "up": "ArrowUp",
    "forward": "ArrowUp",
    "down": "ArrowDown",
    "back": "ArrowDown",
    "backward": "ArrowDown",
}
"""Words in the names of actions that an arrow key stands for, the first action with each."""


class Choice(NamedTuple):
    """One component of an action that is a class."""

    key: str
    component: int
    names: tuple[str, ...]


class Slide(NamedTuple):
    """One component of an action that is a number in [−1, 1], and its own bounds for people."""

    key: str
    component: int
    name: str
    low: float
    high: float


class Controls(NamedTuple):
    """Everything that a person can set, in the order of the keys of the action."""

    choices: tuple[Choice, ...]
    slides: tuple[Slide, ...]
    keys: dict[str, tuple[int, int]]
    """Names of keys as browsers say them, with the choice and its class that they stand for."""


def controls(specs: Specs, task: str) -> Controls:
    """The controls of an action of these specs; `task` says what its classes are called."""
    choices, slides = [], []
    for key, spec in sorted(specs.items()):
        for index, name in enumerate(component_names(key, spec.size)):
            if spec.kind == "discrete":
                lone = len(specs) == 1 and spec.size == 1
                found = names_of(task, spec.classes[index]) if lone else ()
                named = found or tuple(f"{name} {c}" for c in range(spec.classes[index]))
                choices.append(Choice(key, index, named))
            else:
                slides.append(Slide(key, index, name, *_bounds(spec, index)))
    lone = len(choices) == 1 and not slides
    keys = _keys(choices) | (_arrows(choices[0]) if lone else {})
    return Controls(tuple(choices), tuple(slides), keys)


def _bounds(spec: Spec, index: int) -> tuple[float, float]:
    low, high = (spec.low or (-1.0,) * spec.size)[index], (spec.high or (1.0,) * spec.size)[index]
    return (low, high) if np.isfinite([low, high]).all() else (-1.0, 1.0)


def _keys(choices: Sequence[Choice]) -> dict[str, tuple[int, int]]:
    """A key for every class, as far as they go."""
    pairs = [(at, c) for at, choice in enumerate(choices) for c in range(len(choice.names))]
    return dict(zip(KEYS, pairs, strict=False))


def _arrows(choice: Choice) -> dict[str, tuple[int, int]]:
    """The arrow keys that the names of an action's classes speak of."""
    found: dict[str, tuple[int, int]] = {}
    for index, name in enumerate(choice.names):
        for word in name.lower().replace("_", " ").split():
            if word in ARROWS:
                found.setdefault(ARROWS[word], (0, index))
    return found


def parse(given: Any, specs: Specs) -> dict[str, np.ndarray]:
    """An action of a person, (components,) by key in the dtypes of the agent.

    Raises DreamError for keys that do not exist, missing ones, and values that are none of its.
    """
    if not isinstance(given, Mapping):
        raise DreamError(
            f"an action is an object with {', '.join(sorted(specs))}, found {given!r}."
        )
    for key in given:
        if key not in specs:
            raise DreamError(f"there is no action {key!r}; {suggest(str(key), sorted(specs))}")
    return {key: _part(given, key, spec) for key, spec in sorted(specs.items())}


def _part(given: Mapping[str, Any], key: str, spec: Spec) -> np.ndarray:
    if key not in given:
        raise DreamError(f"the action lacks {key!r}.")
    try:
        array = as_array(given[key]).reshape(-1)
        numbers = array.astype(np.float64)
    except (WrongValue, ValueError, TypeError):
        raise DreamError(f"action {key!r} is {given[key]!r}, expected {_expected(spec)}.") from None
    low, high = (0, np.array(spec.classes) - 1) if spec.kind == "discrete" else (-1.0, 1.0)
    fits = len(numbers) == spec.size and bool((numbers >= low).all() and (numbers <= high).all())
    if not fits or (spec.kind == "discrete" and (numbers != np.rint(numbers)).any()):
        raise DreamError(f"action {key!r} is {given[key]!r}, expected {_expected(spec)}.")
    return numbers.astype(spec.dtype)


def _expected(spec: Spec) -> str:
    if spec.kind != "discrete":
        return f"{spec.size} number{'s' * (spec.size > 1)} from -1 to 1"
    most = sorted({count - 1 for count in spec.classes})
    last = str(most[0]) if len(most) == 1 else str([count - 1 for count in spec.classes])
    return f"{spec.size} whole number{'s' * (spec.size > 1)} from 0 to {last}"


def label(action: Mapping[str, Any], found: Controls) -> str:
    """An action (components,) by key in words."""
    parts = [choice.names[int(action[choice.key][choice.component])] for choice in found.choices]
    for slide in found.slides:
        share = (float(np.clip(action[slide.key][slide.component], -1.0, 1.0)) + 1.0) / 2.0
        parts.append(f"{slide.name} {slide.low + share * (slide.high - slide.low):.3g}")
    return ", ".join(parts)
