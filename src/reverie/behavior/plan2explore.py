"""Plan2Explore: what an ensemble of one-step predictors cannot agree on is worth a visit.

Source: Plan2Explore (arXiv:2005.05960), section 3; the `published` form is that of the official
DreamerV2 code (spec/continual-dreamer.md §2).
"""

import dataclasses
from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.behavior.ensemble import Ensemble, Members
from reverie.behavior.explorer import AbstractExplorer
from reverie.behavior.imagine import Imagined, means_along
from reverie.behavior.options import BehaviorConfig
from reverie.behavior.scale import RangeScale
from reverie.nn.options import NetConfig
from reverie.part.checks import Checker
from reverie.part.needs import ENSEMBLE, Need
from reverie.records import Latent
from reverie.world.dynamics import Observed, feature
from reverie.world.model import WorldModel
from reverie.world.term import Shapes

sg = jax.lax.stop_gradient

CACHED = 2**17 + 2**15
"""Numbers that the members may say at a time on a CPU: 640 KiB in float32."""


@dataclass(frozen=True)
class Plan2Explore(AbstractExplorer):
    """A second actor and critic that seek what an ensemble cannot agree on (arXiv:2005.05960)."""

    form: Literal["corrected", "published"] = "corrected"
    """`corrected`: heads predict from a state and the action chosen in it, the bonus is their
    variance. `published` (the DreamerV2 code): from a state and the action that led to it, so that
    the action that matters is not seen, and the bonus is their standard deviation."""
    heads: int = 10
    """Ensemble members, which differ in their first weights only."""
    layers: int = 1
    """Hidden layers of a member."""
    units: int = 0
    """Width of those layers. 0: half of world.dynamics.hidden."""
    target: Literal["stoch", "deter", "feature", "embed"] = "stoch"
    """What of the next step they predict: the sampled latent, the deterministic state, both, or
    the encoded observation."""
    action: bool = True
    """Members see the action."""
    log: bool = False
    """The bonus is the logarithm of the disagreement."""
    intrinsic: float = 1.0
    """Factor of the bonus in the explorer's reward."""
    extrinsic: float = 0.0
    """Factor of the predicted task reward in the explorer's reward."""
    collect: Literal["explore", "task"] = "explore"
    """Which actor gathers experience while exploration lasts."""
    evaluate: Literal["task", "explore"] = "task"
    """Which actor is evaluated."""
    until: int = 0
    """Environment step at which exploration ends and the task's actor gathers. 0: never."""
    every: int = 0
    """The explorer chooses one action in so many steps, the task's actor the others. 0: all."""
    task: bool = True
    """Off: the task's reward is hidden; reward head, task actor and critic do not learn (they can
    later: the same run folder goes on with it)."""
    weight: float = 1.0
    """Weight of the ensemble's loss."""
    return_limit: float = 1e-3
    """Smallest divisor of the explorer's advantage (`corrected`, with behavior.scale range)."""
    entropy: float = -1.0
    """The explorer's own `behavior.actor.entropy`: with little it may stay where a small ensemble
    never agrees. Negative: that of the task's actor."""

    def __post_init__(self):
        check = Checker(self, "explore.")
        check.at_least(2, "heads")
        check.at_least(1, "layers")
        check.at_least(0, "units", "intrinsic", "extrinsic", "until", "every")
        check.above(0, "weight", "return_limit")
        rule = "0 while explore.task is False: there is no task reward to add"
        check.require(self.task or not self.extrinsic, "extrinsic", rule)

    def offers(self) -> frozenset[Need]:
        return frozenset({ENSEMBLE})

    @property
    def evaluated(self) -> bool:
        return self.evaluate == "explore"

    @property
    def task_hidden(self) -> bool:
        return not self.task

    @property
    def loss_weight(self) -> float:
        return self.weight

    def acts(self, step: int, turn: int) -> bool:
        if self.collect != "explore" or (self.until and step >= self.until):
            return False
        return not self.every or turn % self.every == 0

    def tuned(self, behavior: BehaviorConfig) -> BehaviorConfig:
        """`corrected` divides returns by their range down to `return_limit`, since a bonus is far
        smaller than a task's reward. There may be an entropy bonus of its own."""
        if self.form == "corrected" and isinstance(behavior.scale, RangeScale):
            scale = dataclasses.replace(behavior.scale, limit=self.return_limit)
            behavior = dataclasses.replace(behavior, scale=scale)
        if self.entropy < 0:
            return behavior
        actor = dataclasses.replace(behavior.actor, entropy=self.entropy)
        return dataclasses.replace(behavior, actor=actor)

    def build(self, shapes: Shapes, net: NetConfig, *, key: PRNGKeyArray) -> Ensemble:
        feature_size = shapes.feature
        outputs = {
            "stoch": shapes.stoch,
            "deter": shapes.deter,
            "feature": feature_size,
            "embed": shapes.tokens,
        }
        width = shapes.action if self.action else 0
        units = self.units or max(1, shapes.hidden // 2)
        members = Members(self.heads, self.layers, units)
        return Ensemble(feature_size + width, outputs[self.target], members, net, key=key)

    def disagreement(self, model: Ensemble, inputs: Float[Array, "n i"]) -> Float[Array, " n"]:
        """What the bonus is made of."""
        return model.disagreement(inputs, root=self.form == "published", log=self.log)

    def learn(
        self,
        model: Ensemble,
        world: WorldModel,
        observed: Observed,
        action: dict[str, Array],
        is_first: Array,
    ) -> Float[Array, "b t"]:
        """Loss of the members at every row but the first; 0 across the border of two episodes.

        `published` keeps those pairs, as the original does.
        """
        embedded = sg(world.embed(action))
        latent, tokens = (jax.tree.map(sg, part) for part in (observed.view, observed.tokens))
        found = pairs(latent, tokens, embedded, is_first, self)
        loss = model.loss(found.inputs, found.target)
        if self.form == "corrected":
            loss = jnp.where(found.keep, loss, 0.0)
        return loss.reshape(is_first.shape[0], -1)

    def reward(
        self, model: Ensemble, world: WorldModel, dream: Imagined, *, through: bool
    ) -> Float[Array, "k n"]:
        """The bonus, and the task's share where there is one."""
        if through:
            assert dream.relaxed is not None
            bonus = bonus_along(model, dream, dream.relaxed, self)
        else:
            fixed = dream._replace(feature=sg(dream.feature), last=sg(dream.last))
            bonus = sg(bonus_along(model, fixed, world.embed(dream.action), self))
        reward = self.intrinsic * bonus
        if self.extrinsic:
            reward = reward + self.extrinsic * means_along(world.reward, dream, through=through)
        return reward

    def surprise(
        self, model: Ensemble, x: Float[Array, "b t f"], action: Float[Array, "b t a"]
    ) -> Float[Array, "b t"]:
        """The disagreement before its logarithm."""
        inputs = with_action(x, action, self)
        plain = dataclasses.replace(self, log=False)
        flat = plain.disagreement(model, inputs.reshape(-1, inputs.shape[-1]))
        return flat.reshape(x.shape[:2])


class Predicted(NamedTuple):
    """What members are trained on: pairs of neighbouring rows."""

    inputs: Array  # (N, I)
    target: Array  # (N, O)
    keep: Array  # (N,) whether both rows are of one episode


def targets_of(
    latent: Latent, tokens: Float[Array, "b t e"], config: Plan2Explore
) -> Float[Array, "b t o"]:
    """What members predict of every row."""
    match config.target:
        case "stoch":
            return latent.stoch.reshape(*latent.stoch.shape[:2], -1)
        case "deter":
            return latent.deter
        case "feature":
            return feature(latent)
        case _:
            return tokens


def pairs(
    latent: Latent,
    tokens: Float[Array, "b t e"],
    action: Float[Array, "b t a"],
    is_first: Array,
    config: Plan2Explore,
) -> Predicted:
    """Training pairs of sequences (B, T, …): from row t to row t + 1.

    Args:
        latent: posteriors.
        tokens: encoded observations.
        action: embedded action that led to each row.
        is_first: pairs into a first row are left out: they straddle two episodes.
    """
    acts = action[:, 1:] if config.form == "corrected" else action[:, :-1]
    x = feature(latent)[:, :-1]
    inputs = with_action(x, acts, config)
    target = targets_of(latent, tokens, config)[:, 1:]
    inputs, target = (part.reshape(-1, part.shape[-1]) for part in (inputs, target))
    return Predicted(inputs, target, ~is_first[:, 1:].reshape(-1))


def with_action(
    x: Float[Array, "*n f"], action: Float[Array, "*n a"], config: Plan2Explore
) -> Float[Array, "*n i"]:
    """The members' input."""
    return jnp.concatenate([x, action.astype(x.dtype)], -1) if config.action else x


def bonus_along(
    ensemble: Ensemble,
    dream: Imagined,
    action: Float[Array, "h n a"],
    config: Plan2Explore,
) -> Float[Array, "k n"]:
    """Disagreement at all H + 1 imagined states; it reaches the dream, not the members.

    `corrected`: the bonus for arriving in a state is the disagreement about it, asked where one
    came from: the start has none. `published`: the disagreement in a state and the action that led
    to it, none at the start.

    Args:
        action: embedded actions chosen in the first H states.
    """
    fixed = jax.tree.map(sg, ensemble)
    early = dream.feature
    if config.form == "corrected":
        arrived = _along(fixed, with_action(early, action, config), config)
        return jnp.concatenate([jnp.zeros_like(arrived[:1]), arrived])
    before = jnp.concatenate([jnp.zeros_like(action[:1]), action[:-1]])
    here = _along(fixed, with_action(early, before, config), config)
    last = config.disagreement(fixed, with_action(dream.last, action[-1], config))
    return jnp.concatenate([here, last[None]])


def _along(
    ensemble: Ensemble, inputs: Float[Array, "h n i"], config: Plan2Explore
) -> Float[Array, "h n"]:
    """The bonus of every imagined state: all at once, but on a CPU in groups of so many rows that
    what the members say of them stays in its cache (5 times faster at size 1m)."""
    rows = inputs.reshape(-1, inputs.shape[-1])
    members, _, outputs = ensemble.heads.out.kernel.shape

    def whole(rows):
        return config.disagreement(ensemble, rows)

    def in_groups(rows):
        group = max(1, CACHED // (members * outputs))
        return jax.lax.map(lambda row: whole(row[None])[0], rows, batch_size=group)

    found = jax.lax.platform_dependent(rows, cpu=in_groups, default=whole)
    return found.reshape(inputs.shape[:2])
