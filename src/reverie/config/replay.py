"""Options of the replay: what is kept, what is drawn, and what a draw may depend on."""

from dataclasses import dataclass
from typing import Literal

from reverie.config.checks import Checker
from reverie.config.retention import check_retention

KeepRule = Literal["fifo", "reservoir", "random_replace", "coverage", "top_return", "top_surprise"]


@dataclass(frozen=True)
class ReplayConfig:
    """Station 2: what is kept and what is drawn."""

    capacity: int = 5_000_000
    """Most rows that are kept. A run shorter than this keeps everything."""
    gigabytes: float = 0.0
    """Byte budget of the replay, 10^9 bytes. 0: three quarters of the memory free at start."""
    keep: Literal[
        "fifo", "reservoir", "random_replace", "coverage", "top_return", "top_surprise", "split"
    ] = "fifo"
    """What stays when memory is full. fifo: the newest. reservoir: every unit of the run with
    equal probability. random_replace: the newcomer, in place of a random unit (published as a
    reservoir by Continual-Dreamer). coverage: what looks unlike the rest. top_return,
    top_surprise: the units with the largest return, or mean score. split: two stores, fifo and
    split_keep."""
    unit: Literal["row", "episode", "chunk", "splice"] = "row"
    """What goes as a whole. row: the oldest row; windows may cross episodes. episode: an episode.
    chunk: at most unit_rows rows of one episode. splice: unit_rows rows whatever episodes they
    belong to. Windows never leave an episode, chunk or splice."""
    unit_rows: int = 512
    """Rows of a chunk or splice."""
    page: int = 64
    """Rows of memory that an episode or chunk takes at a time; on average half a page a unit stays
    empty. A splice takes its unit_rows at once."""
    ongoing: bool = False
    """Draw from units that are still growing."""
    minlen: int = 0
    """Episodes (or the rest of one, as a chunk) with fewer agent steps than this are not kept."""
    split_share: float = 0.5
    """split: share of the memory for the fifo store; the rest is for split_keep."""
    split_keep: Literal["reservoir", "random_replace", "coverage", "top_return", "top_surprise"] = (
        "reservoir"
    )
    """split: what the other store keeps."""
    coverage_distance: Literal["euclid", "cosine"] = "euclid"
    """coverage: distance between the random features of two units."""
    draw: Literal["uniform"] = "uniform"
    """How training windows are drawn."""
    online: bool = True
    """Train first on windows that no update has seen (each row once), then on drawn ones."""
    context: int = 1
    """Rows before the trained ones whose stored latent starts the sequence."""
    chunk: int = 1024
    """Rows a file on disk."""

    def __post_init__(self):
        check = Checker(self, "replay.")
        check.at_least(1, "capacity", "chunk", "unit_rows", "page")
        check.at_least(0, "gigabytes", "context", "minlen")
        check.share("split_share", zero=False, one=False)
        check_retention(self)

    @property
    def pieces(self) -> bool:
        """Whether sequences are laid out of pieces, so that units may be shorter than they."""
        return False
