"""Checks that every real suite must pass, and the same episode played in another process."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from toy_envs import assert_contract, play

from reverie.envs.make import make
from reverie.envs.options import EnvConfig

HERE = Path(__file__).parent
SEED = 5


def digest(rows):
    """One short text of all observations, rewards and flags of an episode."""
    found = hashlib.sha256()
    for obs, *rest in rows:
        found.update(repr(rest).encode())
        for key in sorted(obs):
            found.update(obs[key].tobytes())
    return found.hexdigest()[:16]


def episode(task, steps, **settings):
    """Rows of the episode of SEED under random actions; the environment is closed."""
    env = make(task, EnvConfig(**settings))
    try:
        rows = play(env, SEED, steps)
        assert_contract(env, rows)
    finally:
        env.close()
    return rows


def digests(plans):
    """Digest of each (task, steps, settings)."""
    return [digest(episode(task, steps, **settings)) for task, steps, settings in plans]


def elsewhere(plans):
    """The same in a process of its own, with another hash seed."""
    code = "import json, sys, real_suites as r; print(json.dumps(r.digests(json.load(sys.stdin))))"
    path = os.pathsep.join([str(HERE), *sys.path])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        input=json.dumps(plans),
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "77"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def assert_reproducible(plans):
    """Every plan gives the same episode here and in another process."""
    assert digests(plans) == elsewhere(plans)


def ends(rows):
    """`terminal` and `last` of the last row."""
    return rows[-1][2:]
