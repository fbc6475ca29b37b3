"""Runs of seconds to look into."""

import pytest
from tiny_dreams import BLIND, PICTURES, Arm, Lamp, opened, run_of


@pytest.fixture(scope="session")
def lamp(tmp_path_factory, cache):
    """The folder of a run on pictures."""
    return run_of(Lamp, tmp_path_factory.mktemp("dreams") / "lamp", PICTURES)


@pytest.fixture(scope="session")
def arm(tmp_path_factory, cache):
    """The folder of a run on numbers, without a decoder."""
    return run_of(Arm, tmp_path_factory.mktemp("dreams") / "arm", BLIND)


@pytest.fixture(scope="session")
def lamp_inspector(lamp):
    return opened(lamp, Lamp)


@pytest.fixture(scope="session")
def arm_inspector(arm):
    return opened(arm, Arm)
