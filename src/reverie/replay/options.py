"""Options of the replay: what is kept, what is drawn, and what a draw may depend on."""

from dataclasses import dataclass, field
from typing import Literal

from reverie.part.checks import Checker
from reverie.part.errors import ConfigError
from reverie.part.needs import LATENTS, RETURNS, SCORES, STORES, UNITS, Need, check_needs
from reverie.part.part import name_of
from reverie.part.tree import claims
from reverie.replay.draw import AbstractDraw, Importance, Uniform
from reverie.replay.mixture import Stores
from reverie.replay.retention import AbstractRetention, Fifo
from reverie.replay.signal import AbstractSignal, NoSignal
from reverie.replay.unit import AbstractUnit, Row

INSIDE = frozenset({SCORES, RETURNS, UNITS, STORES})
"""What parts of the replay need of each other."""


@dataclass(frozen=True)
class ReplayConfig:
    """Station 2: what is kept and what is drawn."""

    capacity: int = 5_000_000
    """Most rows that are kept. A run shorter than this keeps everything."""
    gigabytes: float = 0.0
    """Byte budget of the replay, 10^9 bytes. 0: three quarters of the memory free at start."""
    unit: AbstractUnit = field(default_factory=Row)
    """What goes as a whole when memory is full. row: the oldest row; windows may cross episodes.
    episode: an episode. chunk: at most so many rows of one episode. splice: so many rows whatever
    episodes they belong to. Windows never leave an episode, chunk or splice."""
    keep: AbstractRetention = field(default_factory=Fifo)
    """What stays when memory is full. fifo: the newest. reservoir: every unit of the run with
    equal probability. random_replace: the newcomer, in place of a random unit (published as a
    reservoir by Continual-Dreamer). coverage: what looks unlike the rest. top_return,
    top_surprise: the units with the largest return, or mean score. split: two stores, fifo and
    another."""
    draw: AbstractDraw = field(default_factory=Uniform)
    """How training windows are drawn: uniform; recency: age^-exponent; triangular: linearly more
    for newer ones; time_balanced: evens out how often each is drawn in its life; proportional,
    rank, softmax: by their score (replay.signal); mixture: two draws with a share each; stores:
    from both stores of a split memory; episodes: a unit first, and then rows inside it."""
    signal: AbstractSignal = field(default_factory=NoSignal)
    """Score of a step: none; kl: surprise of the latent in nats, before the free nats;
    kl_clipped: after them (dyn + rep is twice that); model_loss: weighted world-model losses;
    td: magnitude of the critic's error; visits: how rarely it was trained on; return: of its
    episode; disagreement: of an ensemble; curious: visits and model_loss; xp: return, value error
    and reconstruction."""
    importance: Importance = field(default_factory=Importance)
    """Weights that undo the emphasis of a draw in expectation."""
    fresh: float = 0.0
    """Largest share of a batch that goes to windows with rows never drawn before. 0: none."""
    online: bool = True
    """Train first on windows that no update has seen (each row once), then on drawn ones."""
    kernels: Literal["auto", "numpy", "numba"] = "auto"
    """Loops over priorities; both give the same bits. auto: numba if installed (extra fast)."""
    shares: int = 1
    """Equal parts, each with its share of the environments and of every batch; processes that learn
    together keep one each, or several. 1: as many as there are processes."""
    context: int = 1
    """Rows before the trained ones whose stored latent starts the sequence."""
    chunk: int = 1024
    """Rows a file on disk."""

    def __post_init__(self):
        check = Checker(self, "replay.")
        check.at_least(1, "capacity", "chunk", "shares")
        check.at_least(0, "gigabytes", "context")
        check.share("fresh")
        found = [claim._replace(path=f"replay.{claim.path}") for claim in claims(self)]
        check_needs(claim._replace(needs=claim.needs & INSIDE) for claim in found)
        if self.draw.wrong:
            raise ConfigError(self.draw.wrong)
        self._check_offers(frozenset().union(*(claim.needs for claim in found)))
        self._check_values()

    def _check_offers(self, needs: frozenset[Need]) -> None:
        """Raises ConfigError for scores or stores that nothing reads."""
        if self.signal.offers() & INSIDE - needs:
            signal, draw = name_of(AbstractSignal, self.signal), name_of(AbstractDraw, self.draw)
            reader = "proportional"
            if RETURNS in self.signal.offers():
                reader = "episodes with --replay.draw.law returns"
            raise ConfigError(
                f"replay.signal {signal!r} is computed and nothing reads it (replay.draw is "
                f"{draw!r}): set --replay.draw {reader}, or --replay.signal none."
            )
        if STORES in self.keep.offers() and not isinstance(self.draw, Stores):
            raise ConfigError(
                "replay.keep 'split' keeps two stores, and replay.draw does not say how many "
                "windows come from each: set --replay.draw stores (the law in each: "
                "--replay.draw.inner uniform, the share of the fifo store: "
                "--replay.draw.share 0.5)."
            )

    def _check_values(self) -> None:
        if self.draw.pieces and self.fresh:
            raise ConfigError(
                "replay.fresh draws whole windows, and replay.draw.join lays sequences of pieces: "
                "leave one of them out."
            )
        if self.importance.active and not self.draw.weighable:
            raise ConfigError(
                "replay.importance needs the probability of every window, which replay.draw does "
                "not know here: use uniform, proportional, softmax or a mixture of these, or set "
                "replay.importance.begin and end to 0."
            )
        if LATENTS in self.signal.needs() and not self.context:
            raise ConfigError(
                "replay.signal.sweep_every starts from stored latents: set replay.context to 1 or "
                "more."
            )
