"""Code of the user's own along a run: what it is told, what it may do, and what it cannot do."""

import json

import numpy as np
import pytest
from tiny_runs import learn, metrics, newest

import reverie
from reverie.callbacks.base import EVENTS
from reverie.train import checkpoint, loop

CHANGES = {"steps": 120, "train.eval_every": 60, "train.eval_episodes": 2}


class Listener(reverie.Callback):
    """Keeps every event, and lets `does` answer it."""

    def __init__(self, **does):
        self.heard, self.does, self.loaded = [], does, None

    def state(self):
        return {"heard": len(self.heard), "numbers": [1, 2.5, None]}

    def load(self, state):
        self.loaded = dict(state)


def hear(name):
    def method(self, event, run):
        self.heard.append((name, event))
        if name in self.does:
            self.does[name](event, run)

    return method


for _name in EVENTS:
    setattr(Listener, _name, hear(_name))


@pytest.fixture(scope="module", autouse=True)
def shared_programs(traced_once):
    """Every run in this process takes the program that one before it has compiled."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory, cache):
    """A run that nobody listens to."""
    return learn("probe_memory", tmp_path_factory.mktemp("plain") / "run", CHANGES)


@pytest.fixture(scope="module")
def heard(tmp_path_factory, cache):
    """The same run with a listener."""
    listener = Listener()
    folder = tmp_path_factory.mktemp("heard") / "run"
    learn("probe_memory", folder, CHANGES, callbacks=[listener])
    return folder, listener


def events(listener, name):
    return [event for kind, event in listener.heard if kind == name]


def test_listening_changes_no_number(plain, heard):
    assert metrics(plain) == metrics(heard[0])
    one, two = (newest(run)["learner"]["state"] for run in (plain, heard[0]))
    assert all((one[name] == two[name]).all() for name in one)


def test_the_events_of_a_run(plain, heard):
    folder, listener = heard
    names = [name for name, _ in listener.heard]
    assert names[0] == "on_start" and names[-1] == "on_end"
    assert set(names) == set(EVENTS)
    start = listener.heard[0][1]
    assert (start.step, start.resumed, start.logdir) == (0, False, folder)
    assert start.config.steps == 120
    rows = metrics(plain)
    ended = [r for r in rows if "episode/return" in r]
    assert [(e.step, e.total_reward, e.length) for e in events(listener, "on_episode")] == [
        (row["step"], row["episode/return"], row["episode/length"]) for row in ended
    ]
    evaluated = [row for row in rows if "eval/return" in row]
    shown = events(listener, "on_evaluation")
    assert [(e.step, e.mean_return, e.std_return) for e in shown] == [
        (row["step"], row["eval/return"], row["eval/return_std"]) for row in evaluated
    ]
    assert shown[0].episodes == 2 and shown[0].values["eval/length"] == 4
    logged = [row for row in rows if "replay/rows" in row]
    means = events(listener, "on_metrics")
    assert [m.step for m in means] == [40, 80, 120]
    assert means[1].values["loss/total"] == logged[1]["loss/total"]
    saved = events(listener, "on_checkpoint")
    assert saved[-1].path == checkpoint.complete(folder / "checkpoints")[-1]
    end = listener.heard[-1][1]
    assert (end.step, end.finished, end.reason) == (120, True, "")


def test_a_step_batch_is_what_the_replay_stores(heard):
    """Shapes, and rewards that add up to the returns of the episodes."""
    steps = events(heard[1], "on_step")
    assert len(steps) == 60  # two environments
    first = steps[0]
    assert first.obs["image"].shape == (2, 16, 16, 3) and first.obs["image"].dtype == np.uint8
    assert first.reward.shape == first.is_first.shape == (2,)
    assert first.is_first.all() and not first.is_last.any()
    assert first.action["action"].shape == (2,)
    total = sum(step.reward.sum() for step in steps)
    assert total == sum(e.total_reward for e in events(heard[1], "on_episode"))
    kept = [step.obs["image"].copy() for step in steps]
    assert any((kept[0] != image).any() for image in kept[1:])  # copies, not one shared array


def test_nothing_that_is_shown_can_be_changed(heard):
    listener = heard[1]
    step = events(listener, "on_step")[3]
    for array in (step.obs["image"], step.reward, step.is_last, step.action["action"]):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    shown = [step.obs, step.action, step.log, events(listener, "on_metrics")[0].values]
    shown += [events(listener, "on_evaluation")[0].values, events(listener, "on_episode")[0].log]
    for mapping in shown:
        with pytest.raises(TypeError):
            mapping["x"] = 1
    for _, event in listener.heard:
        with pytest.raises(AttributeError):
            event.step = 1


def test_what_is_logged_has_a_name_of_its_own(plain, tmp_path, cache):
    def log(event, run):
        run.log({"seen": np.float32(0.5), "count": 3})

    two = [Listener(on_metrics=log), Listener(on_episode=log)]
    learn("probe_memory", tmp_path, CHANGES, callbacks=two)
    rows = metrics(tmp_path)
    own = [row for row in rows if any(name.startswith("callback/") for name in row)]
    assert [row for row in rows if row not in own] == metrics(plain)
    assert own[-1] == {"step": 120, "callback/Listener/seen": 0.5, "callback/Listener/count": 3}
    assert {name for row in own for name in row} >= {"callback/Listener-2/seen"}
    from reverie.watch.metric_names import check_names

    check_names({name for row in own for name in row} - {"step"})


@pytest.mark.parametrize(
    ("scalars", "told"),
    [
        ({"a/b": 1.0}, "names without a slash, found 'a/b'"),
        ({"a": "high"}, "takes numbers, found 'a': 'high'"),
        ({"a": np.zeros(2)}, "takes numbers, found 'a'"),
    ],
)
def test_what_cannot_be_logged_is_named(scalars, told):
    from reverie.callbacks import Control

    with pytest.raises(reverie.ConfigError, match=told):
        Control("Mine").log(scalars)


STOPS = {
    "on_start": 0,
    "on_step": 60,
    "on_episode": 60,
    "on_metrics": 80,
    "on_evaluation": 60,
    "on_checkpoint": 20,
}


@pytest.mark.parametrize("event", STOPS)
def test_a_stopped_run_is_saved_and_goes_on_as_if_nothing_had_happened(
    event, plain, tmp_path, cache, capsys
):
    def stop(shown, run):
        if shown.step >= (STOPS[event] - 10):
            run.stop("that is enough.")

    changes = {**CHANGES, "train.save_every": 0.0} if event == "on_checkpoint" else CHANGES
    listener = Listener(**{event: stop})
    assert learn("probe_memory", tmp_path, changes, callbacks=[listener]) == tmp_path
    said = " ".join(capsys.readouterr().out.split())
    stopped = newest(tmp_path)["clocks"]["step"]
    assert stopped <= STOPS[event] + 2
    assert f"stopped by Listener at step {stopped} and saved: that is enough. The folder" in said
    end = listener.heard[-1][1]
    assert not end.finished and "that is enough" in end.reason
    learn("probe_memory", tmp_path, CHANGES)
    assert metrics(plain) == metrics(tmp_path)


@pytest.mark.parametrize("event", [*STOPS, "on_end"])
def test_a_callback_that_raises(event, plain, tmp_path, cache):
    def fail(shown, run):
        if shown.step >= 40 or event == "on_start":
            raise KeyError("no such thing")

    other = Listener()
    with pytest.raises(reverie.callbacks.CallbackError) as stop:
        learn("probe_memory", tmp_path, CHANGES, callbacks=[Listener(**{event: fail}), other])
    first, *lines = str(stop.value).splitlines()
    assert f"the callback Listener failed in {event} at step " in first
    assert "(KeyError: 'no such thing')" in first
    assert (
        "is saved" if event == "on_end" else "then stopped and saved, and the same call"
    ) in first
    assert "test_callbacks.py" in lines[0]
    assert 'raise KeyError("no such thing")' in lines[-1] or "^" in lines[-1]
    assert "listeners.py" not in str(stop.value)
    assert isinstance(stop.value.__cause__, KeyError)
    assert other.heard[-1][0] == "on_end"
    if event in ("on_step", "on_end"):
        learn("probe_memory", tmp_path, CHANGES)
        assert metrics(plain) == metrics(tmp_path)


def test_what_a_callback_has_learned_survives(tmp_path, cache):
    first = Listener(on_evaluation=lambda event, run: run.stop())
    learn("probe_memory", tmp_path, CHANGES, callbacks=[first])
    learn("probe_memory", tmp_path, {**CHANGES, "steps": 80})  # without it: what it said stays
    second = Listener()
    learn("probe_memory", tmp_path, CHANGES, callbacks=[second, Listener()])
    assert second.heard[0][1].resumed and second.heard[0][1].step == 80
    assert second.loaded["numbers"] == [1, 2.5, None] and second.loaded["heard"] > 30
    text = newest(tmp_path)["callbacks"]["states"]["Listener"]
    assert json.loads(text)["heard"] > 30


@pytest.mark.parametrize("state", [{"a": np.zeros(2)}, {"a": {1, 2}}])
def test_a_state_that_is_no_json_is_told(state, tmp_path, cache):
    listener = Listener()
    listener.state = lambda: state
    with pytest.raises(
        reverie.callbacks.CallbackError, match=r"failed in state at step .* not JSON seria"
    ):
        learn("probe_memory", tmp_path, CHANGES, callbacks=[listener])
    learn("probe_memory", tmp_path, CHANGES)


def test_a_callback_that_refuses_its_state(tmp_path, cache):
    learn("probe_memory", tmp_path, {**CHANGES, "steps": 60}, callbacks=[Listener()])
    listener = Listener()
    listener.load = lambda state: state["absent"]
    with pytest.raises(
        reverie.callbacks.CallbackError, match=r"failed in load .*'absent'\); nothing was st"
    ):
        learn("probe_memory", tmp_path, CHANGES, callbacks=[listener])
    assert listener.heard == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (Listener(), r"takes a list, found .* write callbacks=\[\.\.\.\]"),
        ([Listener], r"callbacks\[0\] is the class Listener: hand over an object"),
        ([Listener(), 3], r"callbacks\[1\] is 3: it takes objects whose class derives from"),
        ([lambda *_: None], r"callbacks\[0\] is <function"),
        ("KeepBest", "takes a list, found 'KeepBest'"),
    ],
)
@pytest.mark.parametrize("verb", ["train", "continual"])
def test_what_is_no_callback_is_named_before_anything_starts(verb, given, told, tmp_path):
    task = "probe_memory" if verb == "train" else "minigrid3"
    with pytest.raises(reverie.ConfigError, match=told):
        getattr(reverie, verb)(task, logdir=tmp_path / "run", callbacks=given)
    assert not (tmp_path / "run").exists()


def test_one_object_cannot_listen_twice():
    listener = Listener()
    with pytest.raises(reverie.ConfigError, match=r"callbacks\[1\] is there twice"):
        loop.sort([listener, listener])


class Numbers(reverie.Sink):
    """A sink of the user's own."""

    def __init__(self):
        self.lines, self.shown, self.closed = [], [], 0

    def write(self, step, scalars):
        self.lines.append({"step": step, **scalars})

    def video(self, step, name, path):
        self.shown.append((step, name, path.suffix))

    def close(self):
        self.closed += 1


class Broken(reverie.Sink):
    """One that cannot be used."""

    def write(self, step, scalars):
        raise OSError("no route to host")


def test_sinks_come_by_the_same_door(plain, tmp_path, cache, capsys):
    sink = Numbers()
    given = [Broken(), sink, Listener()]
    learn("probe_memory", tmp_path, CHANGES, callbacks=given)
    own = ("time/", "system/")
    lines = [{k: v for k, v in row.items() if not k.startswith(own)} for row in sink.lines]
    assert lines == metrics(plain) == metrics(tmp_path)
    assert (60, "eval", ".mp4") in sink.shown and sink.closed == 1
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("the sink Broken failed: no route to host. It is off after 3 failures") == 1
