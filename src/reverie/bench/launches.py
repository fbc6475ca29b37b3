"""`reverie bench launches`: what one update launches on a GPU, counted without having one.

JAX compiles the update for a described GPU, and the optimised program says which kernels it runs.
Matrix products are those that the compiler chooses without trying them out on the device: compare
counts of one version of JAX only.
"""

import functools as ft
import importlib.util
import time
from typing import Any, NamedTuple

import jax

from reverie.bench.case import Case, cases
from reverie.bench.gpus import GPUS, Gpu, described, least_seconds
from reverie.bench.kernels import Launches, Loop, count_launches
from reverie.bench.options import COUNTED, LaunchOptions, read_changes
from reverie.bench.output import check_target, show, write_json
from reverie.bench.update import exchanged, row_shapes, state_shapes
from reverie.config.mesh import MeshShape
from reverie.machine.flops import count_flops
from reverie.machine.mesh import mesh_of
from reverie.part.errors import ConfigError
from reverie.train.learner import packed_step
from reverie.train.placement import Spread
from reverie.watch import terminal

PLUGINS = ("jax_cuda13_plugin", "jax_cuda12_plugin")
"""Packages that bring XLA's compiler for NVIDIA's GPUs."""


EACH = 8
"""GPUs of a machine."""


class Count(NamedTuple):
    """One update of `seeds` seeds, or the part of it that each device of a mesh has. The fields are
    the keys of the JSON."""

    launches: int
    kinds: dict[str, int]  # launches by kind, most first
    loops: list[dict[str, Any]]  # name, trips, launches of a trip
    temporaries_mb: float  # 10⁶ bytes
    flops: int  # of matrix products and convolutions, see `count_flops`
    bytes: int  # read and written, an estimate
    collectives: dict[str, Any]  # of a mesh: times and bytes of an update, by kind
    estimate_ms: dict[str, float]  # by what bounds it: launches, arithmetic, memory
    compile_s: float


def run(options: LaunchOptions) -> dict[str, Count]:
    """Count what `options` ask for, show it and write it; the counts by the names of the cases.

    Raises ConfigError before any work where the compiler is missing, or a change or the JSON file
    is impossible.
    """
    check_target(options.json)
    check_compiler()
    changes = read_changes(options.set, COUNTED)
    how: dict[str, Any] = {"scan": options.scan, "meshes": (options.mesh,)}
    chosen = cases(options.size, options.obs, options.precision, changes, **how)
    gpu, counts = GPUS[options.gpu], {}
    for case in chosen:
        with terminal.console(errors=True).status(f"compiling {case.name} for {gpu.title}"):
            counts[case.name] = count(case, gpu, options.seeds)
    _show(options, counts)
    numbers = {name: found._asdict() for name, found in counts.items()}
    asked = {name: getattr(options, name) for name in ("gpu", "seeds", "scan", "mesh")}
    write_json(options.json, asked | {"jax": jax.__version__, "updates": numbers})
    return counts


def check_compiler() -> None:
    """Raises ConfigError where programs for a GPU cannot be compiled here."""
    if not any(importlib.util.find_spec(name) for name in PLUGINS):
        raise ConfigError(
            "counting launches needs XLA's compiler for NVIDIA GPUs, but no GPU; it is not "
            "installed here: pip install 'reverie[cuda]'."
        )


def count(case: Case, gpu: Gpu, seeds: int = 1) -> Count:
    """What one update of `case` launches on `gpu`, on each of a mesh; of so many seeds at once
    (`jax.vmap`)."""
    begin = time.perf_counter()
    step = ft.partial(packed_step, config=case.config)
    shapes = (state_shapes(case), row_shapes(case), jax.eval_shape(lambda: jax.random.key(0)))
    flops = seeds * count_flops(jax.make_jaxpr(step)(*shapes))
    if seeds > 1:
        step = jax.vmap(step)
        shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct((seeds, *x.shape), x.dtype), shapes)
    shape = case.config.device.mesh_shape
    if shape is None:
        program = compiled_for(gpu, step, shapes)
    else:
        program = compiled_over(gpu, shape, step, (*shapes, {}))
        flops //= shape.devices
    found = count_launches(program.as_text())
    return Count(
        found.total,
        found.kinds,
        [loop._asdict() for loop in found.loops],
        temporaries_mb=round(program.memory_analysis().temp_size_in_bytes / 1e6, 1),
        flops=flops,
        bytes=found.nbytes,
        collectives={kind: exchange._asdict() for kind, exchange in found.collectives.items()},
        estimate_ms=_estimate(gpu, found, flops, case.precision),
        compile_s=round(time.perf_counter() - begin, 1),
    )


def compiled_for(gpu: Gpu, function: Any, shapes: tuple) -> Any:
    """The program of `function` for `gpu`; its first argument is donated, as the learner does."""
    place = jax.sharding.SingleDeviceSharding(_devices(gpu, 1)[0])
    placed = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=place), shapes)
    traced = jax.jit(function, donate_argnums=0).trace(*placed)
    return traced.lower(lowering_platforms=("cuda",)).compile()


def compiled_over(gpu: Gpu, shape: MeshShape, step: Any, shapes: tuple) -> Any:
    """The program of each device of a mesh of `gpu`s, of `packed_step` with all its arguments."""
    over = Spread(mesh_of(_devices(gpu, shape.devices), shape))
    traced = over.jit(step, shapes[0]).trace(*shapes)
    return traced.lower(lowering_platforms=("cuda",)).compile()


def _devices(gpu: Gpu, count: int) -> Any:
    """Described devices, eight to a machine where there are more."""
    from jax.experimental import topologies

    each = count if count <= EACH else EACH
    if count % each:
        raise ConfigError(
            f"--mesh of {count} GPUs: machines of {EACH} are described, so take at most {EACH} or "
            f"a multiple of it, such as {count // EACH * EACH}."
        )
    topology = f"1x{count // each}x{each}"
    how = {"target_config": described(gpu), "topology": topology}
    return topologies.get_topology_desc("", "cuda", **how).devices


def _estimate(gpu: Gpu, found: Launches, flops: int, precision: str) -> dict[str, float]:
    seconds = least_seconds(
        gpu, launches=found.total, flops=flops, nbytes=found.nbytes, precision=precision
    )
    return {name: round(1e3 * value, 3) for name, value in seconds.items()}


COLUMNS = (
    *("", "launches", "in loops\ntrips x each", "temporaries\nMB", "TFLOP"),
    *("estimate ms\nlaunches", "\narithmetic", "\nmemory"),
)


def _show(options: LaunchOptions, counts: dict[str, Count]) -> None:
    seeds = f", {options.seeds} seeds at once" if options.seeds > 1 else ""
    rows = [(name, *_texts(found)) for name, found in counts.items()]
    kinds = [f"{name}: {_kinds(found)}" for name, found in counts.items()]
    if options.mesh:
        kinds += [f"{name} exchanges {exchanged(c.collectives)}" for name, c in counts.items()]
    note = (
        "Nothing was run. Milliseconds are estimates: 1.9 us a launch, and what arithmetic and "
        "memory would take at the device's full rates; the largest bounds an update."
    )
    gpus = f"each {GPUS[options.gpu].title} of {options.mesh}" if options.mesh else ""
    title = f"one update{seeds} on {gpus or GPUS[options.gpu].title}, compiled only"
    show(f"{title}, jax {jax.__version__}", COLUMNS, rows, "\n".join([*kinds, note]))


def _texts(found: Count) -> list[str]:
    loops = sorted((Loop(**loop) for loop in found.loops), key=lambda x: -x.trips * x.launches)
    return [
        f"{found.launches:,}",
        ", ".join(f"{loop.trips} x {loop.launches}" for loop in loops[:4]),
        f"{found.temporaries_mb:,.0f}",
        f"{found.flops / 1e12:,.3f}",
        *(f"{value:,.2f}" for value in found.estimate_ms.values()),
    ]


def _kinds(found: Count) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in found.kinds.items())
