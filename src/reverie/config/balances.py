"""Named ways to balance the world model's losses: what `--balance NAME` writes. Data only."""

from reverie.config.preset import Preset, table

BALANCES = table(
    Preset(
        "fixed",
        "The fixed weights of `loss`, as without this flag.",
        {"world.balance": "fixed"},
    ),
    Preset(
        "harmony",
        "HarmonyDream: reward, observation and dynamics share the gradient by three learned "
        "scalars. Every loss keeps its own weight; also `--harmony`.",
        {"world.balance": "harmony"},
    ),
    Preset(
        "harmony_torch",
        "HarmonyDream as its PyTorch code computes it: no weights but the ratio of the KL pair.",
        {"world.balance": "harmony", "world.balance.form": "torch"},
    ),
    Preset(
        "harmony_jax",
        "HarmonyDream as its JAX code computes it: as harmony_torch, and the logarithm of the "
        "dynamics counts by the share of world.dynamics.dyn.",
        {"world.balance": "harmony", "world.balance.form": "jax"},
    ),
    Preset(
        "harmony_keys",
        "HarmonyDream with a scalar of its own for every observation key.",
        {"world.balance": "harmony", "world.balance.per_key": True},
    ),
    Preset(
        "unrectified",
        "Ablation: L/sigma + log sigma, whose coefficient 1/L has no bound.",
        {"world.balance": "unrectified"},
    ),
    Preset(
        "reciprocal",
        "Ablation: every loss divided by its current value.",
        {"world.balance": "reciprocal"},
    ),
    Preset(
        "dwa",
        "Dynamic weight averaging: a loss counts the more, the more slowly it falls.",
        {"world.balance": "dwa"},
    ),
    Preset(
        "reward_x100",
        "Fixed weights with the reward loss times 100.",
        {"world.balance": "fixed", "world.reward.weight": 100.0},
    ),
    Preset(
        "reward_only",
        "A world model of the reward: no observation is reconstructed (weight 0).",
        {"world.balance": "fixed", "world.objective.weight": 0.0},
    ),
    Preset(
        "observation_only",
        "A world model of the observation: reward head and critic learn from it, nothing behind "
        "them learns from rewards.",
        {
            "world.balance": "fixed",
            "world.reward.grad": False,
            "behavior.replay_grad": False,
        },
    ),
)
"""One at a time. Weights of any other value are options of their owners, such as
`--world.reward.weight`, `--world.objective.weight`, `--world.dynamics.dyn`."""
