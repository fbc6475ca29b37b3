"""Look at the first rows of a sequence, dream the rest with its true actions."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from reverie.nn.axes import fold, unfold
from reverie.world.dynamics import State
from reverie.world.model import WorldModel
from reverie.world.objective import AbstractObjective


class OpenLoop(NamedTuple):
    """States of an open-loop prediction: T₀ observed rows, then T − T₀ dreamed ones."""

    state: State  # (B, T, …)
    prior: Any  # statistics of the dreamed rows, begin with (B, T − T₀)


def open_loop(
    world: WorldModel,
    start: State | None,
    obs: dict[str, Array],
    action: dict[str, Array],
    is_first: Bool[Array, "b t"],
    *,
    noise: Float[Array, "b t z"],
    observed: int,
) -> OpenLoop:
    """Posterior over the first `observed` rows, prior with the true actions over the others.

    `action` is the one that led to each row. Episodes that begin in the dreamed part are not
    reset: the model cannot know. Source: the official DreamerV3 code's open-loop report.
    """

    def early(x):
        return x[:, :observed]

    seen = jax.tree.map(early, (obs, action))
    first = world.observe(start, seen[0], seen[1], early(is_first), early(noise))
    carry = world.dynamics.carry(jax.tree.map(lambda x: x[:, -1], first.state))
    inputs = world.embed(action)[:, observed:], noise[:, observed:]
    dynamics = world.dynamics.prepared()

    def step(carry, inputs):
        carry, stats = dynamics.imagine(carry, *inputs)
        return carry, (dynamics.state(carry), stats)

    swapped = jax.tree.map(lambda x: x.swapaxes(0, 1), inputs)
    _, outputs = jax.lax.scan(step, carry, swapped)
    dreamed, stats = jax.tree.map(lambda x: x.swapaxes(0, 1), outputs)
    both = jax.tree.map(lambda a, b: jnp.concatenate([a, b], 1), first.state, dreamed)
    return OpenLoop(both, stats)


def decode_means(
    world: WorldModel, objective: AbstractObjective, state: State
) -> dict[str, Array] | None:
    """How states (B, T, …) look, by observation key, numbers in the environment's own units; None
    where the objective cannot tell."""
    shown = looks(world, objective, fold(state))
    lead = world.dynamics.view(state).deter.shape[:2]
    return None if shown is None else unfold(shown, lead)


def looks(world: WorldModel, objective: AbstractObjective, state: State) -> dict[str, Array] | None:
    """As `decode_means`, for states (N, …)."""
    shown = objective.observations(world.objective, world.dynamics.view(state))
    standard = world.encoder.standard
    return shown if shown is None or standard is None else standard.restore(shown)


def nearest(
    world: WorldModel, state: State, known: State, obs: dict[str, Array]
) -> dict[str, Array]:
    """For states (B, T, …) the observations of the nearest `known` ones (B, T, …), by features.

    `obs`: what was observed in the known states. Classes are left out, as a decoder leaves them.
    """
    x, y = world.feature(state), world.feature(known)
    a, b = (z.astype(jnp.float32) for z in fold((x, y)))
    index = closest(b, a)
    shown = [key for key, spec in world.specs if spec.kind != "discrete"]
    flat = fold({key: obs[key] for key in shown})
    return unfold({key: value[index] for key, value in flat.items()}, x.shape[:2])


def closest(known: Any, x: Any) -> Any:
    """Which of the known features (K, F) is nearest to each of (N, F), of numpy or JAX."""
    return ((known * known).sum(-1)[None] - 2.0 * x @ known.T).argmin(-1)
