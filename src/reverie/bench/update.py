"""`reverie bench update`: the cost of one learning update.

The real `Learner` updates on rows of chance, in bursts, as the loop calls it: results of an update
are fetched while the next one computes. Each case takes turns with the others and with a large
matrix product, which tells what the machine can do at that very time.
"""

import dataclasses
import functools as ft
import resource
import sys
from typing import Any, NamedTuple

import jax

from reverie.bench.case import Case, cases, random_rows
from reverie.bench.kernels import count_launches
from reverie.bench.options import UpdateOptions, read_changes
from reverie.bench.output import check_target, machine, show, write_json
from reverie.bench.profile import profile
from reverie.bench.timing import Contender, Sample, by_turns, median, spread
from reverie.config.schema import Config
from reverie.machine.flops import MatrixProduct, count_flops
from reverie.module import count_params
from reverie.train.compiling import Compiled
from reverie.train.forms import resolve_device
from reverie.train.group.stack import Stack
from reverie.train.learner import Learner, packed_step
from reverie.train.losses import compute_dtype
from reverie.train.state import TrainState, init
from reverie.watch import terminal

MEGA = 1e6


class Cost(NamedTuple):
    """One update. The fields are the keys of the JSON; None where nothing was run."""

    params: int  # trainable scalars
    compile_s: float | None  # tracing and compiling, nothing cached
    update_ms: float | None  # wall time
    update_cpu_s: float | None  # CPU time of all threads of the process
    flops: int  # of matrix products and convolutions, see `count_flops`
    peak_share: float | None  # attained FLOP/s by those of a large matrix product
    host_mb: float | None  # peak resident memory of the whole process, 10⁶ bytes
    device_mb: float | None  # of the compiled update, 10⁶ bytes; of each device of a mesh
    collectives: dict[str, Any] | None = None  # of a mesh: times and bytes of an update, by kind
    speedup: float | None = None  # of a mesh: time on one device by that on the mesh


class Subject(NamedTuple):
    """A case that is ready to be timed."""

    case: Case
    contender: Contender
    params: int
    flops: int
    compile_s: float
    device_bytes: int
    collectives: dict[str, Any] | None = None


def run(options: UpdateOptions) -> dict[str, Cost]:
    """Measure what `options` ask for, show it and write it; the costs by the names of the cases.

    Raises ConfigError before any work where a change or the JSON file is impossible.
    """
    check_target(options.json)
    changes, meshes = read_changes(options.set), ("", options.mesh) if options.mesh else ("",)
    chosen = cases(options.size, options.obs, options.precision, changes, meshes=meshes)
    if options.dry:
        costs = {case.name: count(case, options.seeds) for case in chosen}
        _show(costs, "", options.seeds)
    else:
        costs = measure(chosen, options)
    named = {name: cost._asdict() for name, cost in costs.items()}
    write_json(options.json, named if len(named) > 1 else next(iter(named.values())))
    return costs


def count(case: Case, seeds: int = 1) -> Cost:
    """What follows from shapes alone: parameters of one seed, arithmetic of all."""
    state, rows = state_shapes(case), row_shapes(case)
    step = ft.partial(packed_step, config=case.config)
    flops = seeds * count_flops(jax.make_jaxpr(step)(state, rows, jax.random.key(0)))
    return Cost(count_params(state.agent), None, None, None, flops, None, None, None)


def state_shapes(case: Case) -> TrainState:
    """Shapes and dtypes of the learner's state; nothing is allocated."""
    make = ft.partial(init, case.obs_specs, case.action_specs, case.config)
    return jax.eval_shape(make, jax.random.key(0))


def row_shapes(case: Case) -> dict[str, Any]:
    """Shapes and dtypes of a batch of rows."""
    return {
        name: jax.ShapeDtypeStruct((*case.lead, *column.shape), column.dtype)
        for name, column in case.columns.items()
    }


def measure(chosen: list[Case], options: UpdateOptions) -> dict[str, Cost]:
    """Time every case by turns with the matrix products of its precision; show the table."""
    jax.config.update("jax_enable_compilation_cache", False)
    with terminal.console(errors=True).status("compiling") as status:
        subjects = [prepare(case, options.seeds) for case in chosen]
        status.update("timing")
        products = {f"matmul {p}": MatrixProduct(compute_dtype(p)) for p in options.precision}
        contenders = {name: _product_contender(product) for name, product in products.items()}
        contenders |= {subject.case.name: subject.contender for subject in subjects}
        samples = by_turns(contenders, options.repeats)
    speeds = {n: p.flops / median(s.wall for s in samples[n]) for n, p in products.items()}
    costs = {
        s.case.name: _cost(s, samples[s.case.name], speeds[f"matmul {s.case.precision}"])
        for s in subjects
    }
    costs = {s.case.name: _beside_one(s.case, costs) for s in subjects}
    _show(costs, "\n".join([_note(samples, speeds), *_scaling(subjects, costs)]), options.seeds)
    for subject in subjects if options.profile else []:
        profile(subject.case.name, subject.contender, options.profile)
    return costs


def prepare(case: Case, seeds: int = 1) -> Subject:
    """Compile the update of `case`, of so many seeds at once, and make its learners ready."""
    device = resolve_device(case.config.device, jax.default_backend())
    configs = [dataclasses.replace(case.config, device=device, seed=n) for n in range(seeds)]
    first = Learner(case.obs_specs, case.action_specs, configs[0])
    params, rows = count_params(first.train_state.agent), random_rows(case)
    if seeds == 1:
        compiled = first.compile(rows)
        contender = Contender(
            lambda: _fetch(first, first.update(rows, None)),
            lambda: jax.block_until_ready(first.train_state),
        )
    else:
        others = [Learner(case.obs_specs, case.action_specs, c, like=first) for c in configs[1:]]
        compiled, contender = _together([first, *others], configs[0], rows)
    return Subject(
        *(case, contender, params),
        flops=compiled.flops,
        compile_s=compiled.seconds,
        device_bytes=compiled.nbytes,
        collectives=_collectives(compiled.program) if device.mesh else None,
    )


def _together(
    learners: list[Learner], config: Config, rows: dict[str, Any]
) -> tuple[Compiled, Contender]:
    """The update of several seeds as one program, on the same rows."""
    stack = Stack(learners, config)
    compiled = stack.compile_beside(rows).result()
    batches: Any = dict.fromkeys(range(len(learners)), (rows, None))

    def start() -> None:
        for index, finished in stack.update(batches).items():
            _fetch(learners[index], finished)

    return compiled, Contender(start, lambda: jax.block_until_ready(stack.train_state))


def _fetch(learner: Learner, finished: tuple[Any, Any] | None) -> None:
    if finished is not None:
        learner.fetch(finished[1])


def _collectives(program: Any) -> dict[str, Any]:
    """What the devices exchange in an update, by kind."""
    found = count_launches(program.as_text()).collectives
    return {kind: exchange._asdict() for kind, exchange in found.items()}


def _beside_one(case: Case, costs: dict[str, Cost]) -> Cost:
    """The cost of a case, with its speed beside that of one device where it is on a mesh."""
    own, alone = costs[case.name], costs.get(case.name.removesuffix(case.config.device.mesh)[:-1])
    if not case.config.device.mesh or alone is None or not (own.update_ms and alone.update_ms):
        return own
    return own._replace(speedup=round(alone.update_ms / own.update_ms, 3))


def _scaling(subjects: list[Subject], costs: dict[str, Cost]) -> list[str]:
    """A sentence for each case on a mesh."""
    told = []
    for subject in subjects:
        shape, cost = subject.case.config.device.mesh_shape, costs[subject.case.name]
        if shape is None or cost.speedup is None:
            continue
        share = cost.speedup / shape.devices
        told.append(
            f"{subject.case.name}: {cost.speedup:.2f} times as fast as on one device ({share:.0%} "
            f"of {shape.devices}); an update exchanges {exchanged(cost.collectives or {})}"
        )
    return told


def exchanged(collectives: dict[str, Any]) -> str:
    """`12 all-reduce of 41.9 MB, 3 all-gather of 0.1 MB`: times and bytes in all, by kind."""
    parts = [
        f"{found['times']:,} {kind} of {found['nbytes'] / MEGA:,.1f} MB"
        for kind, found in collectives.items()
    ]
    return ", ".join(parts) or "nothing"


def _product_contender(product: MatrixProduct) -> Contender:
    newest: list[Any] = [None]

    def start() -> None:
        newest[0] = product.start()

    return Contender(start, lambda: jax.block_until_ready(newest[0]))


def _cost(subject: Subject, samples: list[Sample], speed: float) -> Cost:
    wall, shape = median(sample.wall for sample in samples), subject.case.config.device.mesh_shape
    devices = 1 if shape is None else shape.devices
    return Cost(
        params=subject.params,
        compile_s=round(subject.compile_s, 2),
        update_ms=round(wall * 1e3, 3),
        update_cpu_s=round(median(sample.cpu for sample in samples), 5),
        flops=subject.flops,
        peak_share=round(subject.flops / wall / speed / devices, 4),
        host_mb=round(peak_memory() / MEGA, 1),
        device_mb=round(subject.device_bytes / MEGA, 1),
        collectives=subject.collectives,
    )


def peak_memory() -> int:
    """Most resident memory that this process ever had, bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _note(samples: dict[str, list[Sample]], speeds: dict[str, float]) -> str:
    lines = [f"{name}: {speed / 1e9:,.0f} GFLOP/s" for name, speed in speeds.items()]
    widest = max(spread(sample.wall for sample in found) for found in samples.values())
    lines += [f"repeats differ by up to ±{widest:.0%}"]
    stats = jax.local_devices()[0].memory_stats() or {}
    if "peak_bytes_in_use" in stats:
        lines += [f"peak device memory of the process: {stats['peak_bytes_in_use'] / 1e6:,.0f} MB"]
    return "\n".join(lines)


COLUMNS = (
    *("", "parameters", "compile\ns", "update\nms", "CPU\ns", "GFLOP"),
    *("of\npeak", "host\nMB", "device\nMB"),
)


def _show(costs: dict[str, Cost], note: str, seeds: int) -> None:
    together = f" of {seeds} seeds at once" if seeds > 1 else ""
    show(
        f"update{together} on {machine()}",
        COLUMNS,
        [(name, *_texts(cost)) for name, cost in costs.items()],
        note,
    )


def _texts(cost: Cost) -> list[str]:
    return [
        f"{cost.params:,}",
        _text(cost.compile_s, ".1f"),
        _text(cost.update_ms, ",.1f"),
        _text(cost.update_cpu_s, ".3f"),
        f"{cost.flops / 1e9:,.1f}",
        _text(cost.peak_share, ".1%"),
        _text(cost.host_mb, ",.0f"),
        _text(cost.device_mb, ",.0f"),
    ]


def _text(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
