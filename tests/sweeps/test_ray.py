"""Trials as tasks of Ray: what a trial asks for, what is refused, and a real cluster here."""

import importlib
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from sweep_parts import RUNNER, begin, child_of, kill, numbers, plan, wait_for

from reverie.envs.ray_cluster import ADDRESS
from reverie.sweeps import control, file, room
from reverie.sweeps import ray as trials
from reverie.sweeps.errors import SweepError
from reverie.sweeps.file import How
from reverie.sweeps.ray import Ray
from reverie.sweeps.room import Needs


def machine(alive=True, **resources):
    """A machine as Ray lists it."""
    return {"Alive": alive, "Resources": resources}


@pytest.fixture
def asked_for(monkeypatch):
    """A stand-in for a cluster: what its tasks were asked to take."""
    asked: list[dict] = []

    class Task:
        def options(self, **given):
            asked.append(given)
            return self

        def remote(self, *_):
            return "a reference"

    nodes = [machine(CPU=2.0, memory=1000.0), machine(CPU=4.0, GPU=2.0, memory=500.0)]
    nodes.append(machine(alive=False, CPU=64.0, GPU=8.0))
    fake = SimpleNamespace(
        nodes=lambda: nodes, remote=lambda _: Task(), is_initialized=lambda: True, fake=nodes
    )
    monkeypatch.setattr(trials, "_joined", lambda: (fake, False))
    monkeypatch.setattr(room, "planned_bytes", lambda run: 700 if run.name == "a" else 0)
    return asked, nodes


def test_a_trial_asks_for_no_more_than_a_machine_has(asked_for, tmp_path):
    asked, nodes = asked_for
    ray = Ray(tmp_path, Needs(cores=16))
    assert ray.room([]) == 1
    ray.start(["a"])
    assert ray.room(["a"]) > 100  # it has planned its memory
    ray.start(["b"])
    assert [found["num_cpus"] for found in asked] == [4, 4]
    assert [found["memory"] for found in asked] == [None, 500]
    assert [found["num_gpus"] for found in asked] == [0, 0]
    Ray(tmp_path, Needs(cores=1, devices=2)).start(["c"])
    assert (asked[-1]["num_cpus"], asked[-1]["num_gpus"]) == (1, 2)
    del nodes[1]  # no machine has a GPU: a mesh lies on CPUs
    Ray(tmp_path, Needs(cores=16, devices=2)).start(["c"])
    assert (asked[-1]["num_cpus"], asked[-1]["num_gpus"]) == (2, 0)


def test_no_second_trial_until_the_first_has_planned_its_memory(asked_for, tmp_path):
    ray = Ray(tmp_path, Needs())
    assert [ray.room(names) for names in ([], ["new"], ["new", "a"])] == [1, 0, 998]
    assert Ray(tmp_path, Needs(), jobs=3).room(["new"]) == 2


def test_what_no_machine_of_the_cluster_has_is_told(asked_for, tmp_path):
    _, nodes = asked_for
    with pytest.raises(SweepError, match="takes 4 GPUs, and the largest machine of the Ray clus"):
        Ray(tmp_path, Needs(devices=4))
    nodes[:] = [machine(CPU=0.0)]
    with pytest.raises(SweepError, match="no machine of the Ray cluster gives CPUs"):
        Ray(tmp_path, Needs())


def test_ray_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SweepError) as refused:
        Ray(tmp_path, Needs())
    assert (
        str(refused.value) == "the back end ray needs the package ray: pip install 'reverie[ray]'."
    )


def test_nobody_answers_at_the_address(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setenv(ADDRESS, "127.0.0.1:1")
    with pytest.raises(SweepError, match=r"cluster at 127.0.0.1:1 .RAY_ADDRESS. was not reached"):
        Ray(tmp_path, Needs())


def on_ray(sweep) -> Ray:
    """The back end, with quick trials that would keep more cores busy than any machine has."""
    return Ray(sweep.folder, Needs(cores=1_000_000), jobs=4, runner=RUNNER)


def disturbed(folder: Path, asked, shoot):
    """The sweep, beside which `shoot` takes the first trial that has written something."""

    def wait() -> None:
        wait_for(lambda: numbers(folder))
        shoot(folder, next(iter(numbers(folder))))

    thread = threading.Thread(target=wait)
    thread.start()
    found = control.begin(folder, asked, How("ray"), on_ray, len)
    thread.join()
    return found


@pytest.mark.slow
def test_four_trials_one_of_them_killed(tmp_path):
    pytest.importorskip("ray")
    asked, folder = plan("slow", seeds=4, steps=100), tmp_path / "ray"
    begin(tmp_path / "whole", asked, jobs=4)
    found = disturbed(folder, asked, lambda there, name: kill(child_of(there, name)))
    assert found.count("finished") == 4
    assert sorted(r.failures for r in found.trials.values()) == [0, 0, 0, 1]
    assert numbers(folder) == numbers(tmp_path / "whole")
    assert file.read(folder).how.backend == "ray"


def kill_worker(folder: Path, name: str) -> None:
    """Kill the process of Ray that runs a trial's, as the loss of its machine does."""
    own = file.record.read(folder, name).pid
    kill(own)
    kill(int(Path(f"/proc/{own}/stat").read_text().rpartition(")")[2].split()[1]))


@pytest.mark.slow
def test_a_running_cluster_is_joined_and_a_lost_worker_s_trial_tried_again(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    made = importlib.import_module("ray.cluster_utils").Cluster(
        initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False}
    )
    monkeypatch.setenv(ADDRESS, made.address)
    asked, folder = plan("slow", seeds=4, steps=100), tmp_path / "ray"
    begin(tmp_path / "whole", asked, jobs=4)
    try:
        found = disturbed(folder, asked, kill_worker)
        assert not ray.is_initialized()
        ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
        assert ray.cluster_resources()["CPU"] == 2  # the sweep has not ended what is not its own
        ray.shutdown()
    finally:
        made.shutdown()
    assert found.count("finished") == 4
    assert numbers(folder) == numbers(tmp_path / "whole")
    assert sorted(r.tries for r in found.trials.values()) == [1, 1, 1, 2]
