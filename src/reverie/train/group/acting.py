"""The policies of several seeds: one call chooses the actions of all their environments."""

import functools as ft
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from reverie.behavior.policy import Acting
from reverie.envs.functional.copies import choose
from reverie.envs.waiting import result_of
from reverie.records import Specs, Step
from reverie.train.collect import WAITING, Actor, Store, act, random_action
from reverie.train.group.stack import RowOf, rows_of, stacked, together


class Ask(NamedTuple):
    """What a seed's actor is asked: see `Actor.__call__`."""

    step: Step
    random: bool
    explore: bool


def act_masked(
    acting: Acting,
    carry: Any,
    asked: dict[str, Any],
    root: Any,
    *,
    specs: Specs,
    explore: bool,
    filling: bool,
    store: Store,
):
    """`act` of one seed, whose carry stays as it was where `asked["on"]` is False.

    With `filling`, its actions are those of chance where `asked["random"]` is set.
    """
    how: dict[str, Any] = {"root": root, "count": asked["count"]}
    flat, following, latent = act(
        *(acting, carry, asked["obs"], asked["is_first"]), **how, explore=explore, store=store
    )
    if filling:
        drawn = random_action(specs, asked["is_first"].shape[0], **how)
        flat = {key: jnp.where(asked["random"], drawn[key], flat[key]) for key in flat}
        following = following._replace(action=flat)
    return flat, choose(asked["on"], following, carry), latent


class Actors:
    """The actors of S seeds, whose memory of the running episodes it keeps together."""

    def __init__(self, actors: Sequence[Actor], carries: Sequence[Any], specs: Specs, store: Store):
        """`carries`: what each of them begins with (`Actor.begin`)."""
        self._actors, self._specs, self._store = actors, specs, store
        self._carry = stacked(carries)
        self._roots = jnp.stack([actor.key for actor in actors])
        self._act = jax.jit(self._all, static_argnames=("explore", "filling"))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="acting")

    def __call__(self, acting: Acting, asks: Mapping[int, Ask]) -> dict[int, dict[str, Any]]:
        """The rows that replay stores, of the seeds that ask, by their place in the group."""
        found = {}
        for explore in (False, True):
            some = {index: ask for index, ask in asks.items() if ask.explore == explore}
            if some:
                found |= self._choose(acting, some, explore)
        return found

    def _choose(
        self, acting: Acting, asks: Mapping[int, Ask], explore: bool
    ) -> dict[int, dict[str, Any]]:
        asked = together({index: self._told(index, ask) for index, ask in asks.items()}, self._num)
        filling = any(ask.random for ask in asks.values())
        how = {"explore": explore, "filling": filling}
        future = self._thread.submit(self._act, acting, self._carry, asked, self._roots, **how)
        flat, self._carry, latent = result_of(future, WAITING)
        leaves, structure = jax.tree.flatten(self._carry)
        found = {}
        for index, ask in asks.items():
            carry = jax.tree.unflatten(structure, [RowOf(leaf, index) for leaf in leaves])
            actions, states = rows_of(flat, index), rows_of(latent, index)
            found[index] = self._actors[index].chosen(ask.step, actions, carry, states)
        return found

    @property
    def _num(self) -> int:
        return len(self._actors)

    def _told(self, index: int, ask: Ask) -> dict[str, Any]:
        """What the program reads of one seed."""
        return {
            "obs": dict(ask.step.obs),
            "is_first": ask.step.is_first,
            "count": np.uint32(self._actors[index].count),
            "random": np.bool_(ask.random),
            "on": np.bool_(True),
        }

    def _all(self, acting: Any, carry: Any, asked: Any, roots: Any, **static: bool):
        one = ft.partial(act_masked, specs=self._specs, store=self._store, **static)
        return jax.vmap(one)(acting, carry, asked, roots)
