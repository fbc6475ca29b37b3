"""`reverie eval` for real: which checkpoint plays, films of the episodes, a result for machines."""

import json
import shutil
import sys

import gymnasium
import numpy as np
import pytest
from tiny_runs import learn

import reverie
from reverie.cli import main
from reverie.train import checkpoint

CODE = '''
import os
import gymnasium
import numpy as np


class Loud(gymnasium.Env):
    """Three or four steps; draws itself, and talks on the standard output in three ways."""

    metadata = {"render_modes": ["rgb_array"]}
    observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)
    render_mode = "rgb_array"

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = int(self.np_random.integers(3, 5))
        print("a new game")
        os.write(1, b"by number\\n")
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.left -= 1
        return np.full(2, self.left / 5, np.float32), float(action), self.left == 0, False, {}

    def render(self):
        return np.full((20, 30, 3), 50 * self.left, np.uint8)


def make_env():
    os.system("echo by a program")
    return Loud()
'''


@pytest.fixture(scope="module")
def run(tmp_path_factory, cache):
    """A short run on a callable of a module, with several checkpoints and a best one."""
    folder = tmp_path_factory.mktemp("loud")
    (folder / "loud.py").write_text(CODE)
    sys.path.insert(0, str(folder))
    changes = {"steps": 60, "train.save_every": 0, "train.keep": 30, "train.eval_episodes": 0}
    from loud import make_env

    path = learn(make_env, folder / "run", changes)
    kept = checkpoint.complete(path / "checkpoints")
    shutil.copytree(kept[1], path / "checkpoints" / "best" / kept[1].name)
    yield path
    sys.path.remove(str(folder))


HERE = ("--env", "loud:make_env", "--device", "cpu", "--env.parallel", "false")


def said(capfd, *words):
    """What the verb writes to the standard output."""
    capfd.readouterr()
    assert main(["eval", *map(str, words), *HERE]) == 0
    return capfd.readouterr().out


def test_json_is_all_that_is_said(run, capfd):
    found = json.loads(said(capfd, run, "--json", "--episodes", 3, "--envs", 2, "--seed", 5))
    assert (found["run"], found["task"], found["step"]) == (str(run), "custom:test", 60)
    how = {"episodes": 3, "envs": 2, "seed": 5, "overrides": {"env.parallel": False}}
    numbers = reverie.evaluate(run, make_env="loud:make_env", **how)
    assert {name: value for name, value in found.items() if "/" in name} == numbers
    assert "videos" not in found


def test_numbers_that_json_does_not_know_are_null(run, capfd, monkeypatch):
    import reverie.train.evaluate as module

    monkeypatch.setattr(module, "evaluate_run", lambda *_, **__: {"eval/log/x": float("nan")})
    assert json.loads(said(capfd, run, "--json"))["eval/log/x"] is None


def test_films_of_all_episodes_change_no_number(run, capfd, tmp_path):
    words = (run, "--json", "--episodes", 5, "--envs", 2)
    plain = json.loads(said(capfd, *words))
    found = json.loads(said(capfd, *words, "--video", tmp_path / "films"))
    films = found.pop("videos")
    assert found == plain
    assert films == [str(tmp_path / f"films/eval_{n:02d}-000000060.mp4") for n in range(1, 6)]
    assert sorted(map(str, (tmp_path / "films").iterdir())) == films
    lines = said(capfd, run, "--episodes", 2, "--video", tmp_path).splitlines()
    assert [line for line in lines if line.startswith("film: ")] == [
        f"film: {tmp_path}/eval_0{n}-000000060.mp4" for n in (1, 2)
    ]


@pytest.mark.parametrize("name", ["best", "newest", "step"])
def test_the_checkpoint_that_is_named_plays(run, capfd, name):
    kept = [checkpoint.step_of(path) for path in checkpoint.complete(run / "checkpoints")]
    step = {"best": kept[1], "newest": 60, "step": kept[2]}[name]
    word = step if name == "step" else name
    found = json.loads(said(capfd, run, "--json", "--episodes", 2, "--checkpoint", word))
    assert found["step"] == step
    agent = reverie.load(run, checkpoint=word)
    how = {"episodes": 2, "make_env": "loud:make_env", "overrides": {"env.parallel": False}}
    numbers = reverie.evaluate(run, checkpoint=word, **how)
    assert reverie.evaluate(agent, **how) == numbers
    assert {key: value for key, value in found.items() if "/" in key} == numbers


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--checkpoint", "bets"), 2, "checkpoint takes newest, best or the step of one, found"),
        (("--checkpoint", "bets"), 2, "Did you mean 'best'?"),
        (("--checkpoint", "-3"), 2, "found '-3'"),
        (("--checkpoint", "7"), 1, "holds no checkpoint of step 7; those that it holds: best ("),
    ],
)
def test_a_checkpoint_that_is_not_there_is_told(run, capfd, words, code, told):
    assert main(["eval", str(run), *words, *HERE]) == code
    err = capfd.readouterr().err
    assert told in err and "Traceback" not in err


def test_an_agent_has_its_checkpoint_already(run):
    with pytest.raises(reverie.ConfigError, match=r"load it with reverie.load\(run, checkpoint="):
        reverie.evaluate(reverie.load(run), checkpoint="best")


def test_what_draws_nothing_is_told_before_it_is_played(run, tmp_path):
    class Blind(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            return np.zeros(2, np.float32), {}

        def step(self, action):
            raise AssertionError("nothing is played")

    with pytest.raises(reverie.RunError, match="nothing to film"):
        reverie.evaluate(run, make_env=Blind, video=tmp_path, overrides={"env.parallel": False})
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_best_checkpoint_says_so(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "best")
    with pytest.raises(reverie.RunError, match=r"no best checkpoint.*holds: newest \(60\), "):
        reverie.load(tmp_path / "run", checkpoint="best")
    (tmp_path / "run" / "checkpoints" / "best").symlink_to(run)
    with pytest.raises(reverie.RunError, match="put the folder itself in its place"):
        reverie.load(tmp_path / "run", checkpoint="best")


def test_the_best_one_answers_to_its_step_too(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    kept = checkpoint.complete(tmp_path / "run" / "checkpoints")
    shutil.rmtree(kept[1])  # as `train.keep` does
    step = checkpoint.step_of(kept[1])
    assert reverie.load(tmp_path / "run", checkpoint=step).step == step
