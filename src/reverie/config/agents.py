"""The agents by name: V3, and what makes an agent another one. Data only.

An agent preset holds what its blocks have in common: networks, latents and losses of the world
model, how actor and critic learn, and the optimisers. Its sizes stand in `families.py`, its blocks
in `blocks_v2.py` and `blocks_v3_2023.py`.
"""

from typing import Any

from reverie.config.preset import Preset, table

_OLDER: dict[str, Any] = {
    "net.eps": 1e-3,
    "world.dynamics.core": "gru",
    "world.dynamics.prior_layers": 1,
    "world.dynamics.post_layers": 1,
    "world.encoder.mults": (1, 2, 4, 8),
    "world.objective.blocks": 0,
    "world.objective.plain": True,
    "world.objective.output": "shift",
    "behavior.actor.outscale": 1.0,
    "behavior.gradient": "auto",
    "behavior.true_root": True,
    "behavior.slow_copy_first": True,
    "behavior.replay_value": False,
    "optim": "adam",
    "train.update": "ordered",
    "optim.warmup": 0,
    "replay.context": 0,
    "replay.online": False,
}
"""What DreamerV2 and the V3 of 2023 share: sequences start from a clean state, too."""

_V2_WORLD: dict[str, Any] = {
    "net.act": "elu",
    "net.norm": "none",
    "net.init": "glorot",
    "world.dynamics.latent.unimix": 0.0,
    "world.dynamics.free_nats": 0.0,
    "world.dynamics.floor": "batch",
    "world.dynamics.dyn": 0.8,
    "world.dynamics.rep": 0.2,
    "world.encoder.stack": "valid",
    "world.encoder.symlog": False,
    "world.objective.image": "gauss",
    "world.objective.vector": "gauss",
    "world.reward.dist": "gauss",
    "world.reward.outscale": 1.0,
    "world.reward.transform": "tanh",
    "behavior.critic.dist": "gauss",
    "behavior.critic.outscale": 1.0,
    "behavior.actor.dist": "truncated",
}

_V2_BEHAVIOR: dict[str, Any] = {
    "behavior.actor.entropy": 2e-3,
    "behavior.gradient.climb": "return",
    "behavior.horizon": 100,
    "behavior.own_reward": True,
    "behavior.scale": "none",
    "behavior.slow_target": True,
    "behavior.slow_rate": 1.0,
    "behavior.slow_every": 100,
    "behavior.slow_reg": 0.0,
    "optim.form": "tensorflow",
    "optim.world.lr": 1e-4,
    "optim.actor.lr": 8e-5,
    "optim.critic.lr": 2e-4,
    **{f"optim.{part}.eps": 1e-5 for part in ("world", "actor", "critic")},
    **{f"optim.{part}.clip": 100.0 for part in ("world", "actor", "critic")},
    **{f"optim.{part}.decay": 1e-6 for part in ("world", "actor", "critic")},
    "train.length": 50,
    "train.eval_greedy": True,
}

_V3_2023_WORLD: dict[str, Any] = {
    "net.norm": "layer",
    "net.bias": False,
    "net.init": "fan_avg",
    "world.dynamics.initial": "learned",
    "world.dynamics.dyn": 0.5,
    "world.dynamics.rep": 0.1,
    "world.encoder.stack": "same",
    "world.reward.dist": "symlog_twohot",
    "behavior.critic.dist": "symlog_twohot",
    "behavior.actor.unimix": 0.01,
}

_V3_2023_BEHAVIOR: dict[str, Any] = {
    "behavior.contdisc": False,
    "behavior.cont_mode": True,
    "optim.world.lr": 1e-4,
    "optim.world.eps": 1e-8,
    "optim.world.clip": 1000.0,
    "optim.actor.lr": 3e-5,
    "optim.critic.lr": 3e-5,
    **{f"optim.{part}.eps": 1e-5 for part in ("actor", "critic")},
    **{f"optim.{part}.clip": 100.0 for part in ("actor", "critic")},
    "replay.capacity": 1_000_000,
}

AGENTS = table(
    Preset("v3", "DreamerV3, the official code of December 2024.", {"agent": "v3"}),
    Preset(
        "v3-2023",
        "DreamerV3 as first published (arXiv:2301.04104v1): dense GRU with a learned initial "
        "state, layer norms, two-hot bins even in symlog space, three Adams, gradients through the "
        "dynamics for continuous actions.",
        {"agent": "v3-2023", **_OLDER, **_V3_2023_WORLD, **_V3_2023_BEHAVIOR},
    ),
    Preset(
        "v2",
        "DreamerV2, the official code: dense GRU, ELU without norms, balanced KL with free nats on "
        "the batch, Gaussian reward and value, slow critic copied every 100 updates, three Adams. "
        "Rewards are learned through tanh (--world.reward.transform identity for the others).",
        {"agent": "v2", **_OLDER, **_V2_WORLD, **_V2_BEHAVIOR},
    ),
)
"""All agents by name."""
