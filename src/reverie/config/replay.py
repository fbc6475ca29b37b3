"""Options of the replay: what is kept, what is drawn, and what a draw may depend on."""

from dataclasses import dataclass
from typing import Literal

from reverie.config.checks import Checker


@dataclass(frozen=True)
class ReplayConfig:
    """Station 2: what is kept and what is drawn."""

    capacity: int = 5_000_000
    """Most rows that are kept (the oldest go first). A run shorter than this keeps everything."""
    gigabytes: float = 0.0
    """Byte budget of the replay, 10^9 bytes. 0: three quarters of the memory free at start."""
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
        check.at_least(1, "capacity", "chunk")
        check.at_least(0, "gigabytes", "context")
