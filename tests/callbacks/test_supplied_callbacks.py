"""The callbacks that come with the package, in runs of seconds."""

import json
import sys

import pytest
from tiny_runs import learn, metrics, newest

import reverie
from reverie.callbacks import Control, Evaluation, Start
from reverie.callbacks.events import Episode
from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.folder.errors import RunError
from reverie.train import checkpoint
from reverie.train import kept as kept_checkpoints
from reverie.train.kept import keep

CHANGES = {"steps": 120, "train.eval_every": 20, "train.eval_episodes": 2}


@pytest.fixture(scope="module", autouse=True)
def shared_programs(traced_once):
    """Every run in this process takes the program that one before it has compiled."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory, cache):
    """A run that keeps its best checkpoint, and its folder."""
    folder = tmp_path_factory.mktemp("kept") / "run"
    return learn("probe_memory", folder, CHANGES, callbacks=[reverie.KeepBest()])


def evaluation(step, value):
    return Evaluation(step, value, 0.0, 2, {"eval/return": value})


def start(resumed=False, **changes):
    config = apply(Config(), {"train.eval_every": 20, "train.eval_episodes": 2, **changes})
    return Start(0, resumed, config, None)


# -- the best checkpoint


def best_step(run):
    (path,) = checkpoint.complete(run / "checkpoints" / "best")
    return checkpoint.load(path)["clocks"]["step"]


def best_of(run):
    rows = [row for row in metrics(run) if "eval/return" in row]
    return max(rows, key=lambda row: row["eval/return"])


def test_the_best_checkpoint_stays_and_is_whole(kept):
    (folder,) = (kept / "checkpoints" / "best").iterdir()
    assert {path.name for path in folder.iterdir()} == {
        "state.json",
        "arrays.safetensors",
        "manifest.json",
    }
    tree = checkpoint.load(folder)  # checks every digest
    assert tree["clocks"]["step"] == checkpoint.step_of(folder) == best_of(kept)["step"]
    assert "best" not in [path.name for path in checkpoint.complete(kept / "checkpoints")]
    assert not list((kept / "checkpoints").glob(".*"))


def test_the_best_checkpoint_is_loaded_by_its_word(kept):
    here = {"seed": 0, "episodes": 2}
    best = reverie.evaluate(reverie.load(kept, checkpoint="best"), **here)
    assert best["eval/return"] == best_of(kept)["eval/return"]


def test_keeping_changes_no_number(kept, tmp_path):
    learn("probe_memory", tmp_path, CHANGES)
    assert metrics(tmp_path) == metrics(kept)


def test_the_best_of_a_resumed_run_is_that_of_the_whole(kept, tmp_path, cache):
    """The value to beat is remembered, and a kept checkpoint is no place to resume from."""
    learn("probe_memory", tmp_path, {**CHANGES, "steps": 60}, callbacks=[reverie.KeepBest()])
    learn("probe_memory", tmp_path, CHANGES, callbacks=[reverie.KeepBest()])
    steps = [best_step(run) for run in (kept, tmp_path)]
    rows = {row["step"]: row["eval/return"] for row in metrics(tmp_path) if "eval/return" in row}
    assert rows[steps[1]] == max(rows.values())
    state = json.loads(newest(tmp_path)["callbacks"]["states"]["KeepBest"])
    assert state["best"] == max(rows.values())


def test_a_kill_between_saving_and_keeping_is_mended(kept, tmp_path, cache, monkeypatch):
    class Killed(BaseException):
        """Nothing catches it."""

    def die(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(kept_checkpoints, "keep", die)
        with pytest.raises(Killed):
            learn("probe_memory", tmp_path, CHANGES, callbacks=[reverie.KeepBest()])
    assert not (tmp_path / "checkpoints" / "best").exists()
    stopped = checkpoint.step_of(checkpoint.complete(tmp_path / "checkpoints")[-1])
    learn("probe_memory", tmp_path, {**CHANGES, "steps": stopped, "train.eval_episodes": 0})
    assert best_step(tmp_path) == stopped


def test_a_kept_checkpoint_takes_the_place_of_the_one_before(tmp_path):
    for step in (10, 20, 30):
        path = checkpoint.save(tmp_path, step, {"step": step})
        keep(path, "best")
        checkpoint.prune(tmp_path, 1)
    assert [path.name for path in (tmp_path / "best").iterdir()] == ["000000000030"]
    assert checkpoint.load(tmp_path / "best" / "000000000030") == {"step": 30}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000000030", "best"]
    assert (tmp_path / "best" / "000000000030" / "state.json").stat().st_nlink == 2
    keep(path, "best")  # the same again
    again = checkpoint.save(tmp_path, 20, {"step": 20})  # the run went back
    keep(again, "best")
    assert [path.name for path in (tmp_path / "best").iterdir()] == ["000000000020"]


def test_where_files_cannot_have_two_names_they_are_copied(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(type(tmp_path), "hardlink_to", refuse)
    kept = keep(checkpoint.save(tmp_path, 10, {"step": 10}), "best")
    assert checkpoint.load(kept) == {"step": 10}
    assert (kept / "state.json").stat().st_nlink == 1


def test_a_disk_that_refuses_leaves_the_one_before(tmp_path, monkeypatch):
    kept = keep(checkpoint.save(tmp_path, 10, {"step": 10}), "best")
    path = checkpoint.save(tmp_path, 20, {"step": 20})

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept_checkpoints, "_link", refuse)
    with pytest.raises(RunError, match=r"disk is full: the checkpoint .*20 was not written"):
        keep(path, "best")
    assert [*(tmp_path / "best").iterdir()] == [kept]
    assert checkpoint.load(kept) == {"step": 10}


@pytest.mark.parametrize(("mode", "kept_at"), [("max", [1, 3]), ("min", [1, 2])])
def test_only_what_is_better_is_kept(mode, kept_at):
    callback, found = reverie.KeepBest(mode=mode), []
    for step, value in enumerate([float("nan"), 1.0, 0.5, 2.0, 2.0]):
        run = Control("KeepBest")
        callback.on_evaluation(evaluation(step, value), run)
        found += [step] if run.kept == ["best"] else []
    assert found == kept_at


@pytest.mark.parametrize("name", ["7", "000000000030", "a/b", "..", ".hidden", ""])
def test_what_cannot_name_a_kept_checkpoint(name):
    with pytest.raises(reverie.ConfigError, match="a kept checkpoint needs a name of letters"):
        Control("Mine").keep(name)


# -- stop on a return


def test_a_run_stops_on_an_evaluation_and_stays_stopped(tmp_path, cache, capsys):
    learn("probe_memory", tmp_path, CHANGES, callbacks=[reverie.StopOnReturn(-2.0)])
    said = " ".join(capsys.readouterr().out.split())
    assert "stopped by StopOnReturn at step 20 and saved: the mean return of 2 evaluation " in said
    assert "and -2 is enough" in said
    learn("probe_memory", tmp_path, CHANGES, callbacks=[reverie.StopOnReturn(-2.0)])
    assert "saved: it had reached" in " ".join(capsys.readouterr().out.split())
    assert newest(tmp_path)["clocks"]["step"] == 20
    learn("probe_memory", tmp_path, {**CHANGES, "steps": 40}, callbacks=[reverie.StopOnReturn(9)])
    assert newest(tmp_path)["clocks"]["step"] == 40


def test_a_run_stops_on_training_episodes_across_a_resume(tmp_path, cache):
    """The window of the newest episodes is filled partly before, and partly after."""
    changes = {**CHANGES, "train.eval_every": 0}

    def callback():
        return reverie.StopOnReturn(-1.0, 7, on="episode")

    learn("probe_memory", tmp_path, {**changes, "steps": 30}, callbacks=[callback()])
    learn("probe_memory", tmp_path, changes, callbacks=[callback()])
    ended = [row["step"] for row in metrics(tmp_path) if "episode/return" in row]
    assert len(ended) == 8  # two environments end at once
    assert newest(tmp_path)["clocks"]["step"] == ended[-1] + 2


def test_the_mean_over_episodes_decides():
    callback, run = reverie.StopOnReturn(1.0, 2, on="episode"), Control("StopOnReturn")
    callback.on_start(start(**{"train.eval_every": 0}), run)
    for value, stops in ((5.0, False), (-4.0, False), (5.0, False), (-2.0, True)):
        callback.on_episode(Episode(1, value, 4, {}), run)
        assert (run.stop_reason is not None) == stops
    fresh = Control("StopOnReturn")
    callback.on_start(start(**{"train.eval_every": 0}), fresh)  # used again, in another run
    assert fresh.stop_reason is None and not callback.returns


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: reverie.StopOnReturn(1, on="evaluation"), "did you mean 'eval'"),
        (lambda: reverie.StopOnReturn("high"), "threshold takes"),
        (lambda: reverie.StopOnReturn(1, 0), "episodes must be at least 1, found 0"),
        (lambda: reverie.KeepBest("eval/retrun"), "no metric 'eval/retrun'; did you mean 'eval/re"),
        (lambda: reverie.KeepBest("episode/return"), "is of a single episode"),
        (lambda: reverie.KeepBest(mode="most"), "mode must be 'max' or 'min'"),
        (lambda: reverie.OptunaPruning(None, "loss"), "no metric 'loss'"),
    ],
)
def test_wrong_arguments_are_named(make, told):
    pytest.importorskip("optuna")
    with pytest.raises(reverie.ConfigError, match=told):
        make()


@pytest.mark.parametrize("callback", [reverie.KeepBest, lambda: reverie.StopOnReturn(1.0)])
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"train.eval_every": 0}, "is evaluated only at its end: set train.eval_every"),
        ({"train.eval_episodes": 0}, "makes no evaluations: set train.eval_every"),
    ],
)
def test_a_run_without_the_evaluations_that_are_watched(callback, changes, told):
    with pytest.raises(reverie.ConfigError, match=told):
        callback().on_start(start(**changes), Control("x"))


def test_evaluations_of_too_few_episodes():
    with pytest.raises(reverie.ConfigError, match=r"wants 5 episodes an evaluation.* is 2"):
        reverie.StopOnReturn(1.0, 5).on_start(start(), Control("x"))


# -- Optuna


def test_a_pruned_trial_of_optuna(tmp_path, cache):
    """The second trial is pruned at its first evaluation, and its run is saved."""
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    class Second(optuna.pruners.BasePruner):
        def prune(self, study, trial):
            return trial.number == 1

    def objective(trial):
        run = tmp_path / str(trial.number)
        pruning = reverie.OptunaPruning(trial)
        learn("probe_memory", run, {**CHANGES, "steps": 40}, callbacks=[pruning])
        return [row["eval/return"] for row in metrics(run) if "eval/return" in row][-1]

    study = optuna.create_study(direction="maximize", pruner=Second())
    study.optimize(objective, n_trials=2)
    done, pruned = study.trials
    rows = [row for row in metrics(tmp_path / "0") if "eval/return" in row]
    assert done.state.name == "COMPLETE"
    assert done.intermediate_values == {row["step"]: row["eval/return"] for row in rows}
    assert pruned.state.name == "PRUNED" and list(pruned.intermediate_values) == [20]
    assert newest(tmp_path / "1")["clocks"]["step"] == 20


@pytest.mark.parametrize(
    ("module", "make", "extra"),
    [
        ("optuna", lambda: reverie.OptunaPruning(None), "optuna"),
        ("IPython.display", reverie.NotebookDisplay, "notebook"),
    ],
)
def test_a_missing_package_is_named(module, make, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(reverie.ConfigError, match=rf"pip install 'reverie\[{extra}\]'"):
        make()


# -- a notebook


def test_one_output_of_a_notebook_is_updated(tmp_path, cache):
    pytest.importorskip("IPython")
    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    before, shell.display_pub = shell.display_pub, CapturingDisplayPublisher(shell=shell)
    try:
        shown = reverie.NotebookDisplay(seconds=0.0)
        learn("probe_memory", tmp_path, CHANGES, callbacks=[shown])
        outputs = shell.display_pub.outputs
    finally:
        shell.display_pub = before
        InteractiveShell.clear_instance()
    assert [output["update"] for output in outputs] == [False] + [True] * (len(outputs) - 1)
    assert len({output["transient"]["display_id"] for output in outputs}) == 1
    last = outputs[-1]["data"]
    assert "120 of 120 (finished)" in last["text/html"]
    assert last["text/html"].count("<polyline") == 2
    assert last["text/plain"].startswith("probe_memory: steps 120 of 120 (finished), return last ")


def test_the_view_shows_text_as_text_and_few_points():
    from reverie.callbacks.notebook import POINTS, View, draw, thin

    html = View("<b>", {"now": "a & b"}, [[], []])._repr_html_()
    assert "&lt;b&gt;" in html and "a &amp; b" in html and "<svg" not in html
    curve = [(step, float(step % 7)) for step in range(10_001)]
    assert len(thin(curve)) <= POINTS + 1 and thin(curve)[-1] == curve[-1]
    assert thin([]) == [] and "nan" not in draw([[(0, 1.0)], []])
