"""A run ends the same whichever way it was begun: its page, its troubles, what comes next."""

import dataclasses
import gc
import sys
import types
from pathlib import Path
from typing import NamedTuple

import gymnasium
import pytest
from fake_run import bare_run

import reverie
from reverie.api import following, makers_named, train_seeds
from reverie.api.following import calls, commands
from reverie.cli import main
from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.folder.errors import RunError
from reverie.folder.run_folder import logdir_of
from reverie.part.errors import ConfigError
from reverie.report import closing, page

EPISODES = 60
NOTHING = f"no episode of {EPISODES} brought a reward other than 0"
ROWS = [{"step": n, "episode/return": 0.0, "episode/length": n} for n in range(1, EPISODES + 1)]


class Room(gymnasium.Env):
    """Handed over as a class; nobody makes it."""

    def reset(self, **_):
        raise AssertionError

    def step(self, action):
        raise AssertionError


class Outcome(NamedTuple):
    config: Config
    logdir: Path
    error: Exception | None = None


@pytest.fixture(autouse=True)
def learned(monkeypatch, tmp_path):
    """Every run, begun or resumed, has made sixty episodes of nothing; the loop is replaced."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("reverie.machine.cluster.join", lambda device: None)
    monkeypatch.setattr("reverie.machine.device.prepare", lambda device: None)

    def learn(config, make_env=None, **_):
        folder = logdir_of(config)
        return folder if folder.is_dir() else bare_run(folder, ROWS)

    def learn_together(configs, make_env=None, **_):
        return [Outcome(config, learn(config)) for config in configs]

    for module, function in (("loop", learn), ("group.train", learn_together)):
        fake = types.ModuleType(f"reverie.train.{module}")
        fake.train = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, fake.__name__, fake)


def command(words):
    return lambda: main(words.split())


PROBE = "train probe_reward --preset debug --logdir mine"
WAYS = {
    "train": (command(PROBE), ["."]),
    "the loop on the device": (command("train gymnax_cartpole --loop device --logdir mine"), ["."]),
    "continual": (
        command("continual probe_reward probe_action --sequence.steps 9 --logdir mine"),
        ["."],
    ),
    "seeds together": (command(f"{PROBE} --seeds 0 1"), ["seed-0", "seed-1"]),
    "seeds one after another": (
        command(f"{PROBE} --seeds 0 1 --no-together"),
        ["seed-0", "seed-1"],
    ),
    "a single one of seeds": (command(f"{PROBE} --seeds 0"), ["seed-0"]),
    "Python": (lambda: reverie.train("probe_reward", logdir="mine"), ["."]),
    "a callable": (lambda: reverie.train(Room, logdir="mine"), ["."]),
    "continual from Python": (
        lambda: reverie.continual(["probe_reward", Room], task_steps=9, logdir="mine"),
        ["."],
    ),
    "seeds from Python": (
        lambda: train_seeds("probe_reward", [0, 1], logdir="mine"),
        ["seed-0", "seed-1"],
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_begin_a_run_ends_it_with_page_troubles_and_what_is_next(way, capsys):
    begin, folders = WAYS[way]
    for _ in ("begun", "resumed"):
        begin()
        said = capsys.readouterr()
        assert said.err == ""
        for folder in (Path("mine", name) for name in folders):
            assert NOTHING in (folder / "report.html").read_text()
            assert f"report: {folder / 'report.html'}\n" in said.out
            (folder / "report.html").unlink()
        assert said.out.count(f"{NOTHING}: nothing tells") == len(folders)
        last = said.out.split("next:\n")[1]
        evaluate, compare = last.splitlines()[:2]
        assert folders[0].removeprefix(".") in evaluate and "eval" in evaluate
        assert all(name.removeprefix(".") in compare for name in folders)
        assert ("OTHER_RUN" in compare) == (len(folders) == 1)


@pytest.mark.parametrize("way", WAYS)
def test_who_wants_no_progress_gets_the_page_alone(way, capsys, monkeypatch):
    def quiet(*args, **options):
        config = resolve(*args, **options)
        return dataclasses.replace(config, log=dataclasses.replace(config.log, progress="none"))

    monkeypatch.setattr("reverie.launch.resolve", quiet)
    begin, folders = WAYS[way]
    begin()
    said = capsys.readouterr()
    assert said.err == ""
    assert all(Path("mine", name, "report.html").is_file() for name in folders)
    assert not any(word in said.out for word in ("report", "next", NOTHING))
    if "Python" in way or way == "a callable":
        assert said.out == ""


def test_of_several_processes_the_first_one_tells(monkeypatch, capsys):
    monkeypatch.setattr("reverie.machine.cluster.follows", lambda: True)
    for way in ("train", "seeds one after another", "Python", "continual from Python"):
        WAYS[way][0]()
    assert [*Path("mine").rglob("report.html")] == []
    assert "next" not in capsys.readouterr().out


@pytest.mark.parametrize("way", ["train", "seeds together", "Python", "seeds from Python"])
@pytest.mark.parametrize(
    ("name", "error", "why"),
    [
        ("render", KeyError("loss"), "KeyError: 'loss'"),
        ("write_whole", page.ReportError("the disk is full."), "written: the disk is full."),
    ],
)
def test_a_page_that_fails_costs_a_sentence_and_not_the_run(
    way, name, error, why, monkeypatch, capsys
):
    def fail(*_):
        raise error

    monkeypatch.setattr(page, name, fail)
    begin, folders = WAYS[way]
    begin()
    said = capsys.readouterr()
    sentences = said.err.splitlines()
    assert len(sentences) == len(folders)
    for sentence, folder in zip(sentences, folders, strict=True):
        assert f"the run {Path('mine', folder)} is complete, but its page is not" in sentence
        assert sentence.endswith(why)
    assert NOTHING in said.out and "next:\n" in said.out and "report: " not in said.out


def test_a_page_that_is_not_copied_costs_a_sentence(monkeypatch, capsys):
    def deliver(place, folder):
        if place.endswith("seed-0"):
            raise RunError(f"{place} cannot be written.")

    monkeypatch.setattr(closing, "deliver", deliver)
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path.cwd()))
    words = "train probe_reward --seeds 0 1 --logdir memory://b"
    assert main(words.split()) == 0
    said = capsys.readouterr()
    assert said.err == (
        "reverie: seed 0: the run memory://b/seed-0 is complete, but its page is not copied there: "
        "memory://b/seed-0 cannot be written.\n"
    )
    assert said.out.count("report: ") == 2 and "seeds: return 0 ± 0" in said.out


def test_a_seed_that_failed_is_left_out_of_what_is_next(monkeypatch, capsys):
    first, second = (resolve("probe_reward", overrides={"seed": seed}) for seed in (0, 1))
    failed = Outcome(first, Path("mine/seed-0"), RunError("it broke."))
    ends = [failed, Outcome(second, bare_run(Path("two"), ROWS))]
    monkeypatch.setattr(sys.modules["reverie.train.group.train"], "train", lambda *_, **__: ends)
    with pytest.raises(RunError, match=r"^seed 0: it broke\.$"):
        train_seeds("probe_reward", [0, 1])
    said = capsys.readouterr()
    assert said.err == "reverie: seed 0 failed: it broke.\n"
    assert "reverie.compare(['two', 'OTHER_RUN'])" in said.out
    assert Path("two/report.html").is_file() and "seed-0" not in said.out


def test_what_is_next_can_be_typed_as_it_stands():
    """What a run needs to be played again stands there; what would undo it does not."""
    config = resolve("gym:CartPole-v1", overrides={"steps": 1000})
    words = ["train", "gym:CartPole-v1", "--steps=1000", "--from", "500", "--logdir", "my runs/a"]
    assert commands([Path("my runs/a")], config, words) == [
        "reverie eval 'my runs/a'",
        "reverie compare 'my runs/a' OTHER_RUN",
        "reverie train gym:CartPole-v1 --logdir 'my runs/a' --steps 2000",
    ]
    folders = [Path("a/seed-0"), Path("a/seed-1")]
    own = resolve("custom:rooms.make", overrides={"steps": 30_000})
    told = commands(folders, own, ["train", "rooms:make"], ["rooms:make"])
    assert told[:2] == [
        "reverie eval a/seed-0 --env rooms:make",
        "reverie compare a/seed-0 a/seed-1",
    ]
    assert calls(folders, own, {"custom:Room": Room}) == [
        "reverie.evaluate('a/seed-0', make_env=Room)",
        "reverie.compare(['a/seed-0', 'a/seed-1'])",
        "the same call with steps=60_000 learns longer",
    ]
    assert "make_env=...)" in calls(folders, own, {"custom:lambda": lambda: Room()})[0]


def test_what_is_next_for_a_sequence_names_what_makes_its_environments():
    tasks = ("custom:Room", "probe_reward")
    config = resolve(
        "continual:custom", overrides={"sequence.tasks": tasks, "sequence.steps": (9,)}
    )
    (evaluate, _) = calls([Path("a")], config, {"custom:Room": Room})
    assert evaluate == "reverie.evaluate('a', make_env={'Room': Room})"
    (evaluate, _) = commands([Path("a")], config, ["train"], ["rooms:Room", "rooms:Hall"])
    assert evaluate == "reverie eval a --env rooms:Room rooms:Hall"


def test_a_name_stands_for_the_only_task_and_in_a_sequence_for_its_own():
    alone = resolve("custom:lambda")
    assert makers_named(alone, ["gc:collect"]) == {"custom:lambda": gc.collect}
    tasks = {"sequence.tasks": ("custom:gc.collect", "probe_reward"), "sequence.steps": (9,)}
    several = resolve("continual:custom", overrides=tasks)
    assert makers_named(several, ["gc:collect"]) == {"custom:gc.collect": gc.collect}
    assert makers_named(several, []) is None
    with pytest.raises(ConfigError, match="the run has no task 'gc:enable'"):
        makers_named(several, ["gc:enable"])


def test_what_is_next_allows_the_packages_that_the_run_came_from(monkeypatch):
    monkeypatch.setattr(following, "foreign_modules", lambda task: ["rooms.of.mine"])
    config = resolve("gym:CartPole-v1")
    assert commands([Path("a")], config, [])[0] == "reverie eval a --allow rooms"
    assert calls([Path("a")], config, {})[0] == "reverie.evaluate('a', allow=['rooms'])"
