"""An update is compiled in a thread, beside whatever else there is to do."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from reverie.machine.allocator import release
from reverie.machine.flops import count_flops
from reverie.machine.leaving import COMPILING


class Compiled(NamedTuple):
    """The update as a program of the device."""

    program: Any  # jax.stages.Compiled
    flops: int  # of one update of all seeds, see `count_flops`
    seconds: float  # that compiling took
    nbytes: int = 0  # device memory while it runs: arguments, temporaries, results; 0: not told
    scratch: int = 0  # the temporaries among them


def compiled_beside(
    step: Any,
    arguments: tuple[Any, ...],
    take: Callable[[Any], None],
    count: Callable[[Any], int] = count_flops,
    at_once: int = 1,
) -> tuple[tuple[str, ...], Future[Compiled]]:
    """Trace a jitted update here, and compile it in a thread, which hands the program to `take`;
    the names of its packed metrics, and what is compiled. `count` finds the arithmetic of one
    update in the traced program; `at_once`: how many calls of it run at the same time, whose
    arithmetic and memory are told together.

    Tracing is Python's work, and settings of this thread count for it; XLA's is not, and this
    thread may go on meanwhile.
    """
    start = time.perf_counter()
    release()
    traced = step.trace(*arguments)
    lowered, flops = traced.lower(), count(traced.jaxpr)

    def work() -> Compiled:
        program = lowered.compile()
        take(program)
        release()
        nbytes, scratch = (at_once * each for each in _memory(program))
        return Compiled(program, at_once * flops, time.perf_counter() - start, nbytes, scratch)

    thread = ThreadPoolExecutor(1, thread_name_prefix=COMPILING)
    future = thread.submit(work)
    thread.shutdown(wait=False)
    return traced.out_info[2].names.sorted, future


def _memory(program: Any) -> tuple[int, int]:
    """`nbytes` and `scratch` of a compiled program: asked once, since XLA takes long to tell."""
    memory = program.memory_analysis()
    if memory is None:
        return 0, 0
    scratch = memory.temp_size_in_bytes
    total = memory.argument_size_in_bytes + scratch + memory.output_size_in_bytes
    return total - memory.alias_size_in_bytes, scratch
