"""The preloaded library."""

import fault_library
import pytest


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """The compiled library; tests that need it are skipped where there is no C compiler."""
    path = fault_library.build(tmp_path_factory.mktemp("library"))
    return path or pytest.skip("there is no C compiler")
