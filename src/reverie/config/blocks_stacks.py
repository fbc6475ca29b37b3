"""The blocks of HarmonyDream's PyTorch tree that its users stack on a task's block. Data only.

Each is laid over the suite's own block: `--agent v2 --preset harmony_plainresnet`. They change the
networks and learning of `v2` (that tree has no other agent) and nothing under other agents.
"""

from typing import Any

from reverie.config.preset import Preset, table

DREAMERV3: dict[str, Any] = {
    "net.act": "silu",
    "net.norm": "layer",
    "net.maps": "whole",
    "world.encoder.stack": "same",
    "world.encoder.stack.widen": False,
    "world.objective.vector": "symlog",
    "world.dynamics.latent.unimix": 0.01,
    "world.dynamics.free_nats": 1.0,
    "world.dynamics.dyn": 0.5,  # 0.6 x balance 0.833
    "world.dynamics.rep": 0.1,
    "world.reward.transform": "identity",
    "world.reward.dist": "symlog_twohot",
    "world.reward.outscale": 0.0,
    "world.cont.predict": True,
    "behavior.critic.dist": "symlog_twohot",
    "behavior.critic.outscale": 0.0,
    "behavior.actor.unimix": 0.01,
    "behavior.actor.entropy": 3e-4,
    "behavior.gradient.climb": "advantage",
    "behavior.horizon": 1000 / 3,  # discount 0.997
    "behavior.scale": "range",
    "behavior.baseline": "slow",
    "behavior.slow_target": False,
    "behavior.slow_rate": 0.02,
    "behavior.slow_every": 1,
    "behavior.slow_reg": 1.0,
    "optim.form": "torch",
    "optim.world.lr": 1e-4,
    "optim.world.eps": 1e-8,
    "optim.world.clip": 1000.0,
    "optim.world.decay": 0.0,
    "optim.actor.lr": 3e-5,
    "optim.actor.decay": 0.0,
    "optim.critic.lr": 3e-5,
    "optim.critic.decay": 0.0,
    "train.batch": 16,
    "train.length": 64,
    "train.ratio": 204.8,  # an update every 5 steps
    "replay.capacity": 1_000_000,
    "replay.unit": "episode",
    "replay.draw": "episodes",
    "replay.draw.join": True,
    "replay.unit.ongoing": True,
    "replay.unit.minlen": 64,
}
"""Its DreamerV3: the losses and objectives of 2023 inside that DreamerV2, with V2's indexing of
rewards, zero initial states, soft continue labels and free nats on the batch."""


def widths(deter: int, hidden: int, depth: int, units: int, layers: int) -> dict[str, Any]:
    """A size of that tree; the layers for vector keys stay 4 x 400."""
    edits: dict[str, Any] = {"world.dynamics.deter": deter, "world.dynamics.hidden": hidden}
    edits |= {"world.encoder.depth": depth, "world.objective.depth": depth}
    for part in ("world.reward", "world.cont", "behavior.actor", "behavior.critic"):
        edits |= {f"{part}.units": units, f"{part}.layers": layers}
    return edits


LARGE = widths(2048, 768, 64, 768, 4)


def _stack(name: str, doc: str, edits: dict[str, Any]) -> Preset:
    return Preset(name, doc, agent="v2", by_agent={"v2": edits})


STACKS = table(
    _stack(
        "harmony_plaincnn",
        "Plain convolutions (the default of `v2`).",
        {"world.encoder.stack": "valid"},
    ),
    _stack(
        "harmony_plainresnet",
        "Residual image stacks; published with RLBench. Group norm stands where batch norm was, "
        "whose running statistics would be a state (--world.encoder.stack.norm).",
        {"world.encoder.stack": "resnet"},
    ),
    _stack(
        "harmony_dreamerv3",
        "The PyTorch tree's DreamerV3 over its DreamerV2; the JAX tree's, and the authors', is "
        "`--agent v3-2023`. Name a size as well: its task blocks keep DreamerV2's widths.",
        DREAMERV3,
    ),
    _stack("harmony_small", "Widths 512, heads of 2 x 512.", widths(512, 512, 32, 512, 2)),
    _stack("harmony_medium", "Widths 1024, heads of 3 x 640.", widths(1024, 640, 48, 640, 3)),
    _stack("harmony_large", "Widths 2048, heads of 4 x 768.", LARGE),
    _stack("harmony_xlarge", "Widths 4096, heads of 5 x 1024.", widths(4096, 1024, 96, 1024, 5)),
    Preset(
        "harmony_eval_hard",
        "Ten evaluation episodes, one after the other, for Minecraft. There each has a new world; "
        'here env.kwargs {"hard_reset": 1} makes a new one for every episode of training as well.',
        {"train.eval_episodes": 10, "train.eval_envs": 1},
    ),
    Preset(
        "harmony_dmcr_hopper",
        "DMC-Remastered's hopper: every factor varies but the camera.",
        {
            "env.remastered.factors": ("bg", "floor", "body", "target", "reflectance", "light"),
        },
    ),
)
