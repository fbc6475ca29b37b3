"""Runs of these tests share their compiled programs: compiling would take most of the time."""

import os

import jax
import pytest


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Folder of compiled programs, one for all processes of a test session."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "xla"
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    return folder
