"""What an environment itself shows and takes, turned into the agent's terms and back.

Spaces are enough for it: a trained agent acts in an environment that is somewhere else.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from reverie.envs import actions, observations
from reverie.envs.base import Action, Obs
from reverie.envs.observations import Reader
from reverie.envs.values import WrongValue, as_array, describe


class OwnTerms:
    """The environment's own observations and actions, of one environment or of N with a leading
    axis in every array.

    Args:
        observation_space: of the environment.
        action_space: likewise.
        exclude: `env.exclude` of the run.

    Raises EnvError for spaces that the agent cannot use.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        exclude: tuple[str, ...] = (),
    ):
        self.observation_space, self.action_space = observation_space, action_space
        self._readers = observations.readers(observation_space, exclude)[0]
        self._parts = dict(observations.leaves(observation_space))
        self._used = {reader.path for reader in self._readers}
        self._read = observations.reader_of(observation_space, exclude)
        self._write = actions.writer_of(action_space)
        self.obs_specs = observations.specs_of(self._readers)
        self.action_specs = actions.specs_of(actions.writers(action_space)[0])

    @property
    def same_names(self) -> bool:
        """Whether the environment itself shows a dictionary by the names that the agent has."""
        return all(reader.path == (reader.key,) for reader in self._readers)

    @property
    def same_shapes(self) -> bool:
        """Whether its parts have the shapes that the agent sees."""
        return all(self._parts[r.path].shape == r.spec.shape for r in self._readers)

    def lead(self, observation: Any) -> int | None:
        """The number N of environments that `observation` is of; None: one, without leading axis.

        Looks at keys, shapes and at what is a whole number, not at values. Raises WrongValue where
        these are not the environment's own.
        """
        leads = {reader.key: self._lead(reader, observation) for reader in self._readers}
        if len(set(leads.values())) > 1:
            told = ", ".join(f"{k!r} {'none' if n is None else n}" for k, n in leads.items())
            raise WrongValue(
                f"the parts of the observation are of different numbers of environments ({told})",
                "give all of them the same leading axis, or none",
            )
        lead = next(iter(leads.values()))
        if lead == 0:
            raise WrongValue("the observation is of 0 environments", "expected at least one")
        return lead

    def _lead(self, reader: Reader, observation: Any) -> int | None:
        name = f"observation {reader.label!r}"
        part = _part_of(observation, reader.path, name)
        space: Any = self._parts[reader.path]
        try:
            array = as_array(part)
        except WrongValue as error:
            raise WrongValue(
                f"{name} {error.found}", _hint(observation) or error.expected
            ) from None
        if array.shape not in (space.shape,) and array.shape[1:] != space.shape:
            raise WrongValue(
                f"{name} has shape {array.shape}",
                f"its space {space} needs {space.shape}, with or without a leading axis of "
                "environments",
            )
        whole = np.dtype(space.dtype).kind in "iub"
        if reader.spec.kind == "image" and whole != (array.dtype.kind in "iub"):
            raise WrongValue(f"{name} is {array.dtype}", f"its space {space} needs {space.dtype}")
        return None if array.shape == space.shape else array.shape[0]

    def read(self, observation: Any, lead: int | None) -> Obs:
        """The agent's observation, key -> (N, *shape); `lead` as the method says it, None: N = 1.

        Raises EnvError, with key, found and expected, for what the space does not promise.
        """
        if lead is None:
            return {key: array[None] for key, array in self._read(observation).items()}
        space = self.observation_space
        rows = [self._read(self._row(space, observation, i, ())) for i in range(lead)]
        return {key: np.stack([row[key] for row in rows]) for key in rows[0]}

    def _row(self, space: spaces.Space, part: Any, index: int, path: tuple) -> Any:
        """The observation of one of N environments; parts that nobody reads stay as they are."""
        if isinstance(space, spaces.Dict):
            inner = space.spaces
            return {
                name: self._row(inner[name], value, index, (*path, name))
                for name, value in part.items()
                if name in inner
            } | {name: value for name, value in part.items() if name not in inner}
        if isinstance(space, spaces.Tuple):
            pairs = enumerate(zip(space.spaces, part, strict=True))
            return tuple(self._row(s, value, index, (*path, i)) for i, (s, value) in pairs)
        return as_array(part)[index] if path in self._used else part

    def write(self, action: Action, lead: int | None) -> Any:
        """What `env.step` takes, for the agent's action, key -> (N, *shape).

        For N environments every array has a leading axis, as those of Gymnasium's vectors.
        """
        count = 1 if lead is None else lead
        rows = [self._write({k: v[i] for k, v in action.items()}) for i in range(count)]
        return rows[0] if lead is None else stacked(self.action_space, rows)


def stacked(space: spaces.Space, rows: list[Any]) -> Any:
    """Several elements of a space as one, with a leading axis in every array."""
    if isinstance(space, spaces.Dict):
        return {n: stacked(part, [row[n] for row in rows]) for n, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        parts = enumerate(space.spaces)
        return tuple(stacked(part, [row[i] for row in rows]) for i, part in parts)
    return np.stack([np.asarray(row) for row in rows])


def _part_of(observation: Any, path: tuple, name: str) -> Any:
    part = observation
    for step in path:
        match part:
            case Mapping() if step in part:
                part = part[step]
                continue
            case tuple() | list() if isinstance(step, int) and step < len(part):
                part = part[step]
                continue
        kind = "a dictionary" if isinstance(step, str) else "a tuple"
        expected = _hint(observation) or f"{kind} with {step!r}"
        raise WrongValue(f"{name} is missing: there is {describe(part)}", f"expected {expected}")
    return part


def _hint(observation: Any) -> str:
    """What to hand over instead of a whole answer of the environment."""
    verb = {2: "reset", 5: "step"}.get(len(observation) if isinstance(observation, tuple) else 0)
    if verb and isinstance(observation[-1], dict):
        return f"the first part alone of what {verb}() returns"
    return ""
