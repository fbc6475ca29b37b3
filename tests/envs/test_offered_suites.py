"""A suite of somebody else's package: listed, made, trained on, and read back with a word."""

import sys

import numpy as np
import pytest
from tiny_runs import TINY, metrics
from toy_envs import assert_contract, play

import reverie
from reverie.cli import main
from reverie.config.presets import resolve, suite_of, suite_preset
from reverie.envs import catalog, origin, registry
from reverie.envs.base import EnvError
from reverie.envs.make import make
from reverie.envs.options import EnvConfig
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError

ROOMS = """
import pathlib
pathlib.Path({marker!r}).write_text("imported")

import gymnasium
import numpy as np

from reverie.envs.suite import Suite

SUITE = Suite(
    "rooms_of_mine:build",
    lambda: ("hall", "wide_hall"),
    "my room {{}}",
    preset="probe",
    special={{"hall": "the hall"}},
    aliases={{"corridor": "hall"}},
)
BROKEN = "no row"


class Hall(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, length):
        self.length = length

    def reset(self, *, seed=None, options=None):
        gymnasium.Env.reset(self, seed=seed)
        self.count = 0
        return np.zeros(2, np.float32), {{}}

    def step(self, action):
        self.count += 1
        return np.zeros(2, np.float32), float(action), self.count >= self.length, False, {{}}


def build(name, config, split, /, length=5):
    env = Hall(length)
    return (env, [f"made to {{split}}"]) if name == "hall" else env
"""


def offer(home, marker, points):
    """Writes the package and what it offers: name -> object of a suite."""
    info = home / "rooms_of_mine-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: rooms-of-mine\nVersion: 1.0\n")
    lines = [f"{name} = {where}" for name, where in points.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{registry.GROUP}]", *lines]) + "\n")
    (home / "rooms_of_mine.py").write_text(ROOMS.format(marker=str(marker)))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """installed({name: object}) -> a file that exists once the package was imported."""

    def install(points):
        marker = tmp_path / "marker"
        offer(tmp_path / "site", marker, points)
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        registry.offered.cache_clear()
        return marker

    yield install
    registry.offered.cache_clear()
    sys.modules.pop("rooms_of_mine", None)


def test_its_tasks_are_listed_and_named_without_an_import(installed):
    marker = installed({"myrooms": "rooms_of_mine:SUITE"})
    assert "myrooms" in registry.names() and registry.split("myrooms_wide_hall")[0] == "myrooms"
    assert suite_of("myrooms_hall") == "myrooms"
    assert not marker.exists()
    rows = {row.name: row.meaning for row in catalog.tasks() if row.suite == "myrooms"}
    assert rows == {"myrooms_hall": "the hall", "myrooms_wide_hall": "my room wide hall"}
    assert suite_preset("myrooms").name == "probe"
    assert resolve("myrooms_hall").env.num == resolve("probe_action").env.num


def test_the_verbs_show_it(installed, capsys):
    installed({"myrooms": "rooms_of_mine:SUITE"})
    assert main(["tasks", "myrooms"]) == 0
    assert "my room wide hall" in capsys.readouterr().out
    assert main(["train", "myrooms_hall", "--help"]) == 0
    assert "Learn myrooms_hall" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("task", "near"),
    [("myrooms_hal", "myrooms_hall"), ("myroms_hall", "myrooms_hall")],
)
def test_misspelt_tasks_meet_the_nearest(installed, task, near):
    installed({"myrooms": "rooms_of_mine:SUITE"})
    with pytest.raises(EnvError, match=f"Did you mean '{near}'"):
        make(task, EnvConfig())
    with pytest.raises(ConfigError, match="did you mean 'myrooms'"):
        suite_of("myroms_hall")


def test_a_colon_names_a_module_and_the_sentence_says_how_tasks_are_written(installed):
    installed({"rooms_of_mine": "rooms_of_mine:SUITE"})
    with pytest.raises(ConfigError, match="tasks of the suite are written rooms_of_mine_NAME"):
        reverie.train("rooms_of_mine:hall")


def test_it_is_made_with_its_arguments(installed):
    installed({"my_rooms": "rooms_of_mine:SUITE"})  # an underscore in the name of a suite
    env = make("my_rooms_corridor", EnvConfig(kwargs='{"length": 3}'), split="eval")
    assert "made to eval" in env.notices
    rows = play(env, 1, 9)
    assert_contract(env, rows)
    assert make("my_rooms_wide_hall", EnvConfig()).obs_specs["vector"].shape == (2,)
    with pytest.raises(EnvError, match=r"env.kwargs \{'nonsense': 1\} do not fit my_rooms_hall"):
        make("my_rooms_hall", EnvConfig(kwargs='{"nonsense": 1}'))


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("rooms_of_mine:SUIT", "rooms_of_mine has no 'SUIT'; did you mean 'SUITE'"),
        ("rooms_of_mine:BROKEN", "is a str in rooms_of_mine:BROKEN; expected a"),
        ("no_such_module_of_mine:SUITE", "No module named 'no_such_module_of_mine'"),
    ],
)
def test_a_broken_row_costs_a_sentence_and_only_its_own_tasks(installed, where, said):
    installed({"myrooms": where})
    with pytest.warns(UserWarning, match=said):
        assert len(catalog.tasks()) > 1000
    with pytest.raises(EnvError, match=said):
        make("myrooms_hall", EnvConfig())
    assert make("probe_action", EnvConfig()) is not None


def test_names_of_ours_stay_ours(installed):
    installed({"dmc": "rooms_of_mine:SUITE", "dmc_walker": "rooms_of_mine:SUITE"})
    with pytest.warns(UserWarning, match="'dmc' of rooms_of_mine:SUITE is left out: Reverie has"):
        registry.names()
    assert catalog.parse("dmc_walker_walk") == ("dmc", "walker_walk")


def test_a_run_on_it_learns_and_is_evaluated_only_with_a_word(installed, tmp_path, cache, capsys):
    marker = installed({"myrooms": "rooms_of_mine:SUITE"})
    run = reverie.train(
        "myrooms_hall",
        size="debug",
        steps=120,
        logdir=tmp_path / "run",
        overrides={k: v for k, v in TINY.items() if k != "steps"} | {"device.cache": str(cache)},
    )
    assert max(row.get("train/updates", 0) for row in metrics(run)) > 5
    assert "myrooms_hall" in (run / "report.html").read_text()
    sys.modules.pop("rooms_of_mine")
    marker.unlink()
    assert origin.foreign_modules("myrooms_hall") == ["rooms_of_mine"]
    with pytest.raises(RunError, match="would import the module 'rooms_of_mine'"):
        reverie.evaluate(run, episodes=1)
    assert main(["eval", str(run), "--episodes", "1"]) == 1
    assert "--allow rooms_of_mine" in capsys.readouterr().err and not marker.exists()
    scores = reverie.evaluate(run, episodes=2, allow="rooms_of_mine")
    assert np.isfinite(scores["eval/return"]) and marker.exists()
