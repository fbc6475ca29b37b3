"""What a part needs of the others, and the one check that every need is met."""

from collections.abc import Iterable
from typing import NamedTuple

from reverie.part.errors import ConfigError


class Need(NamedTuple):
    """Something that one part offers and another needs."""

    name: str
    """What it is, for the sentence: "scores of steps"."""
    remedy: str
    """What a user can choose to have it, in the words of the command line."""


class Claim(NamedTuple):
    """A part of a configuration with what it needs and offers."""

    path: str
    """Dotted path of its slot."""
    choice: str
    """Name under which it was chosen."""
    needs: frozenset[Need]
    offers: frozenset[Need]


SCORES = Need("scores of steps", "--replay.signal kl")
RETURNS = Need("the returns of episodes", "--replay.signal return")
UNITS = Need("units that come and go as a whole", "--replay.unit episode")
STORES = Need("two stores", "--replay.keep split")
ENSEMBLE = Need("an ensemble of predictions", "--explore plan2explore")
LATENTS = Need("stored latents", "--replay.context 1")
UNSCALED = Need("advantages that are not divided", "--behavior.scale none")
DREAMS = Need("a dream from every trained row", "--behavior.starts 0")


def check_needs(claims: Iterable[Claim]) -> None:
    """Raises ConfigError for the first need that no part offers: who needs what, and the remedy."""
    claims = list(claims)
    offered = frozenset[Need]().union(*(claim.offers for claim in claims))
    for claim in claims:
        for need in sorted(claim.needs - offered):
            raise ConfigError(
                f"{claim.path} {claim.choice!r} needs {need.name}, which nothing chosen here "
                f"offers: add {need.remedy}, or choose another {claim.path}."
            )
