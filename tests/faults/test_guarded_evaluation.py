"""Evaluation environments are watched over as those of the training are."""

import functools as ft
import logging
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from unruly_envs import ENDINGS, SURVIVED, Unruly

from reverie.config.presets import resolve
from reverie.doctor.visit import examine
from reverie.envs.base import EnvError
from reverie.envs.make import maker
from reverie.envs.vector import Vector
from reverie.records import Step
from reverie.train import evaluate, players


class Still:
    """An actor that always does the same."""

    def __init__(self, num):
        self.action = {"action": np.zeros(num, np.int32)}

    def reset(self):
        pass

    def __call__(self, acting, step):
        pass


def evaluation(make_env, *, num=1, episodes=3, **edits):
    """What an evaluation of `episodes` episodes says."""
    config = resolve("custom:x", overrides={f"env.{k}": v for k, v in edits.items()})
    with players.eval_envs(config, make_env, num=num, seed=0, first_index=1) as envs:
        played = evaluate.play(SimpleNamespace(), envs, Still(num), episodes)
    return played.numbers


@pytest.mark.parametrize(
    ("ending", "parallel"), [(e, True) for e in ENDINGS] + [(e, False) for e in SURVIVED]
)
def test_an_episode_that_crashed_is_played_anew_and_counted(ending, parallel, tmp_path):
    make_env = ft.partial(Unruly, ending, once=str(tmp_path / "once"))
    timeout = 2.0 if ending == "hang" else 60.0
    numbers = evaluation(make_env, parallel=parallel, timeout=timeout)
    assert numbers["eval/restarts"] == 1
    assert numbers["eval/episodes"] == 3
    assert (numbers["eval/return"], numbers["eval/length"]) == (5.0, 5.0)
    assert numbers["eval/return_std"] == 0.0


@pytest.mark.parametrize("where", ["reset", "step", "make"])
@pytest.mark.parametrize("parallel", [True, False])
def test_restarts_are_bounded_and_the_sentence_quotes_the_user(where, parallel):
    make_env = ft.partial(Unruly, "exit 0", where=where)
    with pytest.raises(EnvError) as stop:
        evaluation(make_env, parallel=parallel, restarts=2)
    text = str(stop.value)
    assert text.startswith("Evaluation environment 0 ")
    assert ("could not be made" if where == "make" else "all 2 restarts (env.restarts)") in text
    assert "SystemExit: 0" in text
    assert "sys.exit(0)" in text
    assert "unruly_envs.py line" in text
    assert "Traceback" not in text
    assert "\n" not in text
    assert len(text) < 600


@pytest.mark.parametrize("ending", SURVIVED)
@pytest.mark.parametrize("parallel", [True, False])
def test_what_happens_while_closing_harms_nobody(ending, parallel):
    numbers = evaluation(ft.partial(Unruly, ending, where="close"), parallel=parallel)
    assert numbers["eval/restarts"] == 0


def test_a_signal_is_no_crash_of_the_environment():
    class Clicked(Unruly):
        def step(self, action):
            signal.raise_signal(signal.SIGINT)
            return super().step(action)

    with pytest.raises(KeyboardInterrupt):
        evaluation(Clicked, parallel=False)


def test_a_handler_of_the_user_is_obeyed():
    def stop(*_):
        raise SystemExit(3)

    class Ended(Unruly):
        def step(self, action):
            signal.raise_signal(signal.SIGTERM)
            return super().step(action)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytest.raises(SystemExit, match="3"):
            evaluation(Ended, parallel=False)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_native_crash_is_located():
    class Broken(Unruly):
        def step(self, action):
            __import__("ctypes").string_at(0)

    with pytest.raises(EnvError, match=r"killed by SIGSEGV.*Segmentation fault \| File .* in step"):
        evaluation(Broken, restarts=0)


@pytest.mark.parametrize("ending", ["exit 0", "leave", "kill", "hang"])
def test_the_doctor_lives_to_tell(ending):
    overrides = {"env.timeout": 2.0 if ending == "hang" else 60.0}
    report = examine(ft.partial(Unruly, ending), seconds=0, steps=20, overrides=overrides)
    said = " ".join(f.text for f in report.findings if f.verdict == "problem")
    wanted = {"exit 0": "SystemExit: 0", "leave": "exit status 0", "kill": "killed by SIGKILL"}
    assert wanted.get(ending, "no answer for 2 seconds") in said


def test_waiting_for_an_end_is_told_once_a_minute(caplog):
    seconds = iter([0.0, *range(1, 200)])
    patience = evaluate.Patience(2, clock=lambda: float(next(seconds)))
    flags = np.array([False, False])
    row = Step({}, np.zeros(2), ~flags, flags, flags)
    with caplog.at_level(logging.WARNING, "reverie.train"):
        patience(row)
        for _ in range(149):
            patience(row._replace(is_first=flags))
        assert len(caplog.records) == 2
        patience(row._replace(is_last=~flags))
        patience(row)
    assert len(caplog.records) == 2
    assert "for 2 minutes, the longest one is at step 119" in caplog.records[1].getMessage()
    assert "--env.limit" in caplog.text


SCRIPT = """
    import sys
    sys.path[:0] = {path!r}
    from tiny_runs import learn
    from unruly_envs import ENDINGS, Unruly

    if __name__ == "__main__":
        class Ends(Unruly):
            def step(self, action):
                if __import__("os").environ["REVERIE_ENV_KIND"] == "eval":
                    ENDINGS[{ending!r}]()
                return super().step(action)

        # One turn: the update is not compiled before the second.
        learn(Ends, {logdir!r}, {{"env.parallel": True, "env.restarts": 1, "steps": 2}})
"""


@pytest.mark.parametrize("ending", ["exit 0", "leave"])
def test_a_run_never_ends_well_half_way(ending, tmp_path):
    path = [str(Path(__file__).parent.parent / name) for name in ("train", "faults")]
    code = SCRIPT.format(path=path, ending=ending, logdir=str(tmp_path / "run"))
    (tmp_path / "user.py").write_text(textwrap.dedent(code))
    done = subprocess.run(
        [sys.executable, tmp_path / "user.py"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1
    assert "EnvError: Evaluation environment 0 failed and all 1 restarts" in done.stderr


def test_environments_are_told_which_they_are(tmp_path):
    told = tmp_path / "told"

    def make_env(index):
        variables = [__import__("os").environ[f"REVERIE_ENV_{n}"] for n in ("KIND", "INDEX")]
        with told.open("a") as file:
            file.write(f"{index} {variables}\n")
        return Unruly()

    config = resolve("custom:x", overrides={"env.num": 2}).env
    for parallel in (True, False):
        told.unlink(missing_ok=True)
        with Vector(maker(make_env, config), num=2, seed=0, parallel=parallel):
            pass
        evaluation(make_env, parallel=parallel)
        assert sorted(told.read_text().splitlines()) == [
            "0 ['train', '0']",
            "1 ['eval', '1']",
            "1 ['train', '1']",
        ]
