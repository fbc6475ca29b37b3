"""The columns of the rows that an agent stores."""

from reverie.config.schema import Config
from reverie.records import Specs
from reverie.replay.rows import Columns, row_specs


def columns_of(obs: Specs, action: Specs, config: Config) -> Columns:
    """Columns of the rows of the agent that `config` describes.

    Without replayed context every sequence starts from a clean state, and no state is stored.
    """
    stored = config.world.dynamics.columns() if config.replay.context else {}
    return row_specs(obs, action, stored)
