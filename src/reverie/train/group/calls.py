"""The loops of several seeds on the device: one call makes many turns of all of them.

The program always computes every seed. What it computes for one that takes no part goes nowhere,
and nothing is computed across seeds but whether an episode begins or ends in one that takes part:
that changes how much is computed, and no number of anybody, to the last bit.
"""

import functools as ft
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from reverie.behavior.policy import Acting
from reverie.train.compiling import Compiled, compiled_beside
from reverie.train.group.stack import RowOf, Seat, stacked, together
from reverie.train.loop import Run
from reverie.train.ondevice import outcome, ring, script
from reverie.train.ondevice.calls import DeviceLoop
from reverie.train.ondevice.chunk import Carried, Chunk
from reverie.train.ondevice.outcome import Answer
from reverie.train.ondevice.pace import Pace, update_flops
from reverie.train.ondevice.ring import Ring
from reverie.train.ondevice.script import APART, NO_DRAWS, Draws, Planned, Script
from reverie.train.state import TrainState


class Calls:
    """The device loops of S runs, whose arrays it takes over: stacked, (S, …), between two calls.
    A run reads its own where it wants them.
    """

    def __init__(self, runs: Sequence[Run]):
        self._runs, self._loops = runs, [loop_of(run) for run in runs]
        self.chunk = replace(chunk_of(runs), in_turn=in_turn())
        self.program: Any = jax.jit(self.chunk.of_seeds(), donate_argnums=0)
        self._keys = tuple(map(jnp.stack, zip(*(loop.keys for loop in self._loops), strict=True)))
        self._pace = Pace(self.chunk.updates)
        self._block = jax.jit(_block, static_argnames=("size", "names"))
        state = stacked([loop.carried({}) for loop in self._loops])
        state = state._replace(ring=_rings(self._loops))
        self.train_state: TrainState = state.learner
        self.acting: Acting = state.acting
        self.newest: Acting = state.newest
        self._rest: Carried = state
        for place, (run, loop) in enumerate(zip(runs, self._loops, strict=True)):
            run.learner.held = Seat(self, place)
            loop.read = ft.partial(self._read, place)
            self._hand_out(place, NO_DRAWS)

    def compile_beside(self, rows: Mapping[str, Any]) -> Future[Compiled]:
        """As that of a loop."""

        def take(program: Any) -> None:
            self.program = program

        first = {0: self._loops[0].script(Planned([NO_DRAWS], [], []), NO_DRAWS)}
        names, future = compiled_beside(self.program, self._arguments(first), take, update_flops)
        for run in self._runs:
            run.learner.names = names
        return future

    def ready(self, runs: Sequence[Run]) -> tuple[Sequence[Run], int]:
        """As `script.ready`."""
        return script.ready(runs)

    def measure(self, place: int) -> None:
        """As `DeviceLoop.measure`, of one seed."""
        self._loops[place].measure()

    def __call__(self, places: Sequence[int], updates: int) -> dict[int, Callable[[], None]]:
        """As many turns and at most so many updates (see `script.ready`) of the seeds at `places`
        as one call makes; by which each of them takes in what came of it (`DeviceLoop.take_in`)."""
        loops, clock = [self._loops[place] for place in places], time.perf_counter()
        before = [loop.before() for loop in loops]
        most = {"turns": self.chunk.turns, "updates": min(updates, self._pace.updates)}
        planned = script.plan([loop.books for loop in loops], **most)
        made = dict(zip(places, planned.draws, strict=True))
        written = {place: self._loops[place].script(planned, made[place]) for place in made}
        state, answer, _ = self.program(*self._arguments(written))
        self._rest, (self.train_state, self.acting, self.newest) = state, state[:3]
        told = Answer.of(answer, state)
        self._pace.took(planned.updates, time.perf_counter() - clock)
        for place in range(len(self._loops)):
            self._hand_out(place, made.get(place, NO_DRAWS))
        return {
            place: ft.partial(loop.take_in, old, planned, _row(told, place))
            for place, loop, old in zip(places, loops, before, strict=True)
        }

    def _arguments(self, written: Mapping[int, Script]) -> tuple[Any, ...]:
        """What the program is given, for the scripts of those who take part."""
        state = self._rest._replace(
            learner=self.train_state, acting=self.acting, newest=self.newest
        )
        parts = {
            place: {name: getattr(one._replace(on=np.bool_(True)), name) for name in APART}
            for place, one in written.items()
        }
        common = next(iter(written.values()))
        whole = common._replace(**together(parts, len(self._loops)))
        return state, whole, self._keys, self._runs[0].learner.numbers

    def _hand_out(self, place: int, draws: Draws) -> None:
        """Tell a run where its arrays are now."""
        rest = self._rest.pending, self._rest.carry, self._rest.now
        pending, carry, now = jax.tree.map(lambda leaf: RowOf(leaf, place), rest)
        self._loops[place].stands(pending, carry, now, draws)

    def _read(self, place: int, first: int, *, size: int, names: tuple[str, ...]) -> Ring:
        """So many slots of the rows of one seed."""
        return self._block(self._rest.ring, place, first, size=size, names=names)


def in_turn() -> bool:
    """Whether seeds update one after the other within a call: on a CPU, which is not bound by the
    number of its operations, and whose caches hold what one seed computes rather than what all do
    (benchmarks/loops)."""
    return jax.default_backend() == "cpu"


def loop_of(run: Run) -> DeviceLoop:
    """Its loop on the device."""
    assert run.device is not None, "the loop is on the host"
    return run.device


def chunk_of(runs: Sequence[Run]) -> Chunk:
    """The program that serves each of `runs`: it shows of the rows what any of them looks at."""
    looks = [outcome.look_of(run) for run in runs]
    look = max(looks, key=lambda look: (look.everyone, len(look.keys)))
    return replace(loop_of(runs[0]).chunk, look=look)


def _rings(loops: Sequence[DeviceLoop]) -> Ring:
    """Their rows, (S, …) a column."""
    homes = [loop.columns() for loop in loops]
    if not any(loop.books.rows.inserted for loop in loops):
        one = homes[0].items()
        return {name: jnp.zeros((len(homes), *part.shape), part.dtype) for name, part in one}
    return {name: jnp.array(np.stack([home[name] for home in homes])) for name in homes[0]}


def _block(
    rings: Ring, place: Any, first: Any, *, size: int, names: tuple[str, ...]
) -> dict[str, Any]:
    return ring.block({n: rings[n][place] for n in names}, first, size=size, names=names)


def _row(told: Answer, place: int) -> Answer:
    return jax.tree.map(lambda leaf: leaf[place], told)
