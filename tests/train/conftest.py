"""What the tests of training share."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def shared_programs(traced_once):
    """Every run in this process takes the program that one before it has compiled."""
