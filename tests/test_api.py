"""The Python surface: names, laziness, and how arguments become a configuration."""

import inspect
import pydoc
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import reverie
import reverie.api
from reverie.config.presets import resolve


@pytest.fixture
def learned(monkeypatch):
    """The calls that reach the training loop, which is replaced."""
    seen = []
    fake = types.ModuleType("reverie.train.loop")

    def learn(config, make_env=None, **_):
        seen.append((config, make_env))
        return Path("runs/x")

    fake.train = learn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "reverie.train.loop", fake)
    monkeypatch.setattr("reverie.machine.device._cache", lambda folder: None)
    return seen


def make_my_env():
    raise AssertionError("the loop is replaced: nobody makes an environment")


def test_train_takes_a_task(learned):
    for _ in range(2):  # the name must stay callable after its package was imported
        run = reverie.train("dmc_walker_walk", steps=10, size="1m", logdir="runs/mine")
    assert run == Path("runs/x")
    overrides = {"steps": 10, "logdir": "runs/mine"}
    assert learned[-1] == (resolve("dmc_walker_walk", size="1m", overrides=overrides), None)


def test_train_is_the_verb_and_the_station():
    code = (
        "import reverie, reverie.train.ratio as ratio\n"
        "from reverie.train import checkpoint\n"
        "import reverie.train.sequence\n"
        "assert callable(reverie.train) and reverie.train.checkpoint is checkpoint\n"
        "assert reverie.train.ratio is ratio and ratio.Ratio\n"
        "assert reverie.train.sequence.visits\n"
        "try:\n    reverie.train('gym:A', steps='many')\n"
        "except reverie.ConfigError:\n    raise SystemExit(7)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 7


def test_the_verb_shows_its_arguments_wherever_one_asks():
    verb = inspect.signature(reverie.api.train)
    assert inspect.signature(reverie.train) == verb
    page = pydoc.render_doc(reverie.train, renderer=pydoc.plaintext)
    for name in verb.parameters:
        assert re.search(rf"^ +{name}: \S", page, re.MULTILINE), f"{name} without its meaning"
    assert "reverie.train(task, *, size='auto'" in page
    assert "loop.py" in page  # the station is still there
    assert inspect.getdoc(reverie.train).startswith("Learns a task")
    with pytest.raises(TypeError, match="required positional argument: 'task'"):
        reverie.train()


def test_train_takes_a_callable_and_overrides(learned):
    reverie.train(make_my_env, seed=3, overrides={"world.dynamics.deter": 256})
    config, make_env = learned[-1]
    assert make_env is make_my_env
    assert (config.task, config.seed, config.world.dynamics.deter) == ("custom:make_my_env", 3, 256)
    assert (config.size, config.preset) == ("tiny", "quick")
    reverie.train(lambda: make_my_env())
    assert learned[-1][0].task == "custom:lambda"


def test_train_refuses_unknown_names(learned):
    with pytest.raises(reverie.ConfigError, match="did you mean 'deter'"):
        reverie.train("gym:A", overrides={"world.dynamics.detr": 256})
    with pytest.raises(TypeError, match="stpes"):
        reverie.train("gym:A", stpes=3)
    assert learned == []


def test_load_and_evaluate_need_a_run(tmp_path):
    for verb in (reverie.load, reverie.evaluate):
        with pytest.raises(reverie.RunError, match=r"is no run folder: it holds no config.json"):
            verb(tmp_path)


def test_the_station_stays_importable():
    import reverie.folder.errors as errors
    from reverie.machine import device

    assert reverie.folder.errors is errors
    assert reverie.machine.device is device


def test_importing_reverie_is_light():
    code = "import sys, reverie; sys.exit(any(m in sys.modules for m in ('jax', 'numpy', 'tyro')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_names():
    assert len(reverie.__all__) <= 25
    for name in reverie.__all__:
        assert getattr(reverie, name) is not None
    assert set(reverie.__all__) < set(dir(reverie))
    with pytest.raises(AttributeError, match="reverie has no 'tarin'"):
        reverie.tarin  # noqa: B018
