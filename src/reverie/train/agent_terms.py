"""Observations in the agent's own terms, handed over by a user: keys, shapes and types checked."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reverie.envs.base import Obs
from reverie.envs.values import WrongValue, as_array, describe, to_classes, to_float32
from reverie.folder.errors import RunError
from reverie.records import Spec, Specs


def lead(obs: Any, specs: Specs) -> int | None:
    """The length of the leading axis of environments; None: there is none.

    Raises RunError where a part is missing, has another shape, or the axes differ; EnvError where
    it is no array.
    """
    leads = {key: _lead_of(key, obs, spec, specs) for key, spec in sorted(specs.items())}
    if len(set(leads.values())) > 1 or 0 in leads.values():
        told = ", ".join(f"{k!r} {'none' if n is None else n}" for k, n in leads.items())
        raise RunError(
            f"the leading axes of the observation differ or are empty ({told}): give all parts "
            "the same one, or none."
        )
    return next(iter(leads.values()))


def read(obs: Mapping[str, Any], specs: Specs, size: int | None) -> Obs:
    """The parts (N, *shape) in the stored dtypes; `size` as `lead` gives it, None: N = 1.

    Raises EnvError or RunError for values that the dtype does not hold.
    """
    return {k: _as_spec(k, obs[k], spec, size is None) for k, spec in sorted(specs.items())}


def _lead_of(key: str, obs: Mapping[str, Any], spec: Spec, specs: Specs) -> int | None:
    if not isinstance(obs, Mapping) or key not in obs:
        what = "the observation lacks" if isinstance(obs, Mapping) else f"{describe(obs)} lacks"
        raise RunError(f"{what} {key!r}; the agent needs {sorted(specs)}.")
    try:
        shape = as_array(obs[key]).shape
    except WrongValue as error:
        raise error.of(f"observation {key!r}") from None
    if shape not in (spec.shape,) and shape[1:] != spec.shape:
        raise RunError(
            f"observation {key!r} has shape {shape}; the agent needs {spec.shape}, with or without "
            "a leading axis of environments."
        )
    return None if shape == spec.shape else shape[0]


def _as_spec(key: str, value: Any, spec: Spec, single: bool) -> np.ndarray:
    """`value` (*shape) or (N, *shape) as (N, *shape) in the stored dtype, without loss."""
    array = np.asarray(value)
    if not np.can_cast(array.dtype, spec.dtype, "same_kind"):
        raise RunError(
            f"observation {key!r} is {array.dtype}; the agent needs {spec.dtype}, as the "
            "environment of the training gave it."
        )
    try:
        if spec.kind == "vector":
            array = to_float32(array)
        if spec.kind == "discrete":
            array = to_classes(array, np.reshape(spec.classes, spec.shape))
    except WrongValue as error:
        raise error.of(f"observation {key!r}") from None
    return (array[None] if single else array).astype(spec.dtype)
