"""Every test runs on the CPU; the numeric stations also with run-time shape checking."""

import functools as ft
import gc
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import jax
import jaxtyping
import psutil
import pytest

from reverie.machine.allocator import release
from reverie.optim.numbers import with_numbers

jaxtyping.install_import_hook(
    ["reverie.nn", "reverie.world", "reverie.behavior"], "beartype.beartype"
)

QUICK = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_use_fusion_emitters=false"
)


MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory."""

ROOM = 2**32
"""Bytes that must be free there: a session leaves a quarter of a gigabyte."""


def fits_memory() -> bool:
    """Whether the files of a session may lie in memory, where none waits for a disk; some of them
    are run."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return False
    free = min(psutil.disk_usage(str(MEMORY)).free, psutil.virtual_memory().available)
    return free > ROOM and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC


def pytest_configure(config):
    """Compile quickly where nothing runs for long: tests spend most of their time in XLA.

    The machine code is the only difference; the slow tests, which train, get the usual one.
    """
    if "not slow" in config.option.markexpr:
        os.environ.setdefault("XLA_FLAGS", QUICK)
    if fits_memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


LONG = ("train", "faults")
"""Folders whose files take longest: they come first, so that no worker ends alone."""


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.parent.name not in LONG)


STRICT = ("nn", "world", "behavior", "train")
"""Folders of tests in which arrays of different ranks must not meet unsaid."""


@pytest.fixture(scope="module", autouse=True)
def equal_ranks(request):
    """A rank that is promoted in silence is an error (simulators in JAX promote at will)."""
    strict = request.path.parent.name in STRICT
    with jax.numpy_rank_promotion("raise" if strict else "allow"):
        yield


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Folder of compiled programs, one for all workers and commands of a test session (or the one
    that JAX's variable names): compiling takes most of the time of tests that train."""
    base = tmp_path_factory.getbasetemp()
    own = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "xla"
    folder = Path(os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(own)))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        # Every command of a test would compile anew all that it imports.
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(own.with_name("bytecode")))
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    return folder


BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as found:
        opened = found.chromium.launch(
            executable_path=program, args=["--no-sandbox"], timeout=120_000
        )
        yield opened
        opened.close()


LEARNED = ("replay", "net", "world", "behavior", "explore")
PACE = ("update", "ratio", "prefill", "pretrain", "batch", "length")
"""Groups of options, and options of `train`, that the program of an update depends on; when a run
ends, its seed and name, what it logs and when it evaluates or saves are no part of it, nor are a
bonus, which the loop adds to rewards, and the folder of compiled programs."""


def told(record, names):
    """Some fields of a record, in words that differ where they do."""
    return repr([getattr(record, name) for name in names])


def learned(config, names=()):
    """What the programs of a run depend on, and more groups of options. The rates that an update
    takes as arguments are no part of it."""
    given = config.optim.numbers(config.world.balance.sigma_lr)
    optim = with_numbers(config.optim, dict.fromkeys(given, "an argument"))
    device = with_numbers(config.device, {"cache": ""})
    return told(config, (*LEARNED, *names)) + repr((optim, device))


@pytest.fixture(scope="session")
def programs():
    """Compiled updates by configuration and shapes, of the runs in this process."""
    return {}


@pytest.fixture(scope="module")
def traced_once(cache, programs):
    """Runs of one configuration in this process share the programs that make their first weights,
    their actions and their updates: tracing them takes most of the time of a run of seconds."""
    from reverie.train.collect import Actor
    from reverie.train.group.calls import Calls
    from reverie.train.group.stack import Stack
    from reverie.train.learner import Learner
    from reverie.train.ondevice.calls import DeviceLoop

    real, real_stack = Learner.compile_beside, Stack.compile_beside
    real_device, real_calls = DeviceLoop.compile_beside, Calls.compile_beside
    real_like, real_begin = DeviceLoop._result_like, Learner.__init__
    real_act = Actor.__init__

    def begin_once(learner, obs, actions, config, *, like=None):
        key = learned(config), config.train.update, repr((obs, actions))
        real_begin(learner, obs, actions, config, like=like or programs.get(key))
        made = SimpleNamespace(_make=learner._make, _acting_of=learner._acting_of)
        programs.setdefault(key, made)

    def compile_once(learner, rows, others=()):
        config, learners = learner._config, [learner, *others]
        own, shapes = learned(config) + told(config.train, PACE), repr(sorted(rows.items()))
        key = own, len(learners), shapes, jax.tree.structure(learner.train_state)
        if key not in programs:
            future = real(learner, rows, others)
            future.result()  # it sets the step
            programs[key] = future, learner._step, learner.names
        for one in learners:
            future, one._step, one.names = programs[key]
        return future

    def compile_all_once(stack, rows):
        config, learners = stack._learners[0]._config, stack._learners
        own = learned(config, ("train",))
        key = own, len(learners), repr(sorted(rows.items()))
        if key not in programs:
            future = real_stack(stack, rows)
            future.result()
            programs[key] = future, stack._step, learners[0].names
        future, stack._step, names = programs[key]
        for learner in learners:
            learner.names = names
        return future

    def own_of(run):
        own = learned(run.config, ("env",)) + told(run.config.train, (*PACE, "chunk"))
        return own, run.config.task

    def result_like_once(device):
        key = own_of(device._run)
        if key not in programs:
            programs[key] = real_like(device)
        return programs[key]

    def compile_call_once(calls, rows, runs, compile_beside):
        run = runs[0]
        places = run.replay.inside.keep.places
        key = own_of(run), calls.chunk.look, calls.chunk.in_turn, places, type(calls), len(runs)
        if key not in programs:
            future = compile_beside(calls, rows)
            future.result()
            programs[key] = future, calls.program, run.learner.names
        future, calls.program, names = programs[key]
        for run in runs:
            run.learner.names = names
        return future

    def compile_loop_once(device, rows, others=()):
        runs = [device._run, *(other._run for other in others)]
        future = compile_call_once(device, rows, runs, ft.partial(real_device, others=others))
        for other in others:
            other.program = device.program
        return future

    def compile_calls_once(calls, rows):
        return compile_call_once(calls, rows, calls._runs, real_calls)

    def act_once(actor, *given, like=None, **how):
        store = how.get("store")
        config = getattr(store, "keywords", {}).get("config")
        own = repr(store) if config is None else learned(config)
        key = "acting", own, how.get("greedy"), repr(how.get("share"))
        real_act(actor, *given, like=like or programs.get(key), **how)
        programs.setdefault(key, SimpleNamespace(_act=actor._act))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Actor, "__init__", act_once)
        patch.setattr(DeviceLoop, "compile_beside", compile_loop_once)
        patch.setattr(DeviceLoop, "_result_like", result_like_once)
        patch.setattr(Calls, "compile_beside", compile_calls_once)
        patch.setattr(Learner, "__init__", begin_once)
        patch.setattr(Learner, "compile_beside", compile_once)
        patch.setattr(Stack, "compile_beside", compile_all_once)
        yield


@pytest.fixture(params=["local", pytest.param("ray", marks=pytest.mark.slow)])
def back_end(request, monkeypatch):
    """Where the environments of a test run (`back_ends.py`)."""
    if request.param == "ray":
        if request.node.callspec.params.get("parallel") is False:
            pytest.skip("there is no process")
        pytest.importorskip("ray")
        from back_ends import on_ray

        monkeypatch.setattr(request.module, "Vector", on_ray, raising=False)
    return request.param


MOST = min(2**31, max(2**30, psutil.virtual_memory().total // 8))
"""Bytes of a test process above which compiled programs are forgotten: an eighth of the machine,
and so little that none comes near 3 GB."""

GROWN = 2**28
"""Bytes by which a test process may grow before it returns what was freed."""


def resident() -> int:
    return psutil.Process().memory_info().rss


@pytest.fixture(scope="module", autouse=True)
def few_programs(programs):
    """The programs that the tests of a file compiled go with it, where they have become many; those
    that runs share go last."""
    yield
    release()
    for forget in (jax.clear_caches, programs.clear):
        if resident() > MOST:
            forget()
            gc.collect()
            release()


@pytest.fixture(autouse=True)
def freed_memory(few_programs):
    """What compiling took is returned after the test."""
    before = resident()
    yield
    if resident() > before + GROWN:
        release()
