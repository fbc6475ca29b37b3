"""Loss balancing: how much each task of the world model counts in the total.

The tasks are reward (`rew`), observation (`obs`, or one task a key) and dynamics (`dyn`: both
halves of the KL). Every other loss keeps its own weight. Only the mean losses enter: a coefficient
is the same for all steps of a batch.

Sources: HarmonyDream (arXiv:2310.00344) and its two code bases; dynamic weight averaging
(arXiv:1803.10704), Eq. 7.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, assert_never

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from reverie.config.schema import Config
from reverie.module import Module, static, tree_at
from reverie.nn.layers import AbstractExact
from reverie.part.errors import ConfigError, suggest
from reverie.records import LOSSES

sg = jax.lax.stop_gradient

SMALLEST = 1e-8
"""Loss below which `reciprocal` divides by this instead."""


class Sigmas(AbstractExact):
    """What balancing learns: s = log σ of every task, 0 at first, float32 in every precision."""

    s: Float[Array, " K"]
    tasks: tuple[str, ...] = static()

    def __init__(self, tasks: tuple[str, ...]):
        self.s = jnp.zeros(len(tasks))
        self.tasks = tasks


class History(Module):
    """What dynamic weight averaging remembers of the K task losses; no gradient reaches it."""

    total: Float[Array, " K"]  # of the present period
    last: Float[Array, " K"]  # mean of the period before it
    before: Float[Array, " K"]  # and of the one before that
    updates: Int[Array, ""]  # of the present period

    def __init__(self, count: int):
        self.total, self.last, self.before = (jnp.zeros(count) for _ in range(3))
        self.updates = jnp.zeros((), jnp.int32)


class Balanced(NamedTuple):
    """The world model's total loss and what came with it."""

    total: Float[Array, ""]
    metrics: dict[str, Array]  # `balance/…`
    history: History | None  # after this update


def weight_of(name: str, config: Config) -> float:
    """Weight of a loss in the configuration; observation keys share `world.objective.weight`."""
    world, behavior = config.world, config.behavior
    weights = {
        "rew": world.reward.weight,
        "con": world.cont.weight,
        "dyn": world.dynamics.dyn,
        "rep": world.dynamics.rep,
        "policy": behavior.actor.weight,
        "value": behavior.critic.weight,
        "repval": behavior.critic.replay_weight,
    }
    return weights.get(name, world.objective.weight)


def tasks_of(names: Iterable[str], config: Config) -> dict[str, tuple[str, ...]]:
    """Names of the losses that belong to each task, tasks in the order of their σ.

    `names` are the world model's losses. Raises ConfigError where `outside` names none.
    """
    options, names = config.world.balance, [name for name in names if name != "con"]
    keys = sorted(name for name in names if name not in LOSSES)
    for name in options.outside:
        if name not in ("rew", "dyn", *keys):
            hint = suggest(name, ("rew", "dyn", *keys))
            raise ConfigError(f"world.balance.outside names no loss {name!r}; {hint}")
    keys = [key for key in keys if key not in options.outside]
    by_key = {key: (key,) for key in keys} if options.per_key else {"obs": (*keys,)}
    tasks = {"rew": ("rew",), **by_key, "dyn": ("dyn", "rep")}
    return {
        task: found
        for task, group in tasks.items()
        if task not in options.outside and (found := tuple(n for n in group if n in names))
    }


def make_sigmas(keys: Iterable[str], config: Config) -> Sigmas | None:
    """The parameters of balancing for these observation keys; None where it learns nothing."""
    if not config.world.balance.learned:
        return None
    return Sigmas(tuple(tasks_of((*keys, "rew", "dyn", "rep"), config)))


def make_history(keys: Iterable[str], config: Config) -> History | None:
    """The memory of balancing for these observation keys; None where it needs none."""
    if config.world.balance.kind != "dwa":
        return None
    return History(len(tasks_of((*keys, "rew", "dyn", "rep"), config)))


def balance(
    losses: Mapping[str, Array], sigmas: Sigmas | None, history: History | None, config: Config
) -> Balanced:
    """The balanced total of the world model's losses, each (B, T) or a scalar.

    With task losses L_k ≥ 0 and all other losses at their own weight:

        fixed        Σ w_k L_k                      unrectified  Σ L_k/σ_k + log σ_k
        harmony      Σ L_k/σ_k + c_k log(1 + σ_k)   reciprocal   Σ L_k / sg(L_k)
        dwa          Σ λ_k L_k,  λ = K softmax(r/T),  r_k: this loss by the one a period before

    c_k is 1, in the form "jax" the share of `world.dynamics.dyn` for the dynamics. Gradients flow
    into the losses and into s = log σ, never into coefficients that are computed from losses.

    Args:
        sigmas: what is learned, in float32; None exactly where the kind learns nothing.
        history: the memory of `dwa`; None for every other kind.
    """
    means = {name: loss.mean() for name, loss in losses.items()}
    tasks = tasks_of(means, config)
    inner = inner_weights(tasks, config)
    before = jnp.stack(
        [jnp.asarray(sum(inner[n] * means[n] for n in group)) for group in tasks.values()]
    )
    rule = rule_of(tasks, before, sigmas, history, config)
    after = rule.coef * before
    if config.world.balance.kind == "fixed":
        total = weighted_sum(means, config)
    else:
        rest = {name: mean for name, mean in means.items() if name not in inner}
        total = after.sum() + rule.penalty + weighted_sum(rest, config)
    values = {"before": before, "coef": rule.coef, "after": after}
    metrics = {
        f"balance/{n}/{task}": v[k] for n, v in values.items() for k, task in enumerate(tasks)
    }
    if sigmas is not None:
        metrics |= {f"balance/s/{task}": sigmas.s[k] for k, task in enumerate(tasks)}
        metrics |= {f"balance/sigma/{task}": jnp.exp(sigmas.s[k]) for k, task in enumerate(tasks)}
        metrics["balance/penalty"] = jnp.asarray(rule.penalty)
    return Balanced(total, jax.tree.map(sg, metrics), rule.history)


class Rule(NamedTuple):
    """How K task losses are weighted at this update."""

    coef: Float[Array, " K"]
    penalty: Array | float = 0.0  # added to the total
    history: History | None = None


def rule_of(
    tasks: Mapping[str, tuple[str, ...]],
    losses: Float[Array, " K"],
    sigmas: Sigmas | None,
    history: History | None,
    config: Config,
) -> Rule:
    """The rule of `world.balance.kind`."""
    options = config.world.balance
    match options.kind:
        case "fixed":
            return Rule(jnp.asarray([outer_weight(group, config) for group in tasks.values()]))
        case "harmony" | "unrectified":
            if sigmas is None or sigmas.tasks != (*tasks,):
                found = "no sigmas" if sigmas is None else f"sigmas of {sigmas.tasks}"
                raise ValueError(f"{options.kind} balances {(*tasks,)}, found {found}.")
            return Rule(jnp.exp(-sigmas.s), penalty_of(sigmas, config))
        case "reciprocal":
            return Rule(1.0 / jnp.maximum(sg(losses), SMALLEST))
        case "dwa":
            if history is None:
                raise ValueError("dwa needs the history of the losses, found None.")
            coef = averaged_weights(history, options.temperature)
            return Rule(coef, history=remember(history, sg(losses), options.period))
        case kind:
            assert_never(kind)


def weighted_sum(
    losses: Mapping[str, Array], config: Config, start: Array | float = 0.0
) -> Float[Array, ""]:
    """Mean losses times their weights, added to `start` one after the other."""
    parts = (weight_of(name, config) * loss.mean() for name, loss in losses.items())
    return jnp.asarray(sum(parts, start))


def inner_weights(tasks: Mapping[str, tuple[str, ...]], config: Config) -> dict[str, float]:
    """Weight of each loss within its task: its own, or 1 and a share of the KL that sums to 1."""
    loss, options = config.world.dynamics, config.world.balance
    names = [name for group in tasks.values() for name in group]
    if options.kind != "fixed" and options.form == "paper":
        return {name: weight_of(name, config) for name in names}
    kl = loss.dyn + loss.rep
    share = {"dyn": loss.dyn / kl, "rep": loss.rep / kl} if kl else {"dyn": 0.5, "rep": 0.5}
    return {name: share.get(name, 1.0) for name in names}


def outer_weight(group: tuple[str, ...], config: Config) -> float:
    """The fixed weight of a task whose losses are weighted by `inner_weights`."""
    if "dyn" in group:
        return config.world.dynamics.dyn + config.world.dynamics.rep
    return weight_of(group[0], config)


def penalty_of(sigmas: Sigmas, config: Config) -> Float[Array, ""]:
    """What keeps σ = exp(s) from growing: Σ c_k log(1 + σ_k), unrectified Σ log σ_k."""
    if config.world.balance.kind == "unrectified":
        return sigmas.s.sum()
    weights = [penalty_weight(task, config) for task in sigmas.tasks]
    return (jnp.asarray(weights) * jax.nn.softplus(sigmas.s)).sum()


def penalty_weight(task: str, config: Config) -> float:
    """Weight c of the logarithm in harmony.

    Form "jax": its code weighs the whole dynamics term, logarithm included, by the share of
    `world.dynamics.dyn` (5/6 there), which shifts the optimum of that σ.
    """
    if config.world.balance.form == "jax" and task == "dyn":
        return config.world.dynamics.dyn / (config.world.dynamics.dyn + config.world.dynamics.rep)
    return 1.0


def averaged_weights(history: History, temperature: float) -> Float[Array, " K"]:
    """Weights λ (K in sum) of dynamic weight averaging; all 1 until two periods are complete.

    A loss whose older mean is 0 counts as one that does not change.
    """
    known = history.before > 0
    ratio = jnp.where(known, history.last / jnp.where(known, history.before, 1.0), 1.0)
    return ratio.size * jax.nn.softmax(ratio / temperature)


def remember(history: History, losses: Float[Array, " K"], period: int) -> History:
    """The memory after one more update; at the end of a period the means move on."""
    total, updates = history.total + losses, history.updates + 1
    due = updates == period
    return tree_at(
        lambda h: (h.total, h.last, h.before, h.updates),
        history,
        (
            jnp.where(due, 0.0, total),
            jnp.where(due, total / period, history.last),
            jnp.where(due, history.last, history.before),
            jnp.where(due, 0, updates),
        ),
    )
