"""A learner over devices: the same numbers on every mesh, checkpoints that move between them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from tiny_runs import free_port, metrics, start

from reverie.config.edit import apply
from reverie.config.mesh import MeshShape, check_batch, nearest, read_mesh
from reverie.config.run import DeviceConfig
from reverie.config.schema import Config
from reverie.machine.mesh import make_mesh
from reverie.part.errors import ConfigError
from reverie.train.group.train import check_batched

EIGHT = "--xla_force_host_platform_device_count=8"
FOUR = "--xla_force_host_platform_device_count=4"


def eight_devices() -> dict[str, str]:
    """The variables under which JAX finds eight devices of the CPU."""
    return {**os.environ, "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {EIGHT}"}


def updates(*meshes: str) -> dict:
    script = Path(__file__).with_name("mesh_updates.py")
    command = [sys.executable, str(script), *meshes]
    done = subprocess.run(command, env=eight_devices(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["devices"], found["exchanged"]) == (8, ["all-reduce"])
    return found["meshes"]


def check_equal(found: dict) -> None:
    """20 updates equal those of one device, and so does the one after a move, either way."""
    assert found["same"] and found["acts_on"] == [1]
    for name in ("state", "acting", "metrics", "written", "after"):
        assert found[name] < 1e-5, (name, found)


def test_spread_updates_equal_those_of_one_device():
    found = updates("data=4,model=2")["data=4,model=2"]
    check_equal(found)
    assert found["split"] > 50


@pytest.mark.slow
def test_so_do_those_of_other_meshes():
    for mesh, found in updates("data=8", "data=2", "model=4", "data=2,model=4").items():
        check_equal(found)
        assert (found["split"] > 0) == ("model" in mesh)


@pytest.mark.slow
def test_so_do_those_of_two_processes():
    script = Path(__file__).with_name("mesh_halves.py")
    address = f"127.0.0.1:{free_port()}"
    four = os.environ | {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {FOUR}"}
    pair = [
        subprocess.Popen(
            [sys.executable, str(script), address, str(index)], env=four, stdout=subprocess.PIPE
        )
        for index in range(2)
    ]
    for process in pair:
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0
        found = json.loads(said.splitlines()[-1])
        assert (found["devices"], found["here"]) == (8, 4)
        for name in ("state", "acting", "metrics", "written"):
            assert found[name] < 1e-5, (name, found)


FEW = {"train.ratio": 2, "behavior.critic.dist": "gauss", "world.reward.dist": "gauss"}
"""Twenty updates or so, with heads that do not turn rounding into values: later one sampled action
of a dream may be another, and nothing could be compared."""


@pytest.mark.slow
def test_a_run_goes_on_on_another_mesh(tmp_path, cache):
    def run(folder: str, mesh: str, steps: int) -> None:
        changes = {"device.mesh": mesh, "steps": steps, "train.eval_episodes": 0, **FEW}
        variables = {"XLA_FLAGS": eight_devices()["XLA_FLAGS"]}
        process = start("gym:CartPole-v1", tmp_path / folder, cache, changes, variables)
        told, said = process.communicate()
        assert process.returncode == 0, told + said

    run("moved", "data=4", 80)  # where all runs write their means
    run("moved", "data=2,model=2", 160)
    run("moved", "", 240)
    run("alone", "", 240)
    rows, others = metrics(tmp_path / "moved"), metrics(tmp_path / "alone")
    learned = [
        [row for row in part if "loss/total" in row and row["step"] not in (80, 160)]
        for part in (rows, others)
    ]
    assert len(learned[1]) > 2
    for one, two in zip(*learned, strict=True):
        for name, value in two.items():
            np.testing.assert_allclose(one[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


def test_meshes_are_read():
    assert read_mesh("") is None and read_mesh("  ") is None
    assert read_mesh("data=4") == MeshShape(4, 1)
    assert read_mesh("model=2, data=3") == MeshShape(3, 2)
    assert str(read_mesh("model=2")) == "data=1,model=2"
    assert MeshShape(4, 2).devices == 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("4", r"device.mesh takes AXIS=NUMBER .* such as data=4 .*; found '4'"),
        ("data", r"takes AXIS=NUMBER"),
        ("data=", r"takes AXIS=NUMBER"),
        ("data=2,", r"takes AXIS=NUMBER"),
        ("data:2", r"takes AXIS=NUMBER"),
        ("dat=4", r"device.mesh has no axis 'dat'; did you mean 'data'\?"),
        ("batch=4", r"has no axis 'batch'; known: data, model."),
        ("data=2,data=4", r"gives data twice"),
        ("data=0", r"at least 1, for data; found '0'"),
        ("data=2,model=-1", r"at least 1, for model; found '-1'"),
        ("data=two", r"a whole number of devices, at least 1, for data; found 'two'"),
        ("data=2.0", r"a whole number"),
        ("data=²", r"a whole number"),
    ],
)
def test_a_mesh_that_cannot_be_read_says_what_is_expected(text, said):
    with pytest.raises(ConfigError, match=said):
        DeviceConfig(mesh=text)


def test_a_mesh_that_does_not_divide_the_batch_names_the_nearest():
    with pytest.raises(ConfigError) as error:
        apply(Config(), {"device.mesh": "data=3"})
    assert str(error.value) == (
        "device.mesh data=3 does not divide train.batch (16 sequences): take data=2 or data=4, or "
        "a train.batch of 15 or 18."
    )
    with pytest.raises(ConfigError, match=r"take data=8, or a train.batch of 16\.$"):
        check_batch(MeshShape(16, 2), 8)
    check_batch(MeshShape(8, 3), 16)
    check_batch(None, 7)
    assert nearest(5, 7) == [1, 7] and nearest(4, 16) == [4] and nearest(99, 12) == [12]


def test_more_devices_than_there_are_says_how_many_are_found():
    there = len(jax.devices())
    with pytest.raises(ConfigError) as error:
        make_mesh(MeshShape(there, 2))
    said = str(error.value)
    assert f"device.mesh data={there},model=2 needs {2 * there} devices, and JAX finds" in said
    assert f"--xla_force_host_platform_device_count={2 * there}" in said


def test_random_numbers_that_depend_on_the_mesh_are_refused():
    with jax.threefry_partitionable(False), pytest.raises(ConfigError) as error:
        make_mesh(MeshShape(1, 1))
    assert "unset JAX_THREEFRY_PARTITIONABLE" in str(error.value)


def test_several_seeds_in_one_process_have_no_mesh():
    with pytest.raises(ConfigError, match=r"--device.mesh data=2 .* --no-together"):
        check_batched(apply(Config(), {"device.mesh": "data=2"}))
