"""One episode of a game in the agent's terms: action repeat, time limits, hidden keys."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from reverie.envs.base import EnvError
from reverie.envs.functional.game import Arrays, Game, Moment, State
from reverie.envs.options import EnvConfig
from reverie.part.errors import did_you_mean
from reverie.records import Specs


class Episode(NamedTuple):
    """A running episode: the game's state, a key for what is random in it, steps so far."""

    state: State
    key: Any
    steps: Any


class Row(NamedTuple):
    """What the agent sees of a step; scalars but for the observation."""

    obs: Arrays
    reward: Any
    terminal: Any
    last: Any


def bad_observation(index: int, key: str) -> EnvError:
    """What is said of an observation that is not finite."""
    return EnvError(f"Environment {index}: observation {key!r} holds NaN or infinity.")


def bad_reward(index: int, reward: Any) -> EnvError:
    """What is said of a reward that is not finite."""
    return EnvError(f"Environment {index}: the reward is {reward}.")


def shown(game: Game, config: EnvConfig) -> Specs:
    """Observations that `config.exclude` leaves.

    Raises EnvError if it names a key that does not exist, or leaves nothing.
    """
    unknown = sorted(set(config.exclude) - set(game.obs_specs))
    left = {key: spec for key, spec in game.obs_specs.items() if key not in config.exclude}
    if unknown or not left:
        near = did_you_mean(unknown[0], game.obs_specs) if unknown else ""
        raise EnvError(
            f"env.exclude is {', '.join(config.exclude)}; the environment shows "
            f"{', '.join(game.obs_specs)}, of which something must be left.{near}"
        )
    return left


def begin(game: Game, seed: Any) -> tuple[Episode, Row]:
    """The first row of the episode of `seed`, a scalar integer."""
    first, rest = jax.random.split(jax.random.PRNGKey(seed))
    state, obs = game.reset(first)
    none = jnp.zeros((), bool)
    return Episode(state, rest, jnp.zeros((), jnp.int32)), Row(obs, jnp.float32(0), none, none)


def advance(game: Game, config: EnvConfig, episode: Episode, action: Arrays) -> tuple[Episode, Row]:
    """One action of the agent: `config.repeat` steps of the game, fewer where it ends."""
    keys = jax.random.split(episode.key, 1 + config.repeat)
    moment = game.step(keys[1], episode.state, action)

    def again(before: Moment, key):
        after = game.step(key, before.state, action)
        after = after._replace(reward=before.reward + after.reward)
        over = before.terminated | before.truncated
        return jax.tree.map(lambda old, new: jnp.where(over, old, new), before, after), None

    if config.repeat > 1:
        moment, _ = jax.lax.scan(again, moment, keys[2:])
    steps = episode.steps + 1
    cut = moment.truncated
    if game.limit:
        cut |= steps * config.repeat >= game.limit
    if config.limit:
        cut |= steps >= config.limit
    terminal = moment.terminated | (cut if config.limit_is_terminal else False)
    row = Row(moment.obs, moment.reward, terminal, moment.terminated | cut)
    return Episode(moment.state, keys[0], steps), row
