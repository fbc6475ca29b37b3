"""Several processes that learn one run: how they meet, what they tell each other, and that the
numbers are those of one process."""

import signal
import subprocess
import threading
import time

import jax
import numpy as np
import pytest
from tiny_runs import flat, free_port, metrics, newest, start, tiny, wait_for_step

from reverie.config.edit import apply
from reverie.config.run import DeviceConfig
from reverie.config.schema import Config
from reverie.envs.episodes import OpenEpisodes, episode_seed
from reverie.folder.errors import RunError
from reverie.machine import cluster
from reverie.machine.cluster import Place, place_of
from reverie.part.errors import ConfigError
from reverie.records import Spec
from reverie.train import parts, setup
from reverie.train.collect import Share, random_action
from reverie.train.peers import ALONE, Together, silent

MET = {"mesh": "data=2", "coordinator": "10.0.0.1:1234", "processes": 4, "process": 2}
TOLD = {"processes": 1, "process": 0}
"""Where SLURM or the environment say which process this is."""
SLURM = {
    "SLURM_JOB_ID": "4100",
    "SLURM_STEP_NODELIST": "node[007-009,012],other",
    "SLURM_NTASKS": "8",
    "SLURM_PROCID": "3",
}
JAX = {
    "JAX_COORDINATOR_ADDRESS": "host:99",
    "JAX_NUM_PROCESSES": "2",
    "JAX_PROCESS_ID": "1",
}


def test_a_process_finds_its_place():
    assert place_of(DeviceConfig()) is None
    assert place_of(DeviceConfig(**MET)) == Place("10.0.0.1:1234", 4, 2)
    by = {name: DeviceConfig(mesh="data=8", coordinator=name) for name in ("slurm", "env")}
    assert place_of(by["slurm"], SLURM) == Place("node007:61444", 8, 3)
    assert place_of(by["slurm"], SLURM | {"SLURM_STEP_NODELIST": "a,b"}).address == "a:61444"
    assert place_of(by["env"], JAX) == Place("host:99", 2, 1)


@pytest.mark.parametrize(
    ("changes", "variables", "said"),
    [
        ({**TOLD, "coordinator": "slurm"}, {}, r"a job step that srun started: .*SLURM_PROCID"),
        (
            {**TOLD, "coordinator": "env"},
            {**JAX, "JAX_PROCESS_ID": ""},
            "not set here: JAX_PROCESS_ID",
        ),
        (
            {**TOLD, "coordinator": "env"},
            {**JAX, "JAX_PROCESS_ID": "2"},
            "process 2 of 2: .*from 0 to one",
        ),
        ({**TOLD, "coordinator": "env"}, {**JAX, "JAX_NUM_PROCESSES": "x"}, "process 1 of x"),
        ({"coordinator": "nowhere"}, {}, "must be HOST:PORT, .* found 'nowhere'"),
        ({"coordinator": "host:70000"}, {}, "must be HOST:PORT"),
        ({"process": 4}, {}, r"device.process must be between 0 and 3 .* found 4"),
        ({"processes": 0}, {}, "device.processes must be at least 1"),
        ({"wait": 0.0}, {}, "device.wait must be greater than 0"),
        ({"coordinator": ""}, {}, "device.processes must be 1 unless .* is HOST:PORT; .* found 4"),
        (
            {**TOLD, "coordinator": "", "process": 1},
            {},
            "device.process must be 0 unless .* found 1",
        ),
        (
            {**TOLD, "coordinator": "", "wait": 9},
            {},
            "wait must be 300 unless .* for nobody, found 9",
        ),
        (
            {"coordinator": "slurm"},
            SLURM,
            "device.processes must be 1 .*slurm and env say .* found 4",
        ),
        ({**TOLD, "coordinator": "env", "process": 1}, JAX, "device.process must be 0 .* found 1"),
        ({"mesh": ""}, {}, "device.mesh must be given where device.coordinator is"),
    ],
)
def test_a_place_that_cannot_be_is_one_sentence(changes, variables, said):
    with pytest.raises(ConfigError, match=said):
        place_of(DeviceConfig(**(MET | changes)), variables)


def test_a_coordinator_that_is_not_reached_is_told_with_what_was_tried(monkeypatch):
    monkeypatch.setattr(cluster, "PAUSE", 0.05)
    address = f"127.0.0.1:{free_port()}"
    begin = time.monotonic()
    with pytest.raises(ConfigError) as error:
        cluster.join(DeviceConfig(**(MET | {"coordinator": address, "wait": 0.2})))
    assert time.monotonic() - begin < 2
    said = str(error.value)
    assert said.startswith(f"process 2 of 4 did not reach the coordinator {address} within 0.2 s: ")
    assert "connections were tried, the last one failed with Connection refused" in said


def test_a_coordinator_to_which_nobody_comes_says_so(monkeypatch):
    monkeypatch.setattr(cluster, "_initialize", lambda *_: time.sleep(60))
    with pytest.raises(ConfigError, match=r"process 0 of 4 waited 0.1 s, and not all of the 4 "):
        cluster.join(DeviceConfig(**(MET | {"process": 0, "wait": 0.1})))
    monkeypatch.setattr(
        cluster, "_initialize", lambda _, failed: failed.append(OSError("address in use"))
    )
    with pytest.raises(ConfigError, match=r"cannot begin at 10.0.0.1:1234 \(address in use\)"):
        cluster.join(DeviceConfig(**(MET | {"process": 0})))


class Service:
    """A coordination service for threads of this process."""

    def __init__(self):
        self.values, self.changed = {}, threading.Condition()

    def key_value_set(self, key, value):
        with self.changed:
            if key in self.values:
                raise jax.errors.JaxRuntimeError("ALREADY_EXISTS")
            self.values[key] = value
            self.changed.notify_all()

    def blocking_key_value_get(self, key, _):
        with self.changed:
            if not self.changed.wait_for(lambda: key in self.values, 0.05):
                raise jax.errors.JaxRuntimeError("DEADLINE_EXCEEDED: nothing yet")
            return self.values[key]

    def key_value_try_get(self, key):
        if key not in self.values:
            raise jax.errors.JaxRuntimeError("NOT_FOUND")
        return self.values[key]

    def key_value_delete(self, key):
        del self.values[key]


def test_what_every_process_gives_all_of_them_get():
    service, found = Service(), {}

    def tell(index):
        peers = Together(service, index, 3)
        found[index] = [peers.gather([index, turn, 0.1]) for turn in range(20)]

    threads = [threading.Thread(target=tell, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [[[index, turn, 0.1] for index in range(3)] for turn in range(20)]
    assert found == {0: expected, 1: expected, 2: expected}
    assert len(service.values) == 3  # the last turn's
    assert ALONE.gather(7) == [7]


def test_a_process_that_fails_is_told_to_the_others():
    service = Service()
    one, two = Together(service, 0, 2), Together(service, 1, 2)
    with pytest.raises(OSError), two.telling():
        raise OSError("no disk here")
    with pytest.raises(RunError, match="process 1 of 2 ended: no disk here"), one.telling():
        one.gather("ready")
    lost = jax.errors.JaxRuntimeError("Gloo: connection closed\nmore")
    said = r"process 0 of 2 cannot go on, .*\(Gloo: .* to resume"
    with pytest.raises(RunError, match=said), one.telling():
        raise lost


def test_a_run_hears_nothing_of_the_one_before():
    service, found = Service(), {}
    for run in range(2):
        pair = [Together(service, index, 2, run=run) for index in range(2)]

        def tell(peers, run=run):
            found[run, peers.index] = peers.gather([run, peers.index])

        threads = [threading.Thread(target=tell, args=(peers,)) for peers in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with pytest.raises(OSError), pair[0].telling():
            raise OSError("no disk here")
    assert found == {(r, i): [[r, 0], [r, 1]] for r in range(2) for i in range(2)}


def tree(envs: int, first: int, batch: int) -> dict:
    """What `parts.own` says of so many environments."""
    own = np.arange(first, first + envs)
    return {
        "actor": {"carry": {"0": own[:, None] * 1.5}, "count": 9, "action": {"a": own}},
        "envs": {"restarted": 1, "envs": [{"episode": int(env)} for env in own]},
        "episodes": {"returns": own * 0.5, "lengths": own, "logs": {"x": own}},
        "pending": {
            "ticket": [np.full(batch, first), np.arange(batch)],
            "metrics": np.zeros(3),
            "written": {"latent/x": np.full((batch, 2), first)},
        },
        "replay": {"shares": [{"number": first}]},
    }


def test_parts_of_a_checkpoint_are_joined_and_taken_apart():
    own = [tree(2, 0, 3), tree(2, 2, 3)]
    whole = parts.joined(own)
    assert whole["envs"] == {"restarted": 2, "envs": [{"episode": env} for env in range(4)]}
    assert whole["replay"] == {"shares": [{"number": 0}, {"number": 2}]}
    saved = {
        **{name: whole[name] for name in ("actor", "envs", "episodes", "replay")},
        "learner": {"state": "all", "pending": whole["pending"]},
        "clocks": {"step": 8, "restarted": 3},
    }
    for index in range(2):
        part = parts.part_of(saved, index, 2)
        pending = part["learner"]["pending"]
        stream, row = pending["ticket"]
        expected = own[index]["pending"]
        np.testing.assert_array_equal(stream + 2 * index, expected["ticket"][0])
        np.testing.assert_array_equal(row, expected["ticket"][1])
        np.testing.assert_array_equal(
            pending["written"]["latent/x"], expected["written"]["latent/x"]
        )
        for name in ("actor", "episodes"):
            for path, value in flat(own[index][name]).items():
                np.testing.assert_array_equal(flat(part[name])[path], value)
        assert part["envs"]["envs"] == own[index]["envs"]["envs"]
        assert part["replay"] == own[index]["replay"]
        assert part["clocks"] == {"step": 8, "restarted": 0 if index else 3}
    first = parts.joined([tree(2, 0, 3) | {"pending": None}, tree(2, 2, 3) | {"pending": None}])
    assert first["pending"] is None


def test_environments_are_those_of_the_whole_run():
    episodes = OpenEpisodes({}, num=2, seed=3, stream="train", first=4)
    assert episodes.begin(1)[2][0] == episode_seed(3, "train", 5, 0)
    specs = {"a": Spec("vector", (2,), low=(-1.0,) * 2, high=(1.0,) * 2)}
    key, count = jax.random.key(0), np.uint32(5)
    whole = random_action(specs, 4, key, count)["a"]
    part = random_action(specs, 2, key, count, share=Share(2, 4))["a"]
    np.testing.assert_array_equal(whole[2:], part)


def test_shares_are_one_for_each_process_at_least(tmp_path):
    config = tiny("probe_memory", tmp_path, {"env.num": 4})
    assert setup.with_shares(config, 1).replay.shares == 1
    assert setup.with_shares(config, 2).replay.shares == 2
    four = apply(config, {"replay.shares": 4})
    assert setup.with_shares(four, 2).replay.shares == 4
    said = r"replay.shares \(4\) must be a multiple of .* \(3\): .* as many processes as 2 or 4\."
    with pytest.raises(ConfigError, match=said):
        setup.with_shares(four, 3)
    with pytest.raises(ConfigError, match=r"replay.shares \(2\) must divide env.num \(1\)"):
        apply(Config(), {"replay.shares": 2})
    with pytest.raises(ConfigError, match=r"must divide train.batch \(16\): take 2 or 4 shares"):
        apply(Config(), {"replay.shares": 3, "env.num": 3})


def test_what_several_processes_cannot_do_is_refused(tmp_path):
    two, config = Together(Service(), 1, 2), tiny("probe_memory", tmp_path)
    counting = apply(config, {"bonus": "observation"})
    with pytest.raises(ConfigError, match="bonus counts the visits of one process, and 2 learn"):
        silent(counting, two)
    elsewhere = apply(config, {"logdir": "memory://bucket/run"})
    with pytest.raises(ConfigError, match=r"--logdir memory://bucket/run .* a path that all"):
        silent(elsewhere, two)
    assert silent(counting, ALONE) == counting
    assert silent(config, two).log.progress == "none"


RUN = {
    "train.batch": 8,
    "train.save_every": 0,
    "train.eval_episodes": 0,
    "train.report_length": 2,
    "replay.shares": 2,
    "device.precision": "f32",
    # Two-hot heads of size debug turn rounding into values, so that nothing could be compared.
    "behavior.critic.dist": "gauss",
    "world.reward.dist": "gauss",
}


def together(folder, cache, changes=None, devices=4) -> list[subprocess.Popen]:
    """Two processes that learn one run, with so many devices each."""
    met = {"device.coordinator": f"127.0.0.1:{free_port()}", "device.processes": 2}
    met |= {"device.mesh": f"data={2 * devices}", **RUN, **(changes or {})}
    flags = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
    return [
        start("gym:CartPole-v1", folder, cache, met | {"device.process": index}, flags)
        for index in range(2)
    ]


def ended(processes) -> tuple[list[int], str]:
    said = "".join("".join(process.communicate()) for process in processes)
    return [process.returncode for process in processes], said


def alone(folder, cache, changes=None) -> None:
    codes, said = ended([start("gym:CartPole-v1", folder, cache, RUN | (changes or {}))])
    assert codes == [0], said


def check_same(one, two) -> None:
    """All metrics and all of the last checkpoint: what was computed up to rounding, and everything
    else (rows and episodes of the environments, actions, counters) as it is."""
    rows, others = metrics(one), metrics(two)
    assert len(rows) == len(others)
    for mine, theirs in zip(rows, others, strict=True):
        assert mine.keys() == theirs.keys()
        for name, value in theirs.items():
            if name.startswith("explained/"):  # of the rows that the first process has
                continue
            np.testing.assert_allclose(mine[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
    first, second = flat(newest(one)), flat(newest(two))
    assert first.keys() == second.keys()
    for name, value in second.items():
        if isinstance(value, np.ndarray) and name.startswith(("/learner/", "/actor/carry")):
            one, other = first[name].astype(float), value.astype(float)
            assert np.linalg.norm(one - other) <= 1e-4 * np.linalg.norm(other) + 1e-9, name
        elif not name.startswith("/replay/"):  # whose latents are computed too
            np.testing.assert_array_equal(first[name], value, err_msg=name)


@pytest.mark.slow
def test_two_processes_are_killed_and_learn_what_one_learns(tmp_path, cache):
    processes = together(tmp_path / "two", cache)
    wait_for_step(processes[0], tmp_path / "two", 120)
    for process in processes:
        process.send_signal(signal.SIGKILL)
    assert ended(processes)[0] == [-signal.SIGKILL] * 2
    codes, said = ended(together(tmp_path / "two", cache))
    assert codes == [0, 0], said
    alone(tmp_path / "one", cache)
    check_same(tmp_path / "two", tmp_path / "one")


@pytest.mark.slow
def test_a_signal_to_one_of_them_saves_the_run_and_one_process_goes_on(tmp_path, cache):
    processes = together(tmp_path / "two", cache, {"train.save_every": 1e6}, devices=1)
    wait_for_step(processes[0], tmp_path / "two", 120)
    processes[1].send_signal(signal.SIGTERM)
    codes, said = ended(processes)
    assert codes == [128 + signal.SIGTERM] * 2, said
    alone(tmp_path / "two", cache, {"train.save_every": 1e6})
    alone(tmp_path / "one", cache)
    check_same(tmp_path / "two", tmp_path / "one")
