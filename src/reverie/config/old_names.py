"""Spellings of version 0.1, for the run folders that were written with it. Data, and what data
cannot say: options that mean something only beside another one."""

from collections.abc import Mapping
from typing import Any

OPTIONS: dict[str, str] = {
    "replay.unit_rows": "replay.unit.rows",
    "replay.page": "replay.unit.page",
    "replay.ongoing": "replay.unit.ongoing",
    "replay.minlen": "replay.unit.minlen",
    "replay.split_share": "replay.keep.share",
    "replay.split_keep": "replay.keep.other",
    "replay.coverage_distance": "replay.keep.distance",
    "replay.mix": "replay.draw.first",
    "replay.mix_by": "replay.draw.by",
    "replay.over": "replay.draw",
    "replay.split_draw": "replay.draw.share",
    "replay.join": "replay.draw.join",
    "replay.ends": "replay.draw.ends",
    "replay.age_exponent": "replay.draw.exponent",
    "replay.balance": "replay.draw.strength",
    "replay.rank_exponent": "replay.draw.exponent",
    "replay.stratified": "replay.draw.stratified",
    "replay.temperature": "replay.draw.temperature",
    "replay.scale": "replay.draw.scale",
    "replay.score.signal": "replay.signal",
    "replay.score.exponent": "replay.signal.exponent",
    "replay.score.aggregate": "replay.signal.aggregate",
    "replay.score.blend": "replay.signal.blend",
    "replay.score.anchor": "replay.signal.anchor",
    "replay.score.initial": "replay.signal.initial",
    "replay.score.initial_std": "replay.signal.initial_std",
    "replay.score.initial_value": "replay.signal.initial_value",
    "replay.score.visit_scale": "replay.signal.visit_scale",
    "replay.score.visit_decay": "replay.signal.visit_decay",
    "replay.score.loss_power": "replay.signal.loss_power",
    "replay.score.offset": "replay.signal.offset",
    "replay.score.xp_return": "replay.signal.ret",
    "replay.score.xp_value": "replay.signal.value",
    "replay.score.xp_rec": "replay.signal.rec",
    "replay.score.sweep_every": "replay.signal.sweep_every",
    "replay.score.sweep_windows": "replay.signal.sweep_windows",
    "replay.score.importance": "replay.importance.begin",
    "replay.score.importance_end": "replay.importance.end",
    "replay.score.importance_updates": "replay.importance.updates",
}
"""Old path -> where it is to be found today; which of them a choice has, `replay_options` knows."""

IMPORTANCE = {"importance": "begin", "importance_end": "end", "importance_updates": "updates"}
"""Old name below `replay.score` -> new name below `replay.importance`."""

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
    unit, signal = old.get("unit", "row"), old.get("score.signal", "none")
    edits |= {"replay.unit": unit, **_below("replay.unit", old, UNIT.get(unit, {}))}
    edits |= _retention(old)
    scores = {key.removeprefix("score."): value for key, value in old.items()}
    edits |= {"replay.signal": signal, **_below("replay.signal", scores, SIGNAL.get(signal, {}))}
    edits |= _below("replay.importance", scores, IMPORTANCE)
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
