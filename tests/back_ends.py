"""The back ends of environments, for tests that hold on all of them.

A test that is marked `on_back_ends` runs once with local processes and, slowly, once with actors of
Ray: where its module opens a `Vector` in processes, these are an actor's (`conftest.py`).
"""

import os
import signal

import pytest

from reverie.envs.ray import Actor
from reverie.envs.vector import Vector

on_back_ends = pytest.mark.usefixtures("back_end")


def on_ray(make_one, *, num, parallel=True, workers=0, **options):
    """`Vector`, whose processes are those of as many actors."""
    where = {"backend": "ray", "workers": workers or num} if parallel else {}
    return Vector(make_one, num=num, parallel=parallel, **where, **options)


def within(seat: Actor, look):
    """What `look` finds in the actor of a seat."""
    return seat._ray.get(seat._host.__ray_call__.remote(look))


def process_id(vector: Vector, seat: int) -> int:
    """Of the process that holds the seat's environments."""
    there = vector._crew._seats[seat]
    if isinstance(there, Actor):
        return within(there, lambda host: host._process.process.pid)
    return there.process.pid


def signal_seat(vector: Vector, seat: int, number: int = signal.SIGKILL) -> int:
    """Send a signal to the actor of a seat, or else to its process; returns that process."""
    there, process = vector._crew._seats[seat], process_id(vector, seat)
    victim = within(there, lambda _: os.getpid()) if isinstance(there, Actor) else process
    os.kill(victim, number)
    return process
