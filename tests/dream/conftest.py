"""Runs of seconds to look into."""

import pytest
from served import served
from tiny_dreams import BLIND, PICTURES, TITLE, Arm, Dial, Gears, Lamp, opened, run_of

from reverie.dream.desk import Desk
from reverie.dream.session import Session
from reverie.web.guard import Guard


@pytest.fixture(scope="session")
def lamp(tmp_path_factory, cache):
    """The folder of a run on pictures."""
    return run_of(Lamp, tmp_path_factory.mktemp("dreams") / "lamp", PICTURES)


@pytest.fixture(scope="session")
def arm(tmp_path_factory, cache):
    """The folder of a run on numbers, without a decoder."""
    return run_of(Arm, tmp_path_factory.mktemp("dreams") / "arm", BLIND)


@pytest.fixture(scope="session")
def dial(tmp_path_factory, cache):
    """The folder of a run on numbers and a class."""
    return run_of(Dial, tmp_path_factory.mktemp("dreams") / "dial", {})


@pytest.fixture(scope="session")
def gears(tmp_path_factory, cache):
    """The folder of a run whose actions are classes and a number."""
    return run_of(Gears, tmp_path_factory.mktemp("dreams") / "gears", {})


@pytest.fixture(scope="session")
def lamp_inspector(lamp):
    return opened(lamp, Lamp)


@pytest.fixture(scope="session")
def arm_inspector(arm):
    return opened(arm, Arm)


@pytest.fixture(scope="session")
def dial_inspector(dial):
    return opened(dial, Dial)


@pytest.fixture(scope="session")
def gears_inspector(gears):
    return opened(gears, Gears)


@pytest.fixture
def session(lamp_inspector):
    made = Session(lamp_inspector)
    made.open("replay", 0)
    yield made
    made.close()


@pytest.fixture(scope="module")
def desk(lamp_inspector):
    return Desk(lamp_inspector, TITLE)


@pytest.fixture(scope="module")
def port(desk):
    """A server in a thread of this process."""
    from reverie.dream.server import make_app

    with served(make_app(desk, Guard("127.0.0.1"))) as found:
        yield found
