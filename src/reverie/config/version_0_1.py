"""Configurations of version 0.1: their spellings, and what they are called today.

Run folders of that version are read through this file; it can go when version 0.3 is out.
"""

import re
from collections.abc import Mapping
from typing import Any

from reverie.config import old_names

_GROUPS = {
    "encoder": (
        "world.encoder",
        "layers units symlog depth mults stack",
    ),
    "rssm": (
        "world.dynamics",
        "deter core latent hidden stoch initial free_nats floor kl prior_layers post_layers "
        "absolute",
    ),
    "decoder": ("world.objective", "layers units depth blocks plain output image vector"),
    "reward": ("world.reward", "layers units dist bins outscale transform divisor"),
    "cont": ("world.cont", "predict layers units outscale"),
    "actor": (
        "behavior.actor",
        "layers units outscale dist minstd maxstd unimix entropy",
    ),
    "critic": ("behavior.critic", "layers units dist bins outscale"),
    "balancing": ("world.balance", "form per_key outside lr period temperature"),
}

_SCALE = "rate low high limit"

RENAMED: dict[str, str] = {
    f"{old}.{name}": f"{new}.{name}"
    for old, (new, names) in _GROUPS.items()
    for name in names.split()
} | {
    **{f"encoder.{name}": f"world.encoder.stack.{name}" for name in ("kernel", "outer", "widen")},
    "encoder.res_norm": "world.encoder.stack.norm",
    "rssm.blocks": "world.dynamics.core.blocks",
    "rssm.core_layers": "world.dynamics.core.layers",
    **{
        f"rssm.{name}": f"world.dynamics.latent.{name}"
        for name in ("classes", "unimix", "deviation", "min_std")
    },
    "loss.rec": "world.objective.weight",
    "loss.rew": "world.reward.weight",
    "loss.reward_grad": "world.reward.grad",
    "loss.con": "world.cont.weight",
    "loss.cont_grad": "world.cont.grad",
    "loss.dyn": "world.dynamics.dyn",
    "loss.rep": "world.dynamics.rep",
    "loss.policy": "behavior.actor.weight",
    "loss.value": "behavior.critic.weight",
    "loss.repval": "behavior.critic.replay_weight",
    "actor.grad": "behavior.gradient",
    "actor.mix": "behavior.gradient.mix",
    "actor.climb": "behavior.gradient.climb",
    "behavior.entropy_in_target": "behavior.gradient.entropy_in_target",
    "behavior.return_norm": "behavior.scale",
    **{f"behavior.return_{name}": f"behavior.scale.{name}" for name in _SCALE.split()},
    "balancing.kind": "world.balance",
    "explore.kind": "explore",
    "explore.count": "bonus",
    "explore.count_scale": "bonus.scale",
    "optim.kind": "optim",
    "optim.adam": "optim.form",
    "optim.anneal": "optim.schedule.until",
    **old_names.OPTIONS,
}
"""Old path -> new path."""

_OF_CHOICE = {
    "world.encoder.stack": {
        **dict.fromkeys(("pooled", "strided"), "kernel outer"),
        "patch": "",
        "valid": "kernel",
        "same": "kernel widen",
        "resnet": "norm",
    },
    "world.dynamics.core": {"block": "blocks layers", "gru": ""},
    "world.dynamics.latent": {
        "categorical": "classes unimix",
        "gaussian": "deviation min_std",
    },
    "world.balance": {
        "fixed": "",
        "harmony": "form per_key outside lr",
        "unrectified": "per_key outside lr",
        "reciprocal": "per_key outside",
        "dwa": "per_key outside period temperature",
    },
    "behavior.gradient": {
        "reinforce": "",
        **dict.fromkeys(("dynamics", "auto"), "climb entropy_in_target"),
        "mixed": "mix climb",
    },
    "behavior.scale": {"range": _SCALE, "none": ""},
    "explore": {"none": ""},
    "bonus": {"none": "", "position": "scale", "observation": "scale"},
    "optim": {
        "laprop": "lr agc eps beta1 beta2 nesterov decay warmup schedule",
        "adam": "form beta1 beta2 warmup schedule world actor critic ensemble",
    },
    "optim.schedule": {"const": "", "linear": "until", "cosine": "until"},
}
"""Options that each choice has today; those of other choices, which a configuration of version 0.1
held as well, had no effect."""


def tensor(name: str) -> str:
    """What a tensor of the learner is called today."""
    name = re.sub(r"(^|\.)rssm\.", r"\1dynamics.", name)
    return re.sub(r"(^|\.)world\.decoder\.", r"\1world.objective.", name)


def is_old(values: Mapping[str, Any]) -> bool:
    """Whether these paths are those of version 0.1."""
    return "rssm.deter" in values or "balancing.kind" in values


def today(values: Mapping[str, Any]) -> dict[str, Any]:
    """The paths and values of version 0.1 as they are written today."""
    replay = {path: value for path, value in values.items() if path.startswith("replay.")}
    found = {RENAMED.get(path, path): v for path, v in values.items() if path not in replay}
    if replay:
        below = {path.removeprefix("replay."): value for path, value in replay.items()}
        found |= old_names.replay_options(below)
    if found.get("optim") == "adam":
        found["train.update"] = "ordered"
    return {path: value for path, value in found.items() if _exists(path, found)}


def _exists(path: str, found: Mapping[str, Any]) -> bool:
    for slot, choices in _OF_CHOICE.items():
        options = choices.get(str(found.get(slot)))
        if options is not None and path.startswith(f"{slot}."):
            option = path.removeprefix(f"{slot}.").partition(".")[0]
            if option not in options.split():
                return False
    return True
