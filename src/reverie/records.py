"""The nouns that travel around the circle, and the letters of their axes.

    S seeds   E environments   B batch   T replayed time   H imagined time
    D deterministic state   Z latents   C classes   A action   F = D + Z·C feature

Nothing here knows how a station works: environments fill `Step`, replay returns `Sequence`, the
world model turns it into states that heads read as `Latent`, behaviour unrolls `Imagined`.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

Array = Any  # numpy on the host, jax on the device; both flow through these records


@dataclass(frozen=True)
class Spec:
    """Shape and meaning of one array of an observation or an action, without leading axes.

    `image` is uint8 (height, width, channels); `vector` is float32 of any shape; `discrete` is
    int32 of any shape, component i (C order) taking the values 0 … classes[i] − 1.
    `low` and `high` are the bounds of a continuous action in the environment's own units
    (one number a component); the agent's actions always live in [−1, 1].
    """

    kind: Literal["image", "vector", "discrete"]
    shape: tuple[int, ...]
    classes: tuple[int, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """Number of scalars."""
        return math.prod(self.shape)

    @property
    def width(self) -> int:
        """Length of the flat network input: classes are counted one-hot, numbers as they are."""
        return sum(self.classes) if self.kind == "discrete" else self.size

    @property
    def dtype(self) -> str:
        """Name of the numpy dtype in which this array is stored."""
        return {"image": "uint8", "vector": "float32", "discrete": "int32"}[self.kind]


Specs = dict[str, Spec]
"""Specs by key. Wherever an order matters it is the sorted order of the keys."""


def component_names(key: str, size: int) -> list[str]:
    """What the numbers of an array are called, in C order: a lone one by its key."""
    return [key] if size == 1 else [f"{key}[{index}]" for index in range(size)]


def specs_to_json(specs: Specs) -> dict[str, Any]:
    """Specs as JSON values."""
    return {key: asdict(spec) for key, spec in specs.items()}


def specs_from_json(tree: Mapping[str, Any]) -> Specs:
    """Specs from what `specs_to_json` gave, lists turned back into tuples."""

    def build(fields: Mapping[str, Any]) -> Spec:
        arguments: dict[str, Any] = {}
        for name, value in fields.items():
            arguments[name] = tuple(value) if isinstance(value, list) else value
        return Spec(**arguments)

    return {key: build(fields) for key, fields in tree.items()}


class Step(NamedTuple):
    """What E environments show at one moment; the answer to one action each.

    A row's reward and flags belong to its observation: `reward` is what led here, `is_terminal`
    says that no future follows, `is_last` that the episode ends here (terminal or truncated).
    After a row with `is_last` the environment ignores the next action and answers with the first
    row of a new episode (`is_first`, reward 0).
    """

    obs: dict[str, Array]  # (E, *spec.shape)
    reward: Array  # (E,) float32, environment units
    is_first: Array  # (E,) bool
    is_last: Array  # (E,) bool
    is_terminal: Array  # (E,) bool
    log: dict[str, Array] = {}  # noqa: RUF012 (E, *shape), for people and statistics only


class Latent(NamedTuple):
    """What networks read of the world model's state; of an RSSM it is the state itself.

    `stoch` is one-hot (or its straight-through relaxation), or Gaussian numbers (C = 1).
    """

    deter: Array  # (..., D)
    stoch: Array  # (..., Z, C)


class Sequence(NamedTuple):
    """Replayed rows in the order of the official V3: `action` and `latent` were chosen *at* t.

    The first `context` rows are not trained on: they give the initial latent and previous action.
    Without context a sequence starts from a clean state, and no latents are stored.
    """

    obs: dict[str, Array]  # (B, T, *shape)
    action: dict[str, Array]  # (B, T, *shape)
    reward: Array  # (B, T)
    is_first: Array  # (B, T)
    is_last: Array  # (B, T)
    is_terminal: Array  # (B, T)
    latent: Any  # columns by name as the dynamics packed them; once unpacked, their state
    weight: Array | None = None  # (B, T), importance of the sequence in the losses, one a sequence
