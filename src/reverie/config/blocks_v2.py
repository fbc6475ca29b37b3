"""The blocks of official DreamerV2 (danijar/dreamerv2 at 07d906e). Data only.

Each has two halves: the protocol (environment, budget, rows an update, evaluation), which any agent
may run under, and the numbers of learning, which are laid over it under `--agent v2` only. Both
hold the authors' defaults with the block's own values over them, so that a block is whole; what
every block has alike in networks and optimisers stands in the agent preset `v2`.
Steps are agent steps, as there.
"""

from typing import Any

from reverie.config.preset import Preset, table

PROTOCOL: dict[str, Any] = {
    "env.num": 1,
    "env.size": 64,
    "train.batch": 16,
    "train.length": 50,
    "train.ratio": 160,  # an update of 16 x 50 rows every 5 steps
    "train.prefill": 10_000,
    "train.pretrain": 1,
    "train.log_every": 10_000,
    "train.eval_every": 100_000,
    "train.eval_episodes": 1,
    "replay.capacity": 2_000_000,
    "steps": 100_000_000,
}
"""How a run of the defaults goes."""

WINDOWS: dict[str, Any] = {
    "replay.context": 0,
    "replay.online": False,
    "replay.unit": "episode",
    "replay.draw": "episodes",
    "replay.draw.join": True,
    "replay.unit.minlen": 50,
    "replay.draw.ends": 50,
}
"""Windows inside episodes, all episodes alike, their ends more often; each starts from a clean
state. Episodes under 50 steps are dropped."""

LEARNING: dict[str, Any] = {
    **WINDOWS,
    "world.dynamics.free_nats": 0.0,
    "net.norm": "none",
    "world.reward.transform": "tanh",
    "world.cont.predict": True,
    "world.dynamics.dyn": 0.8,  # balance 0.8
    "world.dynamics.rep": 0.2,
    "world.cont.weight": 1.0,
    "behavior.horizon": 100,
    "behavior.imagine": 15,
    "behavior.lam": 0.95,
    "behavior.actor.entropy": 2e-3,
    "optim.world.lr": 1e-4,
    "optim.actor.lr": 8e-5,
    "optim.critic.lr": 2e-4,
}
"""The defaults' numbers of learning."""

DMC: dict[str, Any] = {
    **PROTOCOL,
    "env.repeat": 2,
    "train.prefill": 1_000,
    "train.pretrain": 100,
    "train.eval_every": 10_000,
}
"""Protocol of both DM Control blocks."""

DMC_LEARNING: dict[str, Any] = {
    **LEARNING,
    "replay.draw.ends": 0,
    "world.dynamics.free_nats": 1.0,
    "world.reward.transform": "identity",
    "world.cont.predict": False,
    "behavior.actor.entropy": 1e-4,
    "optim.world.lr": 3e-4,
    "optim.critic.lr": 8e-5,
}
"""Numbers of learning of both DM Control blocks."""

V2 = table(
    Preset(
        "v2_defaults",
        "DreamerV2's defaults, as its package trains any environment: an update of 16 x 50 rows "
        "every 5 steps, 100M steps (name fewer with --steps). As there, episodes of fewer than 50 "
        "steps are dropped (--replay.unit.minlen 1 keeps them).",
        PROTOCOL,
        suite="gym",
        size="w1024",
        agent="v2",
        by_agent={"v2": LEARNING},
    ),
    Preset(
        "v2_atari",
        "DreamerV2 on Atari, 200M frames: 64x64 gray, sticky actions 0.25, needed actions, an "
        "update every 16 steps (the code's block; the paper's text names all 18 actions).",
        {
            **PROTOCOL,
            "env.repeat": 4,
            "env.noops": 30,
            "env.lives": "unused",
            "env.limit": 27_000,
            "env.gray": True,
            "env.resize": "area",
            "env.sticky": 0.25,
            "env.actions": "needed",
            "train.ratio": 50,
            "train.prefill": 50_000,
            "train.eval_every": 250_000,
            "steps": 50_000_000,
        },
        suite="atari",
        size="w600",
        agent="v2",
        by_agent={
            "v2": {
                **LEARNING,
                "world.dynamics.dyn": 0.08,  # a tenth of the KL
                "world.dynamics.rep": 0.02,
                "world.cont.weight": 5.0,
                "behavior.horizon": 1000,
                "behavior.actor.entropy": 1e-3,
                "optim.world.lr": 2e-4,
                "optim.actor.lr": 4e-5,
                "optim.critic.lr": 1e-4,
            }
        },
        pictures=True,
    ),
    Preset(
        "v2_crafter",
        "DreamerV2 on Crafter, 64x64 pictures; as there it goes on for 100M steps, where the "
        "benchmark ends at 1M (--steps 1e6).",
        PROTOCOL,
        suite="crafter",
        size="w1024",
        agent="v2",
        by_agent={
            "v2": {
                **LEARNING,
                "net.norm": "layer",
                "behavior.horizon": 1000,
                "behavior.actor.entropy": 3e-3,
                "optim.actor.lr": 1e-4,
                "optim.critic.lr": 1e-4,
            }
        },
        pictures=True,
    ),
    Preset(
        "v2_dmc_vision",
        "DreamerV2 on DM Control from 64x64 pictures; as there it goes on for 100M steps, where "
        "the published curves end at 1M (2M frames).",
        {**DMC, "env.observe": "vision"},
        suite="dmc",
        size="w200",
        agent="v2",
        by_agent={"v2": DMC_LEARNING},
        pictures=True,
    ),
    Preset(
        "v2_dmc_proprio",
        "DreamerV2 on DM Control from joint states; as there it goes on for 100M steps.",
        {**DMC, "env.observe": "proprio"},
        suite="dmc",
        size="w200",
        agent="v2",
        by_agent={"v2": DMC_LEARNING},
        pictures=False,
    ),
    Preset(
        "v2_debug",
        "DreamerV2's debug block over the task's own: short episodes, small batches, everything "
        "often. The networks keep their size, and the update stays compiled.",
        {
            "env.limit": 100,
            "train.batch": 10,
            "train.length": 10,
            "train.ratio": 20,
            "train.prefill": 100,
            "train.pretrain": 1,
            "train.log_every": 300,
            "train.eval_every": 300,
        },
        agent="v2",
        by_agent={"v2": {**WINDOWS, "replay.unit.minlen": 10}},
    ),
)
