"""The golden arrays of DreamerV2 and of the torch form of V3: `golden/dreamerv2` in our terms."""

import functools
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from golden_v3 import close as close
from golden_v3 import pull as pull
from golden_v3 import replay_samples as replay_samples

FOLDER = Path(__file__).parent / "golden" / "dreamerv2"


@functools.cache
def load(name: str) -> dict[str, np.ndarray]:
    """All arrays of a file, by name."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


def group(file: str, prefix: str) -> dict[str, np.ndarray]:
    """The arrays of one group of a file, names without the group's."""
    start = f"{prefix}/"
    return {
        k.removeprefix(start): jnp.asarray(v) for k, v in load(file).items() if k.startswith(start)
    }
