"""The explorer: an actor and a critic of its own that seek what the ensemble disagrees on.

It learns by the same losses as the task's actor and critic, from the same starts; only the reward
of its dreams is another one.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.behavior.ensemble import Ensemble, bonus_along, pairs
from reverie.behavior.imagine import Imagined, means_along
from reverie.behavior.loss import RewardOf
from reverie.behavior.returns import ReturnRange, RewardScale
from reverie.config.schema import Config
from reverie.module import Module
from reverie.nn.heads import Actor, NumberHead
from reverie.records import Specs
from reverie.world.model import Observed, WorldModel

sg = jax.lax.stop_gradient


class Explorer(Module):
    """The networks of exploration."""

    ensemble: Ensemble
    actor: Actor
    critic: NumberHead

    def __init__(self, tokens: int, actions: Specs, config: Config, *, key: PRNGKeyArray):
        """`tokens`: width of the encoded observation."""
        ensemble_key, actor_key, critic_key = jax.random.split(key, 3)
        deter, stoch = config.world.dynamics.deter, config.world.dynamics.flat
        target = {"stoch": stoch, "deter": deter, "feature": deter + stoch, "embed": tokens}
        width = sum(spec.width for spec in actions.values()) if config.explore.action else 0
        units = config.explore.units or max(1, config.world.dynamics.hidden // 2)
        self.ensemble = Ensemble(
            deter + stoch + width,
            target[config.explore.target],
            dataclasses.replace(config.explore, units=units),
            config.net,
            key=ensemble_key,
        )
        self.actor = Actor(deter + stoch, actions, config.behavior.actor, config.net, key=actor_key)
        self.critic = NumberHead(deter + stoch, config.behavior.critic, config.net, key=critic_key)


class Memory(Module):
    """What the explorer's learning remembers from one update to the next."""

    slow_critic: NumberHead
    returns: ReturnRange
    rewards: RewardScale | None  # None: imagined rewards are not divided

    @classmethod
    def initial(cls, explorer: Explorer, config: Config) -> "Memory":
        scaled = config.behavior.reward_momentum < 1
        rewards = RewardScale.initial() if scaled else None
        return cls(explorer.critic, ReturnRange.initial(), rewards)


def explorer_config(config: Config) -> Config:
    """The options of the explorer's actor and critic where they differ from the task's.

    Replayed rows hold no bonus, so there is no replay value loss; `corrected` divides returns by
    their range down to `explore.return_limit`, since a bonus is far smaller than a task's reward.
    It may have an entropy bonus of its own.
    """
    options = dataclasses.replace(config.behavior, replay_value=False)
    if config.explore.form == "corrected":
        options = dataclasses.replace(options, return_limit=config.explore.return_limit)
    if config.explore.entropy >= 0:
        actor = dataclasses.replace(options.actor, entropy=config.explore.entropy)
        options = dataclasses.replace(options, actor=actor)
    return dataclasses.replace(config, behavior=options)


def ensemble_loss(
    explorer: Explorer,
    world: WorldModel,
    observed: Observed,
    action: dict[str, Array],
    is_first: Array,
    config: Config,
) -> Float[Array, "b t"]:
    """Loss of the members at every row but the first; 0 across the border of two episodes.

    `published` keeps those pairs, as the original does. `action` led to each row.
    """
    embedded = sg(world.embed(action))
    latent, tokens = (jax.tree.map(sg, part) for part in (observed.latent, observed.tokens))
    found = pairs(latent, tokens, embedded, is_first, config.explore)
    loss = explorer.ensemble.loss(found.inputs, found.target)
    if config.explore.form == "corrected":
        loss = jnp.where(found.keep, loss, 0.0)
    return loss.reshape(is_first.shape[0], -1)


def curious_reward(explorer: Explorer, config: Config) -> RewardOf:
    """The reward of the explorer's dreams: the bonus, and the task's share where there is one."""
    options = config.explore

    def reward_of(world: WorldModel, dream: Imagined, *, through: bool) -> Float[Array, "k n"]:
        if through:
            assert dream.relaxed is not None
            bonus = bonus_along(explorer.ensemble, dream, dream.relaxed, options)
        else:
            fixed = dream._replace(feature=sg(dream.feature), last=sg(dream.last))
            bonus = sg(bonus_along(explorer.ensemble, fixed, world.embed(dream.action), options))
        reward = options.intrinsic * bonus
        if options.extrinsic:
            task = means_along(world.reward, dream, through=through)
            reward = reward + options.extrinsic * task
        return reward

    return reward_of
