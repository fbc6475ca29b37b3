"""Options of `reverie export`."""

from dataclasses import dataclass
from typing import Literal

from tyro.conf import Positional, UseAppendAction

from reverie.part.checks import Checker


@dataclass(frozen=True)
class ExportOptions:
    """Write a trained policy as a file that runs without Reverie."""

    run: Positional[str]
    """Run folder."""
    to: Literal["stablehlo", "onnx"] = "stablehlo"
    """Format: stablehlo for jax.export (CPU, GPU, TPU), onnx for onnxruntime and its like."""
    out: str = ""
    """Folder to write into. Empty: `export` in the run folder."""
    world: bool = False
    """Write one step of the learned world too: state and action to the next state, what is seen
    there, its reward, and whether the episode goes on."""
    greedy: bool = False
    """The policy takes its most likely action instead of a sample."""
    checkpoint: str = "newest"
    """Whose weights: newest, best where the run keeps one, or the STEP of one."""
    allow: UseAppendAction[tuple[str, ...]] = ()
    """A package from which parts that the run names may be imported. May be given several times."""

    def __post_init__(self):
        Checker(self, "")
