"""The columns of the rows that an agent stores."""

from reverie.config.schema import Config
from reverie.records import Specs
from reverie.replay.rows import LATENTS, Columns, row_specs


def columns_of(obs: Specs, action: Specs, config: Config) -> Columns:
    """Columns of the rows of the agent that `config` describes.

    Without replayed context every sequence starts from a clean state, and no latent is stored.
    """
    rssm = config.world.dynamics
    classes = rssm.classes if rssm.latent == "categorical" else 0
    columns = row_specs(obs, action, deter=rssm.deter, stoch=rssm.stoch, classes=classes)
    kept = (name for name in columns if config.replay.context or name not in LATENTS)
    return {name: columns[name] for name in kept}
