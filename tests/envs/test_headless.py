"""Drawing on a machine without a screen or a sound card."""

import os
import subprocess
import sys

CODE = """
from reverie.config.schema import EnvConfig
from reverie.envs.make import make

env = make("gym:CartPole-v1", EnvConfig(), render=True)
env.reset(0)
assert env.render().shape == (400, 600, 3)
"""


def test_pygame_draws_in_silence():
    screen = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "SDL_AUDIODRIVER")
    env = {name: value for name, value in os.environ.items() if name not in screen}
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert (done.returncode, done.stderr) == (0, "")
