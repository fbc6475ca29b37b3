"""Environments as actors of Ray: how they are shared out, and what is refused."""

import sys
import threading

import numpy as np
import pytest
from test_vector import assert_steps_equal, collect, gone
from toy_envs import Counter, make_counter

from reverie.envs import ray as rays
from reverie.envs import ray_cluster
from reverie.envs.adapter import Adapter
from reverie.envs.base import EnvError
from reverie.envs.make import maker
from reverie.envs.options import EnvConfig
from reverie.envs.ray_host import MOST, Heard
from reverie.envs.vector import Vector
from reverie.part.errors import ConfigError


@pytest.fixture
def no_cluster(monkeypatch):
    """Ray without a cluster that it could be connected to already."""
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)


def open_on_ray(make_one=None, **options):
    return Vector(make_one or make_counter(), num=2, seed=0, backend="ray", **options)


def test_ray_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EnvError, match=r"needs the package ray: pip install 'reverie\[ray\]'"):
        open_on_ray()


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "ray://127.0.0.1:1", "[::1]:1", "nowhere.invalid:6379"]
)
def test_nobody_answers_at_the_address(no_cluster, monkeypatch, address):
    monkeypatch.setenv(ray_cluster.ADDRESS, address)
    with pytest.raises(EnvError) as told:
        open_on_ray()
    assert f"cluster at {address} (RAY_ADDRESS) was not reached within 10 seconds" in str(
        told.value
    )
    assert "unset RAY_ADDRESS for a cluster on this machine" in str(told.value)


@pytest.mark.parametrize("address", ["nonsense", "host:", ":6379", "host:port", "ray://host"])
def test_an_address_that_is_none(no_cluster, monkeypatch, address):
    monkeypatch.setenv(ray_cluster.ADDRESS, address)
    with pytest.raises(EnvError, match=f"RAY_ADDRESS is '{address}', expected HOST:PORT"):
        open_on_ray()


def test_auto_without_a_cluster(no_cluster, monkeypatch):
    def init(**_):
        raise ConnectionError("Could not find any running Ray instance")

    monkeypatch.setenv(ray_cluster.ADDRESS, "auto")
    monkeypatch.setattr("ray.init", init)
    with pytest.raises(EnvError, match=r"no Ray cluster could be joined .*; RAY_ADDRESS is auto\."):
        open_on_ray()


def test_what_cannot_be_sent_is_refused():
    gate = threading.Lock()

    def locked():
        with gate:
            return Adapter(Counter(), EnvConfig())

    with pytest.raises(EnvError, match=r"locked.* cannot be sent to an actor of Ray \(TypeError"):
        open_on_ray(locked)


def test_where_no_actor_would_run():
    pytest.importorskip("gymnax")
    with pytest.raises(EnvError, match="JAX-native environments are stepped together"):
        open_on_ray(maker("gymnax_cart_pole", EnvConfig()))
    with pytest.raises(EnvError, match=r"without env\.parallel false"):
        open_on_ray(parallel=False)
    with pytest.raises(EnvError, match="backend must be local or ray, got 'slurm'"):
        Vector(make_counter(), num=1, seed=0, backend="slurm")  # pyright: ignore
    with pytest.raises(ConfigError, match=r"backend .*local without env\.parallel"):
        EnvConfig(backend="ray", parallel=False)


def test_prints_wait_for_an_answer_within_bounds():
    heard = Heard()
    heard.write(b"a" * MOST)
    heard.write(b"end")
    data = heard.take()
    assert len(data) < MOST and data.endswith(b"end") and b"older lines were dropped" in data
    assert heard.take() == b""


def test_a_reason_without_the_table():
    error = RuntimeError("The actor died.\n\tclass_name: Host\n\tactor_id: ab12\nIt was killed.")
    assert rays._reason(error) == "The actor died. It was killed."


@pytest.mark.slow
def test_actors_hold_sixteen_and_end_with_their_vector():
    from back_ends import process_id

    pytest.importorskip("ray")
    with Vector(make_counter(), num=17, seed=0, parallel=False) as vector:
        want, _ = collect(vector, 12)
    with Vector(make_counter(), num=17, seed=0, backend="ray") as vector:
        assert [len(group) for group in vector._crew.groups] == [9, 8]
        assert_steps_equal(want, collect(vector, 12)[0])
        ids = [process_id(vector, seat) for seat in range(2)]
        np.testing.assert_array_equal(vector.render(16), np.full((4, 4, 3), 4, np.uint8))
    assert gone(ids)
