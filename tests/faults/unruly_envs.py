"""Environments that end programs, start others, wander and print: what no simulator should do."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gymnasium
import numpy as np
from gymnasium import spaces


def _kill():
    os.kill(os.getpid(), signal.SIGKILL)


def _raise(error):
    def act():
        raise error

    return act


ENDINGS = {
    "exit 0": lambda: sys.exit(0),
    "exit": _raise(SystemExit("licence expired")),
    "interrupt": _raise(KeyboardInterrupt()),
    "generator": _raise(GeneratorExit()),
    "own": _raise(type("Halt", (BaseException,), {})("own kind")),
    "error": _raise(RuntimeError("the gripper fell off")),
    "leave": lambda: os._exit(0),
    "kill": _kill,
    "hang": lambda: time.sleep(1000),
}
"""What may happen in the middle of a step."""
SURVIVED = ("exit 0", "exit", "interrupt", "generator", "own", "error")
"""Those that a process can survive."""


class Unruly(gymnasium.Env):
    """Shows (steps of the episode, 0, 0, 0); an episode has `length` steps of reward 1.

    `ending` happens at step `at` of an episode, in `where`: "step", "reset", "close" or "make";
    with `once`, a file, only while that does not exist.
    """

    def __init__(self, ending="", *, where="step", at=3, once="", length=5):
        self.observation_space = spaces.Box(-np.inf, np.inf, (4,), np.float32)
        self.action_space = spaces.Discrete(2)
        self.ending, self.where, self.at, self.once, self.length = ending, where, at, once, length
        self._end_in("make")

    def _end_in(self, place):
        if not self.ending or place != self.where:
            return
        if self.once:
            try:
                Path(self.once).touch(exist_ok=False)
            except FileExistsError:
                return
        ENDINGS[self.ending]()

    def reset(self, *, seed=None, options=None):
        self.count = 0
        self._end_in("reset")
        return self.shown(), {}

    def shown(self):
        return np.array([self.count, 0, 0, 0], np.float32)

    def step(self, action):
        self.count += 1
        if self.count == self.at:
            self._end_in("step")
        return self.shown(), 1.0, self.count == self.length, False, {}

    def close(self):
        self._end_in("close")


class Parent(Unruly):
    """Starts programs that sleep; their process ids go to the file `told`."""

    WAYS = ("child", "session", "grandchild", "deaf")

    def __init__(self, told, way="child", **ending):
        super().__init__(**ending)
        sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
        if way == "grandchild":
            sleep = ["sh", "-c", "sleep 600 & echo $! ; wait"]
        if way == "deaf":
            code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
            sleep = [sys.executable, "-c", code]
        process = subprocess.Popen(
            sleep, start_new_session=way == "session", stdout=subprocess.PIPE, text=True
        )
        inner = process.stdout.readline() if way == "grandchild" else ""
        with Path(told).open("a") as file:
            file.write(f"{process.pid} {inner}\n")


def is_running(pid):
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds=20.0):
    """Return what `condition` says as soon as it is true, else after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return found
