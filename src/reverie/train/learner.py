"""The learner: one update at a time on the device, its results fetched late.

`update` starts an update and returns while the device still computes. What the update before it
produced (metrics, latents for the replay) is fetched then, so that the device never waits for the
host. Acting uses the weights of the update *before* the newest one, for the same reason. Both are
part of the schedule, not of the timing: the numbers do not depend on how fast anything is.
"""

import functools as ft
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from reverie.behavior.policy import Acting
from reverie.config.schema import Config
from reverie.folder.divergence import diagnosis, is_sound
from reverie.folder.errors import Diverged
from reverie.module import Module, static, tree_at
from reverie.nn.axes import fold
from reverie.nn.layers import to_compute
from reverie.records import Sequence, Specs
from reverie.replay.keep import Ticket
from reverie.train.arrays import acting_from_host, from_host, to_host
from reverie.train.compiling import Compiled, compiled_beside
from reverie.train.losses import compute_dtype
from reverie.train.placement import placement_of
from reverie.train.state import Agent, TrainState, init, init_optimizer
from reverie.train.step import train_step
from reverie.world.standard import Standard

ONCE = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
"""Compiler options of a program that runs once: drawing the first weights took 18 CPU seconds to
compile and 0.05 to run; like this 5, with the same weights to the last bit."""

MEASURED = 64
"""Sequences of the first rows in which the units of the observation are measured, at most."""

LEARN, ACT, EVAL, DREAM = range(4)
"""Purposes that the root key is folded with."""


def purpose_key(seed: int, purpose: int) -> Any:
    """The key from which all randomness of one purpose derives."""
    return jax.random.fold_in(jax.random.key(seed), purpose)


def to_sequence(rows: Mapping[str, Any]) -> Sequence:
    """Replay's flat columns as the record that the world model reads."""

    def part(prefix: str) -> dict[str, Any]:
        return {k.removeprefix(prefix): v for k, v in rows.items() if k.startswith(prefix)}

    latent = part("latent/")
    return Sequence(
        obs=part("obs/"),
        action=part("action/"),
        reward=rows["reward"],
        is_first=rows["is_first"],
        is_last=rows["is_last"],
        is_terminal=rows["is_terminal"],
        latent=latent or None,
        weight=along(rows["weight"], rows["reward"].shape) if "weight" in rows else None,
    )


def along(weight: Any, shape: tuple[int, ...]) -> Any:
    """One number a sequence, at every row of it: (B,) -> (B, T)."""
    return jnp.broadcast_to(weight[:, None], shape)


class Names(Module):
    """What the entries of a packed array are called; no arrays, part of the tree's structure."""

    sorted: tuple[str, ...] = static()


class Result(NamedTuple):
    """What an update gives besides the next state; device arrays until they are fetched."""

    metrics: Any  # one array, in the order of `Learner.names`: a single transfer
    written: dict[str, Any]  # replay columns of the trained rows
    names: Names = Names(())  # of the metrics, where it comes from an update of this process


def acting_of(state: TrainState, config: Config) -> Acting:
    """The weights that act, in the compute dtype."""
    agent = state.agent
    explorer = None if agent.explorer is None else agent.explorer.actor
    part = Acting.of(agent.world, agent.actor, explorer)
    return to_compute(part, compute_dtype(config.device.precision))


def packed_step(
    state: TrainState,
    rows: dict[str, Any],
    root: Any,
    numbers: dict[str, Any] | None = None,
    *,
    config: Config,
):
    """`train_step` with its key from the update counter and its metrics in one array."""
    key = jax.random.fold_in(root, state.updates)
    state, metrics, written = train_step(
        state, to_sequence(rows), key, config=config, numbers=numbers
    )
    names = tuple(sorted(metrics))
    packed = jnp.stack([metrics[name].astype(jnp.float32) for name in names])
    return state, acting_of(state, config), Result(packed, written, Names(names))


@dataclass
class Own:
    """What a learner that is alone keeps on the device between two updates."""

    train_state: TrainState
    acting: Acting  # the weights that act: those before the newest update
    newest: Acting


class Learner:
    """A train state on the device, and at most one update in flight.

    `held`: where its arrays are, `Own`, or the same names of a row of a group's (`group/stack.py`).
    """

    def __init__(
        self, obs: Specs, actions: Specs, config: Config, *, like: "Learner | None" = None
    ):
        """`like`: the learner of another seed, whose programs for the start are taken."""
        self._config = config
        numbers = config.optim.numbers(config.world.balance.sigma_lr)
        self._place = placement_of(config.device)
        self.root = self._place.everywhere(purpose_key(config.seed, LEARN))
        fixed = {name: jnp.float32(value) for name, value in numbers.items()}
        self.numbers = self._place.everywhere(fixed)
        make = jax.jit(ft.partial(init, obs, actions, config), compiler_options=ONCE)
        self._make = make if like is None else like._make
        weights = jax.jit(ft.partial(acting_of, config=config))
        self._acting_of = weights if like is None else like._acting_of
        state: TrainState = self._make(jax.random.key(config.seed))
        self._step: Any = self._place.jit(ft.partial(packed_step, config=config), state)
        acting: Acting = self._acting_of(state)
        self.held: Any = Own(self._place.spread(state), acting, acting)
        self.pending: tuple[Any, Result] | None = None
        self.names: tuple[str, ...] = ()

    def compile(self, rows: Mapping[str, Any]) -> Compiled:
        """Compile the update for `rows` (arrays or shapes) ahead of time."""
        return self.compile_beside(rows).result()

    def compile_beside(
        self, rows: Mapping[str, Any], others: Iterable["Learner"] = ()
    ) -> Future[Compiled]:
        """`compiled_beside` of the update: before its result there may be no `update`.

        `others`: the learners of other seeds, which get the program too."""
        learners = [self, *others]

        def take(program: Any) -> None:
            for learner in learners:
                learner._step = program

        arguments = (self.train_state, dict(rows), self.root, self.numbers)
        names, future = compiled_beside(self._step, arguments, take, at_once=len(learners))
        for learner in learners:
            learner.names = names
        return future

    def update(self, rows: Mapping[str, Any], ticket: Any) -> tuple[Any, Result] | None:
        """Start an update on `rows`; ticket and results of the one before, if there was one."""
        self.train_state, acting, result = self._step(
            self.train_state, self._place.batch(rows), self.root, self.numbers
        )
        self.acting, self.newest = self.newest, self._place.whole(acting)
        return self.started(ticket, result)

    def started(self, ticket: Any, result: Result) -> tuple[Any, Result] | None:
        """An update with this ticket is in flight; what `update` returns."""
        finished, self.pending = self.pending, (ticket, result)
        return finished

    @property
    def train_state(self) -> TrainState:
        """The newest state of learning."""
        return self.held.train_state

    @train_state.setter
    def train_state(self, state: TrainState) -> None:
        self.held.train_state = state

    @property
    def agent(self) -> Agent:
        """Its newest parameters, on one device."""
        return self._place.whole(self.train_state.agent)

    @property
    def acting(self) -> Acting:
        """The weights that act: those before the newest update."""
        return self.held.acting

    @acting.setter
    def acting(self, acting: Acting) -> None:
        self.held.acting = acting

    @property
    def newest(self) -> Acting:
        """The same of the newest update."""
        return self.held.newest

    @newest.setter
    def newest(self, newest: Acting) -> None:
        self.held.newest = newest

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays that are kept between two updates."""
        kept = (self.train_state, self.acting, self.newest)
        return sum(leaf.nbytes for leaf in jax.tree.leaves(kept))

    def fetch(self, result: Result) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Metrics by name and replay columns of a result, on the host.

        Raises Diverged if a loss, the gradient or the parameters are not finite, or absurd.
        """
        values = dict(zip(self.names, np.asarray(result.metrics).tolist(), strict=True))
        if not is_sound(values):
            raise Diverged(diagnosis(values, self.agent, self._config))
        return values, self._place.host(result.written)

    def reset_optimizer(self) -> None:
        """Forget the moments of the optimiser, as a fresh one would."""
        fresh = self._place.spread(init_optimizer(self.agent, self._config))
        self.train_state = tree_at(lambda state: state.opt_state, self.train_state, fresh)

    def begin_from(self, state: TrainState) -> None:
        """Learn and act with `state`, before the first update."""
        self.train_state = self._place.spread(state)
        self.acting = self._acting_of(self._place.whole(state))
        self.newest = self.acting

    @property
    def unmeasured(self) -> bool:
        """Whether the units of the observation's numbers are wanted and not known yet."""
        if not self._config.world.encoder.standardize:
            return False
        standard = self.train_state.agent.world.encoder.standard
        return standard is not None and not standard.measured

    def standardize(self, rows: Mapping[str, np.ndarray]) -> None:
        """Before the first update: take the units of replayed rows (B, T, …), columns by name."""
        state = self.train_state
        standard = state.agent.world.encoder.standard
        assert standard is not None, "no units are wanted"
        seen = fold({key: rows[f"obs/{key}"] for key in standard.center})
        begun = tree_at(lambda s: s.agent.world.encoder.standard, state, Standard.of(seen))
        self.begin_from(begun)

    def check(self) -> None:
        """Wait for the update in flight; raises Diverged as `fetch` does.

        One from a checkpoint was checked before that was written; until the update is traced here
        its metrics have no names.
        """
        if self.pending is not None and self.names:
            self.fetch(self.pending[1])

    def state(self) -> dict[str, Any]:
        """Everything to continue from, as a tree of host arrays and JSON values."""
        return {
            "state": to_host(self._place.host(self.train_state)),
            "acting": to_host(self.acting),
            "newest": to_host(self.newest),
            "pending": self.pending_state(),
        }

    def pending_state(self) -> dict[str, Any] | None:
        """The update in flight, as part of `state`: with the rows that are this process's own."""
        if self.pending is None:
            return None
        ticket, result = self.pending
        written = self._place.host(result.written)
        return {"ticket": [*ticket], "metrics": np.asarray(result.metrics), "written": written}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue where `state` was taken. Raises RunError if an array is missing or misshapen."""
        self.train_state = self._place.spread(from_host(self.train_state, state["state"]))
        self.acting = acting_from_host(self.acting, state["acting"])
        self.newest = acting_from_host(self.newest, state["newest"])
        if state["pending"] is not None:
            pending = state["pending"]
            result = Result(pending["metrics"], pending["written"])
            self.pending = (Ticket(*pending["ticket"]), result)
