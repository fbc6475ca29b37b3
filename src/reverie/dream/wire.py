"""Rows of dreams and of episodes as JSON values."""

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from reverie.dream.action import Controls, label
from reverie.dream.branch import Branch, Observed, Row
from reverie.dream.drift import Drift
from reverie.dream.programs import Readings
from reverie.dream.what_if import Option
from reverie.envs.pictures import to_rgb
from reverie.records import Specs

CURVES = ("reward", "cont", "value", "entropy", "disagreement", "kl")
"""Numbers of every row, as `Readings` calls them."""


def number(value: Any) -> float | None:
    """A number as JSON knows it: None where it is not finite."""
    plain = float(value)
    return plain if math.isfinite(plain) else None


def numbers(values: Any) -> list[float | None]:
    """Those of an array, laid flat."""
    return [number(value) for value in np.asarray(values, np.float64).reshape(-1)]


def picture(pixels: np.ndarray) -> dict[str, Any]:
    """A picture (H, W, C) uint8 in colours."""
    rgb = np.ascontiguousarray(to_rgb(pixels))
    height, width = rgb.shape[:2]
    return {"h": height, "w": width, "rgb": base64.b64encode(rgb.tobytes()).decode()}


def looks(values: Mapping[str, np.ndarray] | None, specs: Specs) -> dict[str, Any] | None:
    """An observation by key: pictures, or lists of numbers."""
    if values is None:
        return None
    return {
        key: picture(value) if specs[key].kind == "image" else numbers(value)
        for key, value in values.items()
    }


def said(readings: Readings) -> dict[str, Any]:
    """What is predicted of one state."""
    found: dict[str, Any] = {name: number(getattr(readings, name)) for name in CURVES}
    return found | {"policy": {key: numbers(p) for key, p in readings.policy.items()}}


def row(found: Row, number_: int, specs: Specs, controls: Controls) -> dict[str, Any]:
    """One row of a branch or an episode, `number_` in it."""
    action = found.action
    return {
        "n": number_,
        "said": said(found.said),
        "shown": looks(found.shown, specs),
        "real": looks(found.real, specs),
        "act": None if action is None else label(action, controls),
        "action": None if action is None else {k: numbers(v) for k, v in action.items()},
        "reward": None if found.reward is None else number(found.reward),
        "over": found.over,
        "drawn": None if found.drawn is None else picture(found.drawn),
    }


def branch(found: Branch) -> dict[str, Any]:
    """Where a branch began, without its rows."""
    return {
        "branch": found.number,
        "parent": found.parent,
        "at": found.at,
        "begin": found.origin + found.depth - (len(found.rows) - 1),
        "origin": found.origin,
        "seed": found.seed,
        "rows": len(found.rows),
        "reality": found.beside is not None,
        "notice": found.notice,
    }


def episode(seen: Observed, specs: Specs, controls: Controls) -> dict[str, Any]:
    """The numbers of all rows of an episode, without what they look like; `moves`: the standard
    deviation of everything observed that is no picture."""
    found, rows = seen.episode, range(seen.episode.rows)
    acts = [{key: value[at] for key, value in found.action.items()} for at in rows]
    return {
        "name": found.name,
        "rows": found.rows,
        "seed": None if found.start is None else found.start.seed,
        "return": number(found.reward.sum()),
        "rewards": numbers(found.reward),
        "ends": bool(found.is_terminal[-1]),
        "moves": {
            key: numbers(value.reshape(len(value), -1).std(0))
            for key, value in found.obs.items()
            if specs[key].kind != "image"
        },
        "acts": [label(action, controls) for action in acts],
        "curves": {name: numbers(getattr(seen.said, name)) for name in CURVES},
    }


def option(found: Option, specs: Specs) -> dict[str, Any]:
    """One action of a counterfactual."""
    return {
        "name": found.name,
        "action": {key: numbers(value) for key, value in found.action.items()},
        "place": list(found.place),
        **{name: number(getattr(found, name)) for name in ("value", "spread", "reward", "cont")},
        "shown": looks(found.shown, specs),
        "after": said(found.after),
    }


def drift(found: Drift) -> dict[str, Any]:
    """Bands (low, middle, high) by horizon, and the lines beside them."""

    def band(values: np.ndarray) -> list[list[float | None]]:
        return [numbers(column) for column in values.T]

    return {
        "keys": {
            key: {
                "band": band(found.error[key]),
                "still": numbers(found.still[key]),
                "looked": numbers(found.looked[key]),
            }
            for key in found.error
        },
        "reward": {"band": band(found.reward), "true": numbers(found.true_reward)},
    }
