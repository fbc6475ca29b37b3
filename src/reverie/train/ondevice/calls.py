"""The loop on the device, call by call, for the stations of a run.

Between two calls the stations of the run (`loop.Run`) hold what they would hold in the loop of the
host, so that checkpoints, evaluations and reports are the same. Only the rows stay on the device
until somebody reads them (`bring_home`).
"""

import functools as ft
import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from reverie.machine.flops import count_flops, inner_jaxprs
from reverie.records import Step
from reverie.replay.remote import RemoteRows
from reverie.replay.replay import Replay
from reverie.replay.rows import row_bytes
from reverie.replay.sampler import WEIGHT
from reverie.train.compiling import Compiled, compiled_beside
from reverie.train.learner import MEASURED, Result, packed_step
from reverie.train.ondevice import outcome, refused, ring, script
from reverie.train.ondevice.chunk import Carried, Chunk, Script, update_step
from reverie.train.ondevice.ring import Ring, Windows
from reverie.train.ondevice.script import Planned

if TYPE_CHECKING:
    from reverie.train.loop import Run

UPDATES = 32
"""Updates of one call at most."""

SECONDS = 2.0
"""What a call with updates takes at most, about: signals and checkpoints wait for its end. How a
run is cut into calls changes no number."""


class Shared:
    """The program of a run, or of the seeds of a group: jitted first, then compiled."""

    def __init__(self, chunk: Chunk):
        self.chunk = chunk
        self.names: tuple[str, ...] = ()
        self.program: Any = jax.jit(chunk, donate_argnums=0)


class DeviceLoop:
    """What `run` does in many turns at a time."""

    def __init__(self, run: "Run", like: "Run | None" = None):
        """`like`: the run of another seed, whose program is taken."""
        other = None if like is None else like.device
        config, copies = run.config, run.envs.copies
        assert copies is not None, "refused before the environments were made"
        assert isinstance(run.replay, Replay), "refused before it was made"
        self._replay = run.replay
        self._run, self._rows, self._copies = run, RemoteRows(self._replay), copies
        refused.check_memory(self.nbytes, self._replay.inside.keep.places)
        turns, wanted = config.train.chunk, config.train.ratio * run.envs.num
        due = abs(wanted) * turns / (config.train.batch * config.train.length)
        updates = 1 if script.lags(config) else max(1, min(UPDATES, int(due) + 2))
        look = outcome.look_of(run)
        given = (copies.game, config, run.envs.obs_specs, self._replay.columns, look)
        self.shared = Shared(Chunk(*given, turns, updates)) if other is None else other.shared
        self._chunk, self._updates = self.shared.chunk, self.shared.chunk.updates
        self._ring: Ring | None = None
        self._given: Carried | None = None  # what the last call left, if nobody changed it
        self._seeds: list[list[int]] = [[] for _ in range(run.envs.num)]
        self._read = jax.jit(ring.block, static_argnames=("size", "names"))
        self._like: Result = self._result_like() if other is None else other._like

    def __call__(self) -> None:
        """As many turns and updates as one call does."""
        run, run.learner.names = self._run, self.shared.names
        if run.due and run.learner.unmeasured:
            self.bring_home()
            run.learner.standardize(self._replay.peek(MEASURED, run.step))
        state, clock = self._state(), time.perf_counter()
        begin, before = run.step, run.learner.pending
        metrics = None if before is None else np.array(before[1].metrics)
        planned = script.plan(run, self._rows, turns=self._chunk.turns, updates=self._updates)
        arguments = (self._script(planned, before), self._keys, run.learner.numbers)
        state, answer, _ = self.shared.program(state, *arguments)
        told, turns, begun = jax.device_get(answer)
        self._given, done = state, len(planned.tickets)
        if done:
            fit = int(SECONDS * done / (time.perf_counter() - clock))
            self._updates = max(1, min(fit, self._chunk.updates))
        first = told.is_first[max(0, int(turns) - 1)]
        self._settle(state, planned, int(turns), begun, first)
        outcome.take_updates(run, metrics, told.metrics[:done])
        self._count(planned, int(turns), begin, told)

    def _count(self, planned: Planned, turns: int, begin: int, told: Any) -> None:
        """Take in the rows of a call, and count its turns where `plan` could not."""
        run, missing = self._run, turns if planned.random else 0
        for _ in range(missing - 1):
            self._turned()
        outcome.take_rows(run, told, turns, begin)
        for _ in range(min(missing, 1)):
            self._turned()
        self._rows.arrived(turns)

    def _settle(
        self, state: Carried, planned: Planned, turns: int, begun: np.ndarray, first: np.ndarray
    ) -> None:
        """Hand the stations what is theirs."""
        run, before = self._run, self._run.learner.pending
        learner, self._ring = run.learner, state.ring
        learner.train_state, learner.acting, learner.newest = state[:3]
        if planned.tickets:
            learner.pending = planned.tickets[-1], state.pending
        elif before is not None:
            learner.pending = before[0], state.pending
        action, due, row = jax.device_get((state.action, state.due, state.now[1]))
        run.actor.went_on(state.carry, action, turns)
        self._copies.now = state.now
        run.envs.episodes.skip(begun, due)
        self._seeds = [seeds[n:] for seeds, n in zip(self._seeds, begun.tolist(), strict=True)]
        if turns:
            obs = {key: row.obs[key] for key in run.envs.obs_specs}
            run.envs.row = Step(obs, row.reward, first, row.last, row.terminal)

    def _turned(self) -> None:
        self._rows.admit()
        self._run.turned()

    def bring_home(self) -> None:
        """Let the host's replay hold the rows that it knows of."""
        if self._ring is None:
            return

        def read(first: int, size: int, names: tuple[str, ...]) -> Mapping[str, np.ndarray]:
            found = jax.device_get(self._read(self._ring, first, size=size, names=names))
            columns = self._replay.columns
            return {name: bits.view(columns[name].dtype) for name, bits in found.items()}

        self._rows.bring_home(read)

    def compile_beside(self, rows: Mapping[str, Any]) -> Future[Compiled]:
        """`compiled_beside` of the whole program; of `rows` (shapes) it makes its own."""

        def take(program: Any) -> None:
            self.shared.program = program

        run, state = self._run, self._state()
        planned = Planned([], [], [], False, False, [])
        arguments = (state, self._script(planned, None), self._keys, run.learner.numbers)
        names, future = compiled_beside(self.shared.program, arguments, take, update_flops)
        self.shared.names = run.learner.names = names
        return future

    @property
    def nbytes(self) -> int:
        """Bytes of the rows on the device."""
        replay = self._replay
        return replay.inside.keep.places * row_bytes(replay.columns)

    @property
    def _keys(self) -> tuple[Any, Any]:
        return self._run.learner.root, self._run.actor.key

    def _state(self) -> Carried:
        """All that goes on, from the stations of the run."""
        run, last = self._run, self._given
        learner, keep = run.learner, self._replay.inside.keep
        pending = self._like if learner.pending is None else learner.pending[1]
        carry = run.actor.carry
        carry = run.actor.begin(learner.acting) if carry is None else carry
        found = Carried(
            learner=learner.train_state,
            acting=learner.acting,
            newest=learner.newest,
            pending=Result(pending.metrics, pending.written, self._like.names),
            now=self._copies.now,
            due=run.envs.episodes.due,
            carry=carry,
            action=run.actor.action,
            count=np.uint32(run.actor.count),
            ring=self._whole_ring(),
            inserted=np.int32(keep.inserted),
        )
        mine = {id(leaf) for leaf in jax.tree.leaves(last)}
        return jax.tree.map(lambda x: x if id(x) in mine else jnp.array(x), found)

    def _whole_ring(self) -> Ring:
        if self._ring is None:
            _, _, store = self._replay.inside
            like = ring.shapes(self._replay.columns, store.streams, store.slots)
            empty = not self._replay.inside.keep.inserted
            there = self._rows.columns()
            self._ring = {
                name: jnp.zeros(leaf.shape, leaf.dtype)
                if empty
                else jnp.array(there[name].view(leaf.dtype))
                for name, leaf in like.items()
            }
        return self._ring

    def _script(self, planned: Planned, before: Any) -> Script:
        """What the program reads of a plan, in arrays of fixed size."""
        run, chunk = self._run, self._chunk
        batch, room = run.config.train.batch, chunk.turns + 1
        tickets = [None if before is None else before[0], *planned.tickets]
        windows = np.zeros((2, chunk.updates + 1, batch), np.int32)
        for number, ticket in enumerate(tickets):
            if ticket is not None:
                windows[:, number] = ticket
        weights = np.ones((chunk.updates, batch), np.float32)
        for number, weight in enumerate(planned.weights):
            weights[number] = 1.0 if weight is None else weight
        pairs = np.zeros((2, room), np.int32)
        pairs[:, : len(planned.segments)] = np.array(planned.segments, np.int32).reshape(-1, 2).T
        explore = np.zeros(room, bool)
        explore[: len(planned.explore)] = planned.explore
        return Script(
            segments=np.int32(len(planned.segments)),
            updates=pairs[0],
            turns=pairs[1],
            windows=Windows(*windows),
            weight=weights if self._replay.weighted else None,
            pending=np.bool_(before is not None),
            seeds=self._next_seeds(),
            explore=explore,
            random=np.bool_(planned.random),
            until_end=np.bool_(planned.until_end),
        )

    def _next_seeds(self) -> np.ndarray:
        """Seeds (E, M) of the episodes that a call may begin: each takes two rows at least."""
        episodes, room = self._run.envs.episodes, self._chunk.turns // 2 + 1
        for index, seeds in enumerate(self._seeds):
            ahead = range(len(seeds) + 1, room + 1)
            seeds += [episodes.seed_of(index, ahead=number) for number in ahead]
        return np.array(self._seeds, np.uint32)

    def _result_like(self) -> Result:
        """Zeros of the form of what an update gives."""
        run = self._run
        lead = (run.config.train.batch, self._replay.length)
        rows: dict[str, Any] = {
            name: jax.ShapeDtypeStruct((*lead, *column.shape), column.dtype)
            for name, column in self._replay.columns.items()
        }
        if self._replay.weighted:
            rows[WEIGHT] = jax.ShapeDtypeStruct(lead[:1], "float32")
        step, learner = ft.partial(update_step, config=run.config), run.learner
        shapes = jax.eval_shape(step, learner.train_state, rows, learner.root, learner.numbers)
        return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes[2])


def update_flops(jaxpr: Any) -> int:
    """Arithmetic of one update in the program of a call."""
    found = []
    for equation in jaxpr.eqns:
        if equation.params.get("name") == packed_step.__name__:
            found.append(count_flops(equation.params["jaxpr"]))
        else:
            found += [update_flops(inner) for inner in inner_jaxprs(equation.params)]
    return max(found, default=0)
