import re
import subprocess
import sys
import tomllib
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from toy_envs import Counter, assert_contract, assert_rows_equal, play

from reverie.config.benchmarks import BENCHMARKS
from reverie.envs import catalog, gym_ids, names, names_games
from reverie.envs.base import EnvError
from reverie.envs.dmc import split_task
from reverie.envs.make import make, maker
from reverie.envs.options import EnvConfig
from reverie.envs.pinpad import FLOORS
from reverie.envs.probes import PROBES
from reverie.envs.suites import SUITES

ROOT = Path(__file__).parents[2]


def test_importing_the_station_imports_neither_jax_nor_a_simulator():
    heavy = "('jax', 'ale_py', 'dm_control', 'mujoco', 'minigrid', 'PIL', 'pygame')"
    code = (
        "import sys, reverie.envs.vector, reverie.envs.make, reverie.envs.catalog as c; c.tasks();"
        f"bad = [m for m in {heavy} if m in sys.modules]; assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("task", [row.name for row in catalog.tasks() if row.suite == "gym"])
def test_classic_tasks_keep_the_contract(task):
    env = make(task, EnvConfig())
    rows = play(env, 1, 40)
    assert_contract(env, rows)
    assert_rows_equal(rows, play(make(task, EnvConfig()), 1, 40))
    env.close()


def test_every_task_has_a_suite_a_meaning_and_a_name_of_its_own():
    rows = catalog.tasks()
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.meaning and catalog.suite_of(row.name) == row.suite for row in rows)
    assert {row.suite for row in rows} == {"gym", *SUITES}


def test_names_equal_those_of_our_own_suites():
    assert list(names_games.PINPAD_FLOORS) == list(FLOORS)
    assert list(names_games.PROBES) == list(PROBES)


def test_names_equal_the_installed_simulators():
    import ale_py
    from dm_control import suite

    gymnasium.register_envs(ale_py)
    games = {s.kwargs["game"] for id, s in gymnasium.registry.items() if id.startswith("ALE/")}
    assert games == set(names.ATARI_GAMES)
    assert set(names.ATARI100K_GAMES) <= games
    assert len(names.ATARI100K_GAMES) == 26
    assert len(names.ATARI57_GAMES) == 57
    assert set(names.ATARI100K_GAMES) < set(names.ATARI57_GAMES) <= games
    assert [split_task(name) for name in names.DMC_TASKS] == list(suite.ALL_TASKS)
    code = (  # a fresh process: other packages register levels of their own under its names
        "import gymnasium, minigrid; gymnasium.register_envs(minigrid);"
        "print(*[i for i in gymnasium.registry if i.startswith(('MiniGrid-', 'BabyAI-'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    grids = done.stdout.split()
    assert list(names.minigrid_ids().values()) == grids


@pytest.mark.parametrize(
    ("task", "near"),
    [
        ("dmc_waker_walk", "dmc_walker_walk"),
        ("atari100k_pnog", "atari100k_pong"),
        ("atri_breakout", "atari_breakout"),
        ("minigrid_dorkey_8x8", "minigrid_doorkey_8x8"),
        ("probe_memry", "probe_memory"),
        ("walker_walk", "dmc_walker_walk"),
        ("gym:CartPol-v1", "CartPole-v1"),
        ("gym:ALE/Pnog-v5", "ALE/Pong-v5"),
    ],
)
def test_a_misspelt_task_suggests_the_nearest(task, near):
    with pytest.raises(EnvError, match=f"Did you mean '{near}'"):
        make(task, EnvConfig())
    with pytest.raises(EnvError, match=f"Did you mean '{near}'"):
        maker(task, EnvConfig())


def test_an_id_of_gymnasium_is_recognised():
    with pytest.raises(EnvError, match="write gym:CartPole-v1"):
        make("CartPole-v1", EnvConfig())


def test_spellings_of_other_code_bases():
    assert catalog.parse("atari100k_james_bond") == ("atari100k", "jamesbond")
    assert split_task(catalog.parse("dmc_cup_catch")[1]) == ("ball_in_cup", "catch")


@pytest.mark.parametrize(
    ("module", "task", "extra"),
    [
        ("ale_py", "atari_pong", "atari"),
        ("ale_py", "atari100k_pong", "atari"),
        ("ale_py", "gym:ALE/Pong-v5", "atari"),
        ("dm_control", "dmc_walker_walk", "dmc"),
        ("minigrid", "minigrid_empty_5x5", "minigrid"),
        ("minigrid", "gym:MiniGrid-Empty-5x5-v0", "minigrid"),
        ("nle", "nethack_score", "nethack"),
        ("nle", "gym:NetHackScore-v0", "nethack"),
        ("minihack", "gym:MiniHack-River-v0", "nethack"),
        ("vizdoom", "gym:VizdoomBasic-v1", "vizdoom"),
        ("popgym", "gym:popgym-BattleshipEasy-v0", "popgym"),
        ("miniworld", "gym:MiniWorld-Hallway-v0", "miniworld"),
        ("minihack", "minihack_river", "nethack"),
        ("crafter", "crafter_reward", "crafter"),
        ("bsuite", "bsuite_catch/0", "bsuite"),
        ("minatar", "minatar_freeway", "minatar"),
        ("popgym", "popgym_battleship_easy", "popgym"),
        ("vizdoom", "vizdoom_basic", "vizdoom"),
        ("pyglet", "miniworld_hallway", "miniworld"),
        ("stable_retro", "retro_Airstriker-Genesis-v0", "retro"),
        ("envpool", "envpool_Pong-v5", "envpool"),
    ],
)
def test_a_missing_simulator_names_the_extra(monkeypatch, module, task, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EnvError, match=rf"pip install 'reverie\[{extra}\]'"):
        make(task, EnvConfig())


def test_what_gymnasiums_own_environments_lack_is_an_extra_of_ours(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("gymnasium.envs.box2d")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "Box2D", None)
    with pytest.raises(EnvError, match=r"LunarLander-v3 .*Box2D.*: pip install 'reverie\[box2d\]'"):
        make("gym:LunarLander-v3", EnvConfig())


def test_every_environment_of_gymnasiums_own_belongs_to_an_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs_jax_alone = re.compile(r"gymnasium\.envs\.(phys2d|tabular)")
    for id, spec in gymnasium.registry.items():
        place = str(spec.entry_point)
        if place.startswith("gymnasium.envs.") and not needs_jax_alone.match(place):
            assert gym_ids.own_extra(id) in extras["optional-dependencies"], id


def test_procgen_tells_how_to_install_what_no_extra_can(monkeypatch):
    monkeypatch.setitem(sys.modules, "procgen", None)
    with pytest.raises(EnvError, match=r"--no-deps procgen-mirror==0\.10\.7 .*envpool_CoinrunHard"):
        make("procgen_coinrun", EnvConfig())


def test_every_row_names_a_builder_a_preset_and_how_to_obtain_it():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, row in SUITES.items():
        module, _, function = row.build.partition(":")
        path = ROOT / "src" / (module.replace(".", "/") + ".py")
        assert f"\ndef {function}(" in path.read_text(), name
        assert row.preset in BENCHMARKS, name
        assert {"", row.extra} <= {"", *extras["optional-dependencies"]}, name
        assert bool(row.advice) == (".unpackaged." in module), name
        assert not (row.advice and row.extra), name


def test_gym_ids_with_a_module_and_kwargs():
    assert make("gym:gymnasium:CartPole-v1", EnvConfig()).obs_specs["vector"].shape == (4,)
    with pytest.raises(EnvError, match="Cannot import 'no_such_module'"):
        make("gym:no_such_module:Thing-v0", EnvConfig())
    env = make("gym:FrozenLake-v1", EnvConfig(kwargs='{"map_name": "8x8"}'))
    assert env.obs_specs["discrete"].classes == (64,)


@pytest.mark.parametrize("task", ["gym:CartPole-v1", "probe_delay", "atari_pong", "dmc_cup_catch"])
def test_unknown_kwargs_name_the_task(task):
    with pytest.raises(EnvError, match=r"env.kwargs \{'nonsense': 1\} do not fit"):
        make(task, EnvConfig(kwargs='{"nonsense": 1}'))


def test_callables_are_tasks():
    env = make(Counter, EnvConfig(kwargs='{"length": 2}'))
    assert len(play(env, 0, 9)) == 3


@pytest.mark.parametrize("id", ["LunarLander-v3", "LunarLanderContinuous-v3", "BipedalWalker-v3"])
def test_box2d_keeps_the_contract_and_follows_its_seed(id):
    env = make(f"gym:{id}", EnvConfig())
    rows = play(env, 5, 60)
    assert_contract(env, rows)
    if id != "BipedalWalker-v3":  # where it stands depends on the episode before
        play(env, 6, 60)
        assert_rows_equal(rows, play(env, 5, 60))
    assert_rows_equal(rows, play(make(f"gym:{id}", EnvConfig()), 5, 60))


def test_render_of_gymnasium_tasks():
    env = make("gym:CartPole-v1", EnvConfig(), render=True)
    env.reset(0)
    picture = env.render()
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    env.close()
