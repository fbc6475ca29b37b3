"""Presets of methods, each laid over any agent and benchmark. Data only."""

from reverie.config.balances import BALANCES
from reverie.config.preset import Preset, table

METHODS = table(
    Preset(
        "patch",
        "Cheap image stack: 4x4 patches instead of pooled 5x5 convolutions.",
        {"world.encoder.stack": "patch"},
    ),
    BALANCES["harmony"],
    Preset(
        "plan2explore",
        "Plan2Explore: a second actor and critic that seek what an ensemble cannot agree on.",
        {"explore": "plan2explore"},
    ),
    Preset(
        "plan2explore_published",
        "Plan2Explore as the DreamerV2 code computes it: ten heads of 4x400, the bonus their "
        "deviation, blind to the action that matters.",
        {
            "explore": "plan2explore",
            "explore.form": "published",
            "explore.layers": 4,
            "explore.units": 400,
        },
    ),
)
