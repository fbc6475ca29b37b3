"""The sigmas of loss balancing among the parameters: their place and their learning rate."""

import jax
import optax

from reverie.module import name_of


def is_sigma(path: tuple) -> bool:
    """Whether the leaf at this key path belongs to the sigmas of loss balancing."""
    return "sigmas" in name_of(path).split(".")


def scale_sigmas(factor: float) -> optax.GradientTransformation:
    """Steps of the sigmas times `factor`: their own learning rate by the one of the rest."""

    def scale(path, update):
        return factor * update if is_sigma(path) else update

    return optax.stateless(lambda steps, _: jax.tree_util.tree_map_with_path(scale, steps))
