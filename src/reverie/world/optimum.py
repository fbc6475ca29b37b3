"""The sigma at which a balanced loss stands still, in closed form. NumPy only."""

import numpy as np


def harmony_sigma(loss: np.ndarray | float, penalty: float = 1.0) -> np.ndarray:
    """Minimiser over σ > 0 of L/σ + c·log(1 + σ).

        σ* = (L + √(L² + 4 c L)) / (2 c)

    Unique, and L/σ* < c: 0 at L = 0, about √(L/c) for small and L/c + 1 for large losses.

    Args:
        loss: mean loss L ≥ 0, any shape.
        penalty: weight c > 0 of the logarithm, 1 but for the dynamics of the form "jax".

    Raises ValueError for a negative loss, which has no minimum, or a penalty of 0 or less.
    Source: HarmonyDream (arXiv:2310.00344); the root follows from setting the derivative to 0.
    """
    loss = np.asarray(loss, np.float64)
    if penalty <= 0:
        raise ValueError(f"penalty must be greater than 0, got {penalty}.")
    if (loss < 0).any():
        raise ValueError(f"loss must be at least 0, got {loss.min():g}: there is no minimum.")
    return np.asarray((loss + np.sqrt(loss**2 + 4 * penalty * loss)) / (2 * penalty))


def unrectified_sigma(loss: np.ndarray | float) -> np.ndarray:
    """Minimiser over σ > 0 of L/σ + log σ, which is L itself.

    Raises ValueError for a negative loss, which has no minimum.
    """
    loss = np.asarray(loss, np.float64)
    if (loss < 0).any():
        raise ValueError(f"loss must be at least 0, got {loss.min():g}: there is no minimum.")
    return loss
