"""What Continual-Dreamer's two scripts set (skezle/continual-dreamer at 77f05bc). Data only.

One task at a time (its single-task baselines), and the base of its sequences: `reverie continual
NAME` lays the sequence's own protocol over them. Steps are agent steps of one task.
"""

from typing import Any

from reverie.config import blocks_v2, sequence
from reverie.config.blocks_v2 import LEARNING
from reverie.config.preset import Preset, table

SCRIPTS: dict[str, Any] = {**blocks_v2.PROTOCOL, "env.repeat": 1, **sequence.PROTOCOL}

CONTINUAL = table(
    Preset(
        "continual_minigrid",
        "Continual-Dreamer's DreamerV2 on MiniGrid: episodes cut after 100 steps, 16 x 50 rows "
        "every 10 steps, 0.75M steps a task, replay of 2M.",
        {**SCRIPTS, "train.eval_every": 10_000, "steps": 750_000},
        suite="minigrid",
        size="w1024",
        agent="v2",
        by_agent={"v2": {**LEARNING, "behavior.actor.entropy": 3e-3}},
        pictures=True,
    ),
    Preset(
        "continual_minihack",
        "Continual-Dreamer's DreamerV2 on MiniHack: LayerNorm, episodes cut after 100 steps, 16 x "
        "50 rows every 10 steps, 1M steps a task, replay of 1M (of 2M for its 8 tasks).",
        {
            **SCRIPTS,
            "train.eval_every": 50_000,
            "replay.capacity": 1_000_000,
            "steps": 1_000_000,
        },
        suite="minihack",
        size="w1024",
        agent="v2",
        by_agent={
            "v2": {
                **LEARNING,
                "net.norm": "layer",
                "behavior.actor.entropy": 2e-3,
                "optim.actor.lr": 1e-4,
                "optim.critic.lr": 1e-4,
            }
        },
        pictures=True,
    ),
)
