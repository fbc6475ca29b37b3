"""Spellings of version 0.1, for the run folders that were written with it. Data, and what data
cannot say: options that mean something only beside another one."""

from collections.abc import Mapping
from typing import Any

OPTIONS: dict[str, str] = {
    "replay.score.importance": "replay.importance.begin",
    "replay.score.importance_end": "replay.importance.end",
    "replay.score.importance_updates": "replay.importance.updates",
}
"""Old path -> new path, where only the name changed."""

UNIT = {
    "episode": {"page": "page", "ongoing": "ongoing", "minlen": "minlen"},
    "chunk": {"unit_rows": "rows", "page": "page", "ongoing": "ongoing", "minlen": "minlen"},
    "splice": {"unit_rows": "rows", "ongoing": "ongoing"},
}
"""Options of a unit by its kind: old name below `replay` -> new name below `replay.unit`."""

DRAW = {
    "recency": {"age_exponent": "exponent"},
    "time_balanced": {"balance": "strength"},
    "proportional": {"stratified": "stratified"},
    "rank": {"rank_exponent": "exponent"},
    "softmax": {"temperature": "temperature", "scale": "scale"},
}
"""Options of a draw by its kind: old name below `replay` -> new name below the draw."""

_STEP = ("exponent", "aggregate", "blend", "anchor", "initial", "initial_std", "initial_value")
_SWEEP = ("sweep_every", "sweep_windows")
_VISITS = ("visit_scale", "visit_decay", "offset")

SIGNAL: dict[str, dict[str, str]] = {
    **{name: {key: key for key in (*_STEP, *_SWEEP)} for name in ("kl", "kl_clipped")},
    **{name: {key: key for key in _STEP} for name in ("model_loss", "disagreement")},
    "td": {key: key for key in (*_STEP, "offset")},
    "visits": {key: key for key in (*_STEP, *_VISITS)},
    "curious": {key: key for key in (*_STEP, *_VISITS, "loss_power")},
    "xp": {
        **{key: key for key in _STEP},
        **{"xp_return": "ret", "xp_value": "value", "xp_rec": "rec"},
    },
}
"""Options of a signal by its kind: old name below `replay.score` -> new name below
`replay.signal`."""

PLAIN = ("capacity", "gigabytes", "fresh", "online", "kernels", "context", "chunk")
"""Options of the replay that kept their names."""


def replay_options(old: Mapping[str, Any]) -> dict[str, Any]:
    """Edits that make today's replay what `old` described, to be applied to the defaults.

    `old`: the options below `replay` as version 0.1 named them (`unit_rows`, `score.signal`, …);
    what it lacks had its default. Options that meant nothing beside the others are left out.
    """
    edits = {f"replay.{name}": old[name] for name in PLAIN if name in old}
    edits |= {new: old[path[7:]] for path, new in OPTIONS.items() if path[7:] in old}
    unit, signal = old.get("unit", "row"), old.get("score.signal", "none")
    edits |= {"replay.unit": unit, **_below("replay.unit", old, UNIT.get(unit, {}))}
    edits |= _retention(old)
    scores = {key.removeprefix("score."): value for key, value in old.items()}
    edits |= {"replay.signal": signal, **_below("replay.signal", scores, SIGNAL.get(signal, {}))}
    return edits | _draw(old)


def _below(path: str, old: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {f"{path}.{new}": old[name] for name, new in names.items() if name in old}


def _retention(old: Mapping[str, Any]) -> dict[str, Any]:
    kind, path = old.get("keep", "fifo"), "replay.keep"
    edits = {path: kind}
    if kind == "split":
        kind, path = old.get("split_keep", "reservoir"), "replay.keep.other"
        edits |= {path: kind, **_below("replay.keep", old, {"split_share": "share"})}
    if kind == "coverage":
        edits |= _below(path, old, {"coverage_distance": "distance"})
    return edits


def _draw(old: Mapping[str, Any]) -> dict[str, Any]:
    """The draw, with its members and what it ranges over."""
    pairs = [text.partition(":") for text in old.get("mix", ())]
    members = [(kind, float(share)) for kind, _, share in pairs]
    members += [(old.get("draw", "uniform"), 1.0 - sum(share for _, share in members))]
    by = {} if old.get("mix_by", "window") == "window" else {"by": old["mix_by"]}
    if old.get("over", "windows") == "units":
        edits = {"replay.draw": "episodes"}
        edits |= _below("replay.draw", old, {"join": "join", "ends": "ends"})
        return edits | _mixed("replay.draw.law", members, old, {})
    if old.get("keep") != "split":
        return _mixed("replay.draw", members, old, by)
    edits = {"replay.draw": "stores", **_below("replay.draw", old, {"split_draw": "share"})}
    edits |= {f"replay.draw.{name}": value for name, value in by.items()}
    return edits | _mixed("replay.draw.inner", members, old, by)


def _mixed(
    path: str, members: list[tuple[str, float]], old: Mapping[str, Any], by: Mapping[str, str]
) -> dict[str, Any]:
    """Several members with a share each as a mixture of two, of which the second may be one."""
    members = [member for member in members if member[1] > 0]
    if len(members) == 1:
        kind = members[0][0]
        name = "returns" if path.startswith("replay.draw.law") and kind == "softmax" else kind
        return {path: name, **_below(path, old, DRAW.get(kind, {}))}
    total = sum(share for _, share in members)
    edits = {path: "mixture", f"{path}.share": members[0][1] / total}
    edits |= {f"{path}.{name}": value for name, value in by.items()}
    edits |= _mixed(f"{path}.first", members[:1], old, by)
    return edits | _mixed(f"{path}.second", members[1:], old, by)
