"""The same episode in another process, as a digest: does an episode follow from its seed?"""

import hashlib
import subprocess
import sys
from pathlib import Path

import cloudpickle
from toy_envs import play

from reverie.envs.make import make

CODE = """
import sys, cloudpickle
sys.path.insert(0, {here!r})
from elsewhere import digest_here
sys.stdout.write("DIGEST " + digest_here(*cloudpickle.loads(bytes.fromhex({payload!r}))))
"""


def digest(rows):
    """One text for all observations, rewards and flags of an episode."""
    total = hashlib.sha256()
    for obs, *rest in rows:
        for key in sorted(obs):
            total.update(key.encode() + obs[key].tobytes())
        total.update(repr(rest).encode())
    return total.hexdigest()


def digest_here(task, config, seed, steps):
    env = make(task, config)
    try:
        return digest(play(env, seed, steps))
    finally:
        env.close()


def digest_elsewhere(task, config, seed, steps):
    payload = cloudpickle.dumps((task, config, seed, steps)).hex()
    code = CODE.format(here=str(Path(__file__).parent), payload=payload)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True)
    out = done.stdout.decode()
    assert "DIGEST " in out, done.stderr.decode()[-2000:]
    return out.split("DIGEST ")[1].strip()


def assert_same_elsewhere(task, config, seed, steps):
    """The episode of `seed` under `play`'s actions is the same here and in a new process."""
    assert digest_here(task, config, seed, steps) == digest_elsewhere(task, config, seed, steps)
