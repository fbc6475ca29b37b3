"""Acting: the agent's side of the exchange with the environments, row by row."""

import functools as ft
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from reverie.behavior.policy import ActCarry, Acting
from reverie.envs.waiting import result_of
from reverie.records import Specs, Step

Store = Callable[[Any], dict[str, Any]]
"""Columns (E, …) that replay keeps of states of the world model."""


WAITING = "the policy's program (compiling or queued)"
"""What is waited for where an action takes long."""


class Share(NamedTuple):
    """The environments that are acted for, among those of the whole run."""

    first: int
    total: int

    def of(self, noise: Any, envs: int) -> Any:
        """The rows of `envs` environments, of numbers that were drawn for all."""
        if self.total == envs:
            return noise
        return jax.tree.map(lambda x: x[self.first : self.first + envs], noise)


def nothing(state: Any) -> dict[str, Any]:
    """The columns where replay keeps no states."""
    return {}


def act(
    acting: Acting,
    carry: ActCarry,
    obs: dict[str, Any],
    is_first: Any,
    *,
    root: Any,
    count: Any,
    greedy: bool = False,
    explore: bool = False,
    store: Store = nothing,
    share: Share | None = None,
):
    """One step of the policy for E environments: actions, carry, the columns of the states.

    `share`: which of the run's they are; None: all."""
    envs = is_first.shape[0]
    share = share or Share(0, envs)
    noise = share.of(acting.noise(jax.random.fold_in(root, count), share.total), envs)
    action, carry = acting(carry, obs, is_first, noise, greedy=greedy, explore=explore)
    return action, carry, store(carry.state)


def random_action(
    specs: Specs, envs: int, root: Any, count: Any, *, share: Share | None = None
) -> dict[str, Any]:
    """Actions of E environments, uniform over classes and over [-1, 1]: (E, components) by key."""
    share = share or Share(0, envs)
    keys = jax.random.split(jax.random.fold_in(jax.random.fold_in(root, count), 1), len(specs))
    found = {}
    for key, (name, spec) in zip(keys, sorted(specs.items()), strict=True):
        number = share.of(jax.random.uniform(key, (share.total, spec.size)), envs)
        if spec.kind == "discrete":
            found[name] = (number * jnp.asarray(spec.classes)[None]).astype(jnp.int32)
        else:
            found[name] = 2.0 * number - 1.0
    return found


class Actor:
    """The policy with its memory of the running episodes.

    Randomness is a function of `key` and of the number of steps taken.

    Acting is dispatched from a thread of its own: on the CPU, XLA begins a program only when the
    last one dispatched from the same thread has ended (`last_enqueue_event` in its CPU client), so
    that an action would otherwise wait for the whole update in flight.
    """

    def __init__(
        self,
        actions: Specs,
        envs: int,
        key: Any,
        *,
        greedy: bool = False,
        explore: bool = False,
        store: Store = nothing,
        share: Share | None = None,
        like: "Actor | None" = None,
    ):
        """`share`: which of the run's environments these are; None: all. `store` gives the columns
        that replay keeps of the world model's states; `like`: the actor of another seed that is
        asked the same, whose program is taken."""
        self._specs, self._envs, self.key, self._explore = actions, envs, key, explore
        part = ft.partial(act, greedy=greedy, store=store, share=share)
        self._act: Any = jax.jit(part, static_argnames="explore") if like is None else like._act
        self._random = jax.jit(ft.partial(random_action, actions, envs, share=share))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="acting")
        self.carry: Any = None
        self._loaded: Mapping[str, Any] | None = None  # of a checkpoint, until somebody acts
        self.count = 0
        self.action = {
            key: np.zeros((envs, *spec.shape), spec.dtype) for key, spec in actions.items()
        }

    def reset(self) -> None:
        """Forget all episodes, and start counting anew."""
        self.carry, self._loaded, self.count = None, None, 0

    def __call__(
        self,
        acting: Acting,
        step: Step,
        *,
        random: bool = False,
        explore: bool | None = None,
    ) -> dict[str, np.ndarray]:
        """Choose the next actions, into `self.action`; the row that replay stores.

        With `random` the policy only watches: its latents follow the actions that are made.
        `explore` lets the explorer choose them; None: as said when this was made. The action at
        the last row of an episode is zero: the environment ignores it.
        """
        if self.carry is None:
            self.carry = self.begin(acting)
        chosen = self._thread.submit(
            self._act,
            *(acting, self.carry, step.obs, step.is_first),
            root=self.key,
            count=np.uint32(self.count),
            explore=self._explore if explore is None else explore,
        )
        flat, carry, latent = result_of(chosen, WAITING)
        if random:
            flat = self._random(self.key, np.uint32(self.count))
            carry = carry._replace(action=flat)
        return self.chosen(step, flat, carry, latent)

    def went_on(self, carry: Any, action: Mapping[str, Any], turns: int) -> None:
        """Take in what so many turns made elsewhere came to; `action` (E, *shape): the next one."""
        self.count += turns
        self.carry, self.action = carry, dict(action)

    def chosen(
        self, step: Step, flat: Mapping[str, Any], carry: Any, latent: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Take in what was chosen at `step`: actions (E, components), what is carried on, replay's
        columns of the states; the row that replay stores."""
        self.count += 1
        self.carry = carry
        for key, spec in self._specs.items():
            value = np.asarray(flat[key]).reshape(self._envs, *spec.shape)
            over = step.is_last.reshape(-1, *[1] * len(spec.shape))
            self.action[key] = np.where(over, 0, value).astype(spec.dtype)
        return row_of(step, self.action, jax.tree.map(np.asarray, latent))

    def state(self) -> dict[str, Any]:
        """What `load` needs, as a tree of host arrays and JSON values."""
        carry = self._loaded
        if self.carry is not None:
            leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(self.carry)]
            carry = {str(index): leaf for index, leaf in enumerate(leaves)}
        return {"carry": carry, "count": self.count, "action": dict(self.action)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue where `state` was taken, in the precision of whoever acts next."""
        self.count, self.action = int(state["count"]), dict(state["action"])
        self.carry, self._loaded = None, state["carry"]

    def begin(self, acting: Acting) -> ActCarry:
        """What the policy carries at the first call: the initial state, or that of a checkpoint."""
        initial, loaded = acting.initial(self._envs), self._loaded
        if loaded is None:
            return initial
        like, structure = jax.tree.flatten(initial)
        leaves = [np.asarray(loaded[str(i)]).astype(leaf.dtype) for i, leaf in enumerate(like)]
        return jax.tree.unflatten(structure, leaves)


def row_of(step: Step, action: Mapping[str, Any], latent: Mapping[str, Any]) -> dict[str, Any]:
    """Replay's columns of one moment of E environments."""
    row = {f"obs/{key}": value for key, value in step.obs.items()}
    row |= {f"action/{key}": value for key, value in action.items()}
    row |= {k: getattr(step, k) for k in ("reward", "is_first", "is_last", "is_terminal")}
    return row | dict(latent)


class Episodes:
    """Return, length and logs of the episodes as their rows pass by."""

    def __init__(self, envs: int):
        self.returns = np.zeros(envs, np.float64)
        self.lengths = np.zeros(envs, np.int64)
        self.logs: dict[str, np.ndarray] = {}  # (E,), largest value in the episode

    def add(self, step: Step) -> list[dict[str, float]]:
        """Take in one row of every environment; the numbers of each episode that ended.

        `return`; `length` in agent steps: rows less the first one; `log/NAME` the largest value in
        the episode of every logged scalar (a count's last value, whether there was a success).
        """
        self.returns = np.where(step.is_first, 0.0, self.returns) + step.reward
        self.lengths = np.where(step.is_first, 0, self.lengths + 1)
        for name, value in step.log.items():
            if value.ndim == 1:
                best = self.logs.get(name, np.full(len(value), -np.inf))
                self.logs[name] = np.where(step.is_first, value, np.maximum(best, value))
        return [self._finished(index) for index in np.flatnonzero(step.is_last)]

    def go_on(self, reward: Any) -> None:
        """Take in rows (N, E) in which no episode begins or ends."""
        self.returns = np.add.accumulate([self.returns, *reward])[-1]
        self.lengths = self.lengths + len(reward)

    def _finished(self, index: int) -> dict[str, float]:
        numbers = {"return": float(self.returns[index]), "length": int(self.lengths[index])}
        return numbers | {f"log/{name}": float(v[index]) for name, v in self.logs.items()}

    def state(self) -> dict[str, Any]:
        """What `load` needs."""
        return {"returns": self.returns, "lengths": self.lengths, "logs": dict(self.logs)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue where `state` was taken."""
        self.returns, self.lengths = state["returns"], state["lengths"]
        self.logs = dict(state.get("logs", {}))
