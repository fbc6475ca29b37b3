"""How many starts of dreams a preset gets, where others have a say."""

from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.part.needs import DREAMS
from reverie.part.tree import claims

STARTS = "behavior.starts"


def with_starts(config: Config, starts: int) -> Config:
    """`config` with as many starts per sequence as a preset wants; 0: as it is.

    They give way, since nobody asked for them: to sequences that have no more rows, and to parts
    that need a dream from every one.
    """
    whole = any(DREAMS in claim.needs for claim in claims(config))
    if whole or not 0 < starts < config.train.length:
        return config
    return apply(config, {STARTS: starts})
