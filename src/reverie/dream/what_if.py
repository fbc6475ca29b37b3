"""What if: every action from one state, what it is worth, and how it looks some rows later."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from reverie.behavior.returns import certain_of, discount_of
from reverie.config.schema import Config
from reverie.dream.action import Controls, label
from reverie.dream.branch import actions_of
from reverie.dream.errors import DreamError, check_whole
from reverie.dream.inspector import Inspector
from reverie.dream.programs import CHUNK, GREEDY, Readings, Rolled, key_of, keys_of
from reverie.dream.session import Session
from reverie.part.errors import suggest

SAMPLES = 8
"""Dreams of each action of which the value is a mean."""
MOST_OPTIONS = 64
"""Actions that are tried."""
GRID = 5
"""Values of each of two components of a continuous action."""
LINE = 9
"""Values of a lone one."""


class Options(NamedTuple):
    """What is tried."""

    options: list["Option"]
    note: str  # which actions are not; empty where all are, or a grid of numbers


class Option(NamedTuple):
    """One action, and what the model expects of it."""

    action: dict[str, np.ndarray]  # (components,)
    name: str
    place: tuple[int, ...]  # in the grid of two components; empty for classes
    value: float  # mean of reward and discounted value of arriving
    spread: float  # standard deviation over the samples
    reward: float
    cont: float
    shown: dict[str, np.ndarray]  # (*shape) after so many steps
    after: Readings  # there


def counterfactuals(
    session: Session,
    row: int,
    number: int | None = None,
    *,
    steps: int = 1,
    components: Sequence[str] = (),
    seed: int = 0,
) -> Options:
    """Every action from a row of the episode, or of branch `number`; then the policy's mode.

    Classes come first, then the grid of numbers; where an action has both, the others are the
    policy's.

    Args:
        steps: after how many rows the picture is taken, 1 ... 16.
        components: of a continuous action, one or two by name; the others are the policy's. Empty:
            the first two.

    Raises DreamError for what is not there.
    """
    check_whole("steps", steps, 1, CHUNK)
    inspector, (state, here) = session.inspector, _state(session, row, number)
    mode = _mode(inspector, state)
    tried, note = likely_classes(inspector.controls, mode, here.policy)
    options = [*((action, ()) for action in tried), *_grid(inspector, mode, components)]
    config, actions = inspector.loaded.config, [action for action, _ in options]
    keys = keys_of(seed, SAMPLES)
    first = _arrive(inspector, state, actions, keys)
    shape = len(options), SAMPLES, -1
    said = jax.tree.map(lambda x: np.asarray(x[0]).reshape(shape), first.readings)
    values = worth(said, config)
    last, after = _later(inspector, first, actions, keys[0], steps)
    shown = inspector.look(last, np.asarray(after.feature), session.seen())
    found = [
        Option(
            *(action, label(action, inspector.controls), place),
            *(float(values[i].mean()), float(values[i].std())),
            *(float(said.reward[i].mean()), float(said.cont[i].mean())),
            {key: value[i] for key, value in shown.items()},
            jax.tree.map(lambda x: x[i], after),  # noqa: B023
        )
        for i, (action, place) in enumerate(options)
    ]
    return Options(found, note)


def _arrive(inspector: Inspector, state: Any, actions: list[Any], keys: Any) -> Rolled:
    """One row of `SAMPLES` dreams of each action; all actions share the noise."""
    count = len(actions)
    start = jax.tree.map(lambda x: np.repeat(np.asarray(x), count * SAMPLES, 0), state)
    each = {key: np.stack([action[key] for action in actions]) for key in actions[0]}
    given = {key: value.repeat(SAMPLES, 0)[None] for key, value in each.items()}
    return inspector.many(start, given, jnp.tile(keys, count), 1)


def _later(
    inspector: Inspector, first: Rolled, actions: list[Any], key: Any, steps: int
) -> tuple[Any, Readings]:
    """One dream of each action after so many rows, in which the policy's mode acts from the second
    row on: states (N, …) and what is said of them."""
    start, after = jax.tree.map(lambda x: x[0, ::SAMPLES], (first.state, first.readings))
    if steps == 1:
        return start, jax.tree.map(np.asarray, after)
    count = len(actions)
    idle = {k: np.zeros((steps - 1, count, *v.shape), v.dtype) for k, v in actions[0].items()}
    further = inspector.many(start, idle, jnp.repeat(key[None], count), 2, who=GREEDY)
    last, after = jax.tree.map(lambda x: x[steps - 2], (further.state, further.readings))
    return last, jax.tree.map(np.asarray, after)


def worth(said: Readings, config: Config) -> np.ndarray:
    """The value of having arrived where `said` was read: reward and discounted critic.

    Where a state's value begins with its own reward (V2), the critic alone.
    """
    behavior = config.behavior
    if behavior.own_reward:
        return np.asarray(said.value)
    certain = certain_of(behavior)
    cont = np.where(np.isnan(said.cont), certain, said.cont)
    discount = cont if behavior.contdisc else cont * discount_of(behavior)
    return np.asarray(said.reward + discount * said.value)


def _state(session: Session, row: int, number: int | None) -> tuple[Any, Readings]:
    """The state of a row, (1, …), and what is said of it."""
    if number is None:
        seen = session.seen()
        at = session.row_number(row, seen.episode.rows, "the episode")
        return seen.state(at), jax.tree.map(lambda x: x[at], seen.said)
    branch = session.find(number)
    at = session.row_number(row, len(branch.rows), f"branch {number}")
    return branch.states[at], branch.rows[at].said


def _mode(inspector: Inspector, state: Any) -> dict[str, np.ndarray]:
    """What the policy would do."""
    idle = actions_of([inspector.nothing()])
    rolled = inspector.roll(state, idle, key_of(0)[None], 1, who=GREEDY)
    return {key: np.asarray(value[0, 0]) for key, value in rolled.action.items()}


def _grid(
    inspector: Inspector, mode: dict[str, np.ndarray], components: Sequence[str]
) -> list[tuple[dict[str, np.ndarray], tuple[int, ...]]]:
    """Values of one or two numbers of the action, and their places in the grid."""
    found = inspector.controls
    names = [slide.name for slide in found.slides]
    for name in components:
        if name not in names:
            known = suggest(str(name), names) if names else "the action has classes only."
            raise DreamError(f"there is no component {name!r}; {known}")
    if len(set(components)) != len(components) or len(components) > 2:
        raise DreamError(f"a grid has one component or two different ones, found {components!r}.")
    if not names:
        return []
    chosen = [found.slides[names.index(name)] for name in components or names[:2]]
    values = np.linspace(-1.0, 1.0, GRID if len(chosen) == 2 else LINE, dtype=np.float32)
    options = []
    for place in itertools.product(range(len(values)), repeat=len(chosen)):
        action = {key: value.copy() for key, value in mode.items()}
        for slide, index in zip(chosen, place, strict=True):
            action[slide.key][slide.component] = values[index]
        options.append((action, place))
    return options


def likely_classes(
    found: Controls, mode: dict[str, np.ndarray], policy: Mapping[str, Any]
) -> tuple[list[dict[str, np.ndarray]], str]:
    """All combinations of classes; where they are too many, each component's with the others as
    the policy would choose them, the likeliest ones. And which are left out."""
    if not found.choices:
        return [], ""
    choices = [range(len(choice.names)) for choice in found.choices]
    count = math.prod(len(part) for part in choices)
    if count <= MOST_OPTIONS:
        return [_with(mode, found, dict(enumerate(c))) for c in itertools.product(*choices)], ""
    pairs = [(i, c) for i, part in enumerate(choices) for c in part]
    weights = np.concatenate([policy[key] for key in sorted({c.key for c in found.choices})])
    likely = np.sort(np.argsort(-weights, kind="stable")[:MOST_OPTIONS])
    options = [_with(mode, found, dict([pairs[at]])) for at in likely]
    return options, _left_out(count, len(pairs), alone=len(choices) > 1)


def _left_out(combinations: int, classes: int, *, alone: bool) -> str:
    """What is not tried, in a sentence."""
    said = []
    if alone:
        said.append(
            f"There are {combinations:,} combinations of classes: each class is tried alone, the "
            "others are as the policy would choose them."
        )
    if classes > MOST_OPTIONS:
        said.append(
            f"Of {classes:,} classes the {MOST_OPTIONS} are tried that the policy finds likeliest."
        )
    return " ".join(said)


def _with(
    mode: dict[str, np.ndarray], found: Controls, classes: dict[int, int]
) -> dict[str, np.ndarray]:
    action = {key: value.copy() for key, value in mode.items()}
    for index, value in classes.items():
        action[found.choices[index].key][found.choices[index].component] = value
    return action
