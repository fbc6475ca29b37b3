"""Every test runs on the CPU; the numeric stations also with run-time shape checking."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


import jaxtyping

jaxtyping.install_import_hook(
    ["reverie.nn", "reverie.world", "reverie.behavior"], "beartype.beartype"
)

QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


def pytest_configure(config):
    """Compile quickly where nothing runs for long: tests spend most of their time in XLA.

    The machine code is the only difference; the slow tests, which train, get the usual one.
    """
    if "not slow" in config.option.markexpr:
        os.environ.setdefault("XLA_FLAGS", QUICK)
