"""Turns, bursts and the operations of a profile."""

from types import SimpleNamespace as Thing

import pytest

from reverie.bench.profile import operations
from reverie.bench.timing import MOST, Contender, burst, by_turns, median, spread


class Clock:
    """Clocks that go on only when they are told to: a busy machine changes nothing."""

    def __init__(self):
        self.now = self.worked = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def work(self, seconds: float) -> None:
        self.sleep(seconds)
        self.worked += seconds

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.worked


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr("reverie.bench.timing.time", found)
    return found


def test_a_burst_is_the_mean_of_its_calls_and_of_one_wait(clock):
    log = []

    def start():
        log.append("start")
        clock.work(0.001)

    sample = burst(Contender(start, lambda: clock.sleep(0.04)), 4)
    assert log == ["start"] * 4
    assert sample.wall == pytest.approx(0.011)
    assert sample.cpu == pytest.approx(0.001)  # sleeping is no work


def test_turns_go_forth_and_back_and_fill_the_span(clock):
    log = []

    def contender(name: str, seconds: float) -> Contender:
        return Contender(lambda: log.append(name), lambda: clock.sleep(seconds))

    contenders = {"a": contender("a", 0.3), "b": contender("b", 0.3), "c": contender("c", 1e-6)}
    samples = by_turns(contenders, 3)
    assert [len(found) for found in samples.values()] == [3, 3, 3]
    timed = "".join(log[6:])  # after two calls of each to be ready
    assert timed == "ab" + "c" * MOST + "c" * MOST + "ba" + "ab" + "c" * MOST


def test_median_and_spread():
    assert median([3.0, 1.0, 100.0]) == 3.0
    assert spread([8.0, 10.0, 13.0]) == pytest.approx(0.25)


def event(name: str, ms: float) -> Thing:
    return Thing(name=name, duration_ns=ms * 1e6)


def profile_of(**planes: dict[str, list]) -> Thing:
    def plane(name: str, lines: dict[str, list]) -> Thing:
        found = [Thing(name=line, events=events) for line, events in lines.items()]
        return Thing(name=name, lines=found)

    return Thing(planes=[plane(name, lines) for name, lines in planes.items()])


def test_operations_of_a_gpu_are_those_of_its_streams():
    gpu = {
        "XLA Modules": [event("jit_packed_step", 9)],
        "XLA Ops": [event("fusion.1", 2)],
        "Stream #13(Compute)": [event("gemm", 2), event("fusion", 5), event("gemm", 2)],
    }
    host = {"python": [event("$loop.py", 50)], "tf_XLA": [event("dot.1", 50)]}
    found = operations(profile_of(**{"/host:CPU": host, "/device:GPU:0": gpu}), calls=2)
    assert found == [("fusion", 2.5, 0.5), ("gemm", 2.0, 1.0)]


def test_operations_of_the_host_are_those_of_the_programs():
    host = {"tf_XLA": [event("dot.1", 4), event("ThunkExecutor::Execute (wait)", 90)]}
    found = operations(profile_of(**{"/host:CPU": host, "/device:CUSTOM:x": {}}), calls=1)
    assert found == [("dot.1", 4.0, 1.0)]
