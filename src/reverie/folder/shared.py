"""The folder of a shared agent: what `reverie push` writes and `reverie pull` brings.

    README.md          what a person reads
    config.json        the configuration, as in a run folder
    model.safetensors  all weights, without the optimiser
    results.json       scores and curves, seed by seed
    curve.svg  replay.mp4  dream.mp4      where the run has them
    manifest.json      size and digest of every other file

It has no replay and no metrics: nothing in it can be resumed.
"""

import os
from pathlib import Path

from reverie.folder import manifest

MODEL = "model.safetensors"
CONFIG, CARD, RESULTS = "config.json", "README.md", "results.json"
CURVE, REPLAY, DREAM = "curve.svg", "replay.mp4", "dream.mp4"

NAMES = (CARD, CONFIG, MODEL, RESULTS, CURVE, REPLAY, DREAM, manifest.NAME)
"""Every file that such a folder may hold; no other is ever fetched or read."""
NEEDED = (CONFIG, MODEL, manifest.NAME)
"""Those without which there is no agent."""


def is_shared(logdir: Path) -> bool:
    """Whether a folder holds a shared agent instead of a run."""
    return os.path.lexists(logdir / MODEL) and not os.path.lexists(logdir / "checkpoints")


def no_run(logdir: Path) -> str:
    """The sentence for whoever would go on with a shared agent."""
    return (
        f"{logdir} holds a shared agent ({MODEL}), no run that could be resumed: give another "
        f"--logdir, and --init {logdir} to start from its weights."
    )
