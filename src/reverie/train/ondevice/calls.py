"""The loop on the device, call by call, for the stations of a run.

Between two calls the stations of the run (`loop.Run`) hold what they would hold in the loop of the
host, so that checkpoints, evaluations and reports are the same. Only the rows stay on the device
until somebody reads them (`bring_home`).
"""

import functools as ft
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from reverie.records import Step
from reverie.replay.remote import RemoteRows
from reverie.replay.replay import Replay
from reverie.replay.rows import row_bytes
from reverie.replay.sampler import WEIGHT
from reverie.train.compiling import Compiled, compiled_beside
from reverie.train.learner import MEASURED, Result
from reverie.train.ondevice import outcome, refused, ring, script
from reverie.train.ondevice.chunk import Carried, Told, update_step
from reverie.train.ondevice.outcome import Answer, Before
from reverie.train.ondevice.pace import Pace, chunk_for, update_flops
from reverie.train.ondevice.ring import Ring, Windows
from reverie.train.ondevice.script import NO_DRAWS, Books, Draws, Planned, Script

if TYPE_CHECKING:
    from reverie.train.loop import Run


class DeviceLoop:
    """What `run` does in many turns at a time.

    `read` reads rows on the device; None: there are none. Where several seeds learn together, the
    calls are not its own (`group/calls.py`), and it does what is the run's before and after them.
    """

    def __init__(self, run: "Run", like: "Run | None" = None):
        """`like`: the run of another seed, which makes the same calls."""
        other = None if like is None else like.device
        copies = run.envs.copies
        assert copies is not None, "refused before the environments were made"
        assert isinstance(run.replay, Replay), "refused before it was made"
        self._replay = run.replay
        self.books, self._copies = Books(run, RemoteRows(self._replay)), copies
        self._run, self._rows = self.books
        self.check_memory()
        columns = self._replay.columns
        self.chunk = chunk_for(run, copies.game, columns) if other is None else other.chunk
        self.program: Any = jax.jit(self.chunk, donate_argnums=0)
        self._pace = Pace(self.chunk.updates)
        self._ring: Ring | None = None
        self._given: Carried | None = None  # what the last call left, if nobody changed it
        self._seeds: list[list[int]] = [[] for _ in range(run.envs.num)]
        self.read: Callable[..., Ring] | None = None
        self._block = jax.jit(ring.block, static_argnames=("size", "names"))
        self._like: Result = self._result_like() if other is None else other._like

    def __call__(self) -> None:
        """As many turns and updates as one call does."""
        self.measure()
        self.planned()()()

    def planned(self) -> Callable[[], Callable[[], None]]:
        """Plan a call. What computes it, from any thread, is given; that gives by what the run, in
        the thread that is the run's, takes in what came of it."""
        state, before = self.state(self._whole_ring()), self.before()
        planned = script.plan([self.books], turns=self.chunk.turns, updates=self._pace.updates)
        arguments = (self.script(planned, planned.draws[0]), self.keys)
        numbers = self._run.learner.numbers

        def compute() -> Callable[[], None]:
            clock = time.perf_counter()
            after, answer, _ = self.program(state, *arguments, numbers)
            told, seconds = Answer.of(answer, after), time.perf_counter() - clock
            return ft.partial(self._computed, before, planned, after, told, seconds)

        return compute

    def _computed(
        self, before: Before, planned: Planned, state: Carried, told: Answer, seconds: float
    ) -> None:
        """Take in a call of the run's own."""
        self._pace.took(planned.updates, seconds)
        learner, self._given, self._ring = self._run.learner, state, state.ring
        learner.train_state, learner.acting, learner.newest = state[:3]
        self.read = ft.partial(self._block, state.ring)
        self.stands(state.pending, state.carry, state.now, planned.draws[0])
        self.take_in(before, planned, told)

    def measure(self) -> None:
        """Before the first update, measure the units of the observation, if they are wanted."""
        if script.measures(self._run):
            self.bring_home()
            self._run.learner.standardize(self._replay.peek(MEASURED, self._run.step))

    def before(self) -> Before:
        """What is the run's before a call is planned."""
        pending = self._run.learner.pending
        metrics = None if pending is None else np.array(pending[1].metrics)
        return Before(self._run.step, metrics)

    def stands(self, pending: Result, carry: Any, now: Any, draws: Draws) -> None:
        """Hand the stations what is theirs of the arrays that a call left, after these draws."""
        run = self._run
        if draws.tickets:
            run.learner.pending = draws.tickets[-1], pending
        elif run.learner.pending is not None:
            run.learner.pending = run.learner.pending[0], pending
        run.actor.went_on(carry, run.actor.action, 0)
        self._copies.now = now

    def take_in(self, before: Before, planned: Planned, answer: Answer) -> None:
        """What the run makes of a call, when its arrays stand where the call left them.

        Raises Diverged or EnvError for numbers that are not finite.
        """
        run, told, turns = self._run, answer.told, int(answer.turns)
        run.actor.went_on(run.actor.carry, answer.action, turns)
        run.envs.episodes.skip(answer.begun, answer.due)
        pairs = zip(self._seeds, answer.begun.tolist(), strict=True)
        self._seeds = [seeds[n:] for seeds, n in pairs]
        if turns:
            row, first = answer.row, told.is_first[turns - 1]
            obs = {key: row.obs[key] for key in run.envs.obs_specs}
            run.envs.row = Step(obs, row.reward, first, row.last, row.terminal)
        outcome.take_updates(run, before.metrics, told.metrics[: planned.updates])
        self._count(planned, turns, before.step, told)

    def _count(self, planned: Planned, turns: int, begin: int, told: Told) -> None:
        """Take in the rows of a call, and count its turns where `plan` could not."""
        run, missing = self._run, turns if planned.random else 0
        for _ in range(missing - 1):
            self._turned()
        outcome.take_rows(run, told, turns, begin)
        for _ in range(min(missing, 1)):
            self._turned()
        self._rows.arrived(turns)

    def _turned(self) -> None:
        self._rows.admit()
        self._run.turned()

    def bring_home(self) -> None:
        """Let the host's replay hold the rows that it knows of."""
        there = self.read
        if there is None:
            return

        def read(first: int, size: int, names: tuple[str, ...]) -> Mapping[str, np.ndarray]:
            found = jax.device_get(there(first, size=size, names=names))
            columns = self._replay.columns
            return {name: bits.view(columns[name].dtype) for name, bits in found.items()}

        self._rows.bring_home(read)

    def compile_beside(
        self, rows: Mapping[str, Any], others: Iterable["DeviceLoop"] = ()
    ) -> Future[Compiled]:
        """`compiled_beside` of the whole program; of `rows` (shapes) it makes its own.

        `others`: the loops of other seeds, which get the program too."""
        loops = [self, *others]

        def take(program: Any) -> None:
            for loop in loops:
                loop.program = program

        written = self.script(Planned([NO_DRAWS], [], []), NO_DRAWS)
        arguments = (self.state(self._whole_ring()), written, self.keys, self._run.learner.numbers)
        how = {"count": update_flops, "at_once": len(loops)}
        names, future = compiled_beside(self.program, arguments, take, **how)
        for loop in loops:
            loop._run.learner.names = names
        return future

    @property
    def nbytes(self) -> int:
        """Bytes of the rows on the device."""
        replay = self._replay
        return replay.inside.keep.places * row_bytes(replay.columns)

    def check_memory(self, seeds: int = 1) -> None:
        """Raises RunError where the rows of so many runs like this do not fit the device."""
        refused.check_memory(self.nbytes, self._replay.inside.keep.places, seeds)

    @property
    def keys(self) -> tuple[Any, Any]:
        """Roots of learning and of acting."""
        return self._run.learner.root, self._run.actor.key

    def state(self, there: Ring) -> Carried:
        """`carried`, as arrays that the program may take over."""
        mine = {id(leaf) for leaf in jax.tree.leaves(self._given)}
        found = self.carried(there)
        return jax.tree.map(lambda x: x if id(x) in mine else jnp.array(x), found)

    def carried(self, there: Ring) -> Carried:
        """All that goes on, from the stations of the run, with the rows that are `there`."""
        run, learner = self._run, self._run.learner
        pending = self._like if learner.pending is None else learner.pending[1]
        carry = run.actor.carry
        carry = run.actor.begin(learner.acting) if carry is None else carry
        return Carried(
            learner=learner.train_state,
            acting=learner.acting,
            newest=learner.newest,
            pending=Result(pending.metrics, pending.written, self._like.names),
            now=self._copies.now,
            due=run.envs.episodes.due,
            carry=carry,
            action=run.actor.action,
            count=np.uint32(run.actor.count),
            ring=there,
            inserted=np.int32(self._rows.inserted),
        )

    def _whole_ring(self) -> Ring:
        if self._ring is None:
            self._ring = {
                name: jnp.array(column) if self._rows.inserted else jnp.zeros_like(column)
                for name, column in self.columns().items()
            }
        return self._ring

    def columns(self) -> dict[str, np.ndarray]:
        """The rows at home, as a ring holds them."""
        columns = self._replay.columns
        return {k: v.view(ring.stored(columns[k].dtype)) for k, v in self._rows.columns().items()}

    def script(self, planned: Planned, draws: Draws) -> Script:
        """What the program reads of a plan, in arrays of fixed size."""
        run, chunk, pending = self._run, self.chunk, self._run.learner.pending
        batch, room = run.config.train.batch, chunk.turns + 1
        tickets = [None if pending is None else pending[0], *draws.tickets]
        windows = np.zeros((2, chunk.updates + 1, batch), np.int32)
        for number, ticket in enumerate(tickets):
            if ticket is not None:
                windows[:, number] = ticket
        weights = np.ones((chunk.updates, batch), np.float32)
        for number, weight in enumerate(draws.weights):
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
            pending=np.bool_(pending is not None),
            seeds=self._next_seeds(),
            explore=explore,
            random=np.bool_(planned.random),
            until_end=np.bool_(planned.until_end),
        )

    def _next_seeds(self) -> np.ndarray:
        """Seeds (E, M) of the episodes that a call may begin: each takes two rows at least."""
        episodes, room = self._run.envs.episodes, self.chunk.turns // 2 + 1
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
