"""A finished run to read."""

import pytest
from fake_run import make_run


@pytest.fixture(scope="session")
def full_run(tmp_path_factory):
    """A finished run with everything in it; read it, do not change it."""
    return make_run(tmp_path_factory.mktemp("runs") / "cartpole-v3-0")
