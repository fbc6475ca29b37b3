"""The preloaded library, and runs that trace their update once for all."""

import dataclasses

import fault_library
import pytest

from reverie.train.learner import Learner


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """The compiled library; tests that need it are skipped where there is no C compiler."""
    path = fault_library.build(tmp_path_factory.mktemp("library"))
    return path or pytest.skip("there is no C compiler")


@pytest.fixture(scope="module")
def traced_once(cache):
    """Runs of one configuration in this process share their compiled update: tracing it takes
    most of the time of a run of seconds."""
    programs = {}
    real = Learner.compile

    def compile_once(learner, rows):
        config = dataclasses.replace(learner._config, logdir="", steps=1)
        key = repr((config, sorted(rows.items())))
        if key not in programs:
            programs[key] = real(learner, rows), learner._step, learner.names
        compiled, learner._step, learner.names = programs[key]
        return compiled

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "compile", compile_once)
        yield
