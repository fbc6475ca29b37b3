"""A new run that starts from the weights of another."""

import json
import shutil

import numpy as np
import pytest
from tiny_runs import learn, metrics, newest

import reverie
from reverie.config.start import start_of
from reverie.envs.make import make
from reverie.train import checkpoint
from reverie.train.arrays import from_host
from reverie.train.columns import columns_of
from reverie.train.learner import Learner

SOURCE = {"steps": 120, "seed": 3, "train.eval_episodes": 3}
STILL = {"steps": 20, "train.eval_episodes": 3}
"""A run that ends before it can learn: what it began with is what it ends with."""


@pytest.fixture(scope="module")
def source(tmp_path_factory, cache):
    """A run of another seed."""
    return learn("probe_memory", tmp_path_factory.mktemp("source") / "run", SOURCE)


def weights(run):
    return newest(run)["learner"]["state"]


def same(one, two, beginning):
    names = [name for name in one if name.startswith(beginning)]
    assert names
    return all((one[name] == two[name]).all() for name in names)


def test_all_weights_play_as_the_source_does(source, tmp_path, capsys):
    learn("probe_memory", tmp_path, STILL, init=start_of(source))
    here, there = weights(tmp_path), weights(source)
    assert same(here, there, "agent.") and same(here, there, "slow_critic.")
    assert same(here, there, "returns.")
    assert here["updates"] == 0 and there["updates"] > 0
    moments = [name for name, a in here.items() if name.startswith("opt_state") and a.ndim]
    assert moments and not any(np.any(here[name]) for name in moments)
    evaluated = [row for row in metrics(tmp_path) if "eval/return" in row]
    again = reverie.evaluate(source, episodes=3)
    assert {k: v for k, v in evaluated[-1].items() if k.startswith("eval/")} == again
    said = " ".join(capsys.readouterr().out.split())
    assert f"it starts from the weights of {source} (step 120): " in said
    assert "tensors of world, critic, actor with" in said and "fresh are the optimiser." in said
    record = json.loads((tmp_path / "config.json").read_text())["init"]
    assert record["run"] == str(source) and record["take"] == "all" and record["step"] == 120
    assert {n for n in record["taken"] if n.startswith("agent.")} == {
        n for n in there if n.startswith("agent.")
    }
    reverie.saved_config(tmp_path)  # the seal of config.json holds


@pytest.mark.parametrize("take", ["world", "without_actor"])
def test_a_part_of_the_weights(take, source, tmp_path, cache):
    learn("probe_memory", tmp_path / "fresh", STILL)
    learn("probe_memory", tmp_path / "part", STILL, init=start_of(source, take))
    here, fresh, there = weights(tmp_path / "part"), weights(tmp_path / "fresh"), weights(source)
    assert same(here, there, "agent.world.") and same(here, fresh, "agent.actor.")
    critic = fresh if take == "world" else there
    assert same(here, critic, "agent.critic.") and same(here, critic, "slow_critic.")
    assert not same(fresh, there, "agent.world.")


def test_a_taken_world_model_has_the_losses_of_its_source(source, tmp_path, cache):
    """On one batch with one key: those of the world model, and others of the behaviour."""
    learn("probe_memory", tmp_path, STILL, init=start_of(source, "world"))
    config = reverie.saved_config(source)
    env = make("probe_memory", config.env)
    columns = columns_of(env.obs_specs, env.action_specs, config)
    shape = config.train.batch, config.replay.context + config.train.length
    draw = np.random.default_rng(0)
    rows = {
        name: draw.integers(0, 2, (*shape, *kind[0])).astype(kind[1])
        for name, kind in columns.items()
    }
    losses = []
    for run in (source, tmp_path):
        learner = Learner(env.obs_specs, env.action_specs, config)
        state = from_host(learner.train_state, {**weights(run), "updates": np.int32(0)})
        _, _, result = learner._step(state, rows, learner.root, learner.numbers)
        losses.append(dict(zip(result.names.sorted, result.metrics.tolist(), strict=True)))
    world = ("loss/image", "loss/left", "loss/rew", "loss/con", "loss/dyn", "loss/rep")
    assert [losses[0][name] for name in world] == [losses[1][name] for name in world]
    assert losses[0]["loss/value"] != losses[1]["loss/value"]


def test_a_run_that_began_from_another_resumes_without_it(source, tmp_path, cache):
    copy = shutil.copytree(source, tmp_path / "copy")
    start = start_of(copy)
    learn("probe_memory", tmp_path / "run", {**STILL, "steps": 10}, init=start)
    before = json.loads((tmp_path / "run" / "config.json").read_text())["init"]
    shutil.rmtree(copy)
    learn("probe_memory", tmp_path / "run", STILL, init=start)
    learn("probe_memory", tmp_path / "run", {**STILL, "steps": 30})
    assert json.loads((tmp_path / "run" / "config.json").read_text())["init"] == before
    assert newest(tmp_path / "run")["clocks"]["step"] == 30
    with pytest.raises(reverie.RunError, match=r"a run that began from .*copy \(all\): --init"):
        learn("probe_memory", tmp_path / "run", {**STILL, "steps": 40}, init=start_of(source))


def test_a_run_that_began_afresh_takes_no_weights_later(source, tmp_path, cache):
    learn("probe_memory", tmp_path, {**STILL, "steps": 10})
    with pytest.raises(reverie.RunError, match=r"from fresh weights: --init .* would start a"):
        learn("probe_memory", tmp_path, STILL, init=start_of(source))


@pytest.mark.parametrize(
    ("task", "changes", "told"),
    [
        ("probe_memory", {"world.dynamics.deter": 24}, r"agent\.world\.\S+ is float32\(.* there"),
        ("probe_action", {}, r"agent\.world\.\S+ is .* there and .* here"),
        ("gym:CartPole-v1", {}, "missing"),
    ],
)
def test_weights_that_do_not_fit_are_named_and_nothing_starts(
    task, changes, told, source, tmp_path
):
    with pytest.raises(reverie.RunError, match=told) as stop:
        learn(task, tmp_path / "run", {**STILL, **changes}, init=start_of(source))
    text = str(stop.value)
    assert text.startswith(f"the weights of {source} (step 120) do not fit: ")
    assert text.count(" there and ") <= 3 and "tensors. Nothing was started: " in text
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_by_its_folder(source, tmp_path, cache):
    path = checkpoint.complete(source / "checkpoints")[-1]
    for number, folder in enumerate([path, path.parent]):
        run = learn("probe_memory", tmp_path / str(number), STILL, init=start_of(folder))
        assert same(weights(run), weights(source), "agent.")


def test_only_arrays_of_another_folder_are_read(source, tmp_path, cache):
    """Its configuration may name whatever it likes."""
    copy = shutil.copytree(source, tmp_path / "copy")
    (copy / "config.json").write_text("no configuration")
    learn("probe_memory", tmp_path / "run", STILL, init=start_of(copy))
    (path,) = checkpoint.complete(copy / "checkpoints")[-1:]
    (path / "arrays.safetensors").write_bytes((path / "arrays.safetensors").read_bytes()[:-1])
    with pytest.raises(reverie.RunError, match=r"arrays\.safetensors is damaged"):
        learn("probe_memory", tmp_path / "other", STILL, init=start_of(copy))
    assert not (tmp_path / "other").exists()


def test_what_is_no_run_to_start_from(tmp_path, cache):
    with pytest.raises(reverie.RunError, match="holds no complete checkpoint"):
        learn("probe_memory", tmp_path / "run", STILL, init=start_of(tmp_path / "nowhere"))
    with pytest.raises(reverie.RunError, match="is this run's own folder"):
        learn("probe_memory", tmp_path / "run", STILL, init=start_of(tmp_path / "run"))


@pytest.mark.parametrize(
    ("run", "take", "told"),
    [
        ("runs/a", "worlds", "no init_take 'worlds'; did you mean 'world'"),
        (None, "world", "name that run with --init RUN"),
        (3, None, "init takes the folder of a run, found 3"),
    ],
)
def test_wrong_words_are_named(run, take, told):
    with pytest.raises(reverie.ConfigError, match=told):
        start_of(run, take)


def test_the_command_line_knows_it(tmp_path):
    from reverie.launch import read

    launch = read(["probe_memory", "--init", "runs/a", "--init-take", "world"])
    assert launch.init is not None and launch.init.take == "world"
    assert launch.init.run.is_absolute() and launch.init.run.name == "a"
    assert read(["probe_memory"]).init is None
    with pytest.raises(reverie.ConfigError, match="--init needs a value"):
        read(["probe_memory", "--init"])


def test_python_hands_it_on(source, tmp_path, monkeypatch, cache):
    from reverie.train import loop

    heard = {}
    monkeypatch.setattr(loop, "train", lambda config, **how: heard.update(how) or tmp_path)
    reverie.train("probe_memory", logdir=tmp_path, init=source, init_take="without_actor")
    assert heard["init"] == start_of(source, "without_actor")
    reverie.continual("minigrid3", logdir=tmp_path, init=source)
    assert heard["init"] == start_of(source)
