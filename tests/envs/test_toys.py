"""BSuite, MinAtar, POPGym and PinPad: against their packages, and PinPad against its rules."""

import numpy as np
import pytest
from real_suites import assert_reproducible, ends, episode
from toy_envs import assert_contract, play

from reverie.envs import names_games as names
from reverie.envs.make import make
from reverie.envs.options import EnvConfig
from reverie.envs.pinpad import COLORS, FLOORS, PinPad

STAY, DOWN, UP, RIGHT, LEFT = range(5)

# The floors of the official environment, row by row.
THREE = """
################
#1111      3333#
#1111      3333#
#1111      3333#
#1111      3333#
#              #
#              #
#              #
#              #
#     2222     #
#     2222     #
#     2222     #
#     2222     #
################
"""
FIVE = """
################
#          4444#
#111       4444#
#111       4444#
#111           #
#111        555#
#           555#
#           555#
#333        555#
#333           #
#333       2222#
#333       2222#
#          2222#
################
"""
EIGHT = """
################
#111  8888  444#
#111  8888  444#
#11          44#
#              #
#33          55#
#33          55#
#33          55#
#33          55#
#              #
#66          22#
#666  7777  222#
#666  7777  222#
################
"""


@pytest.mark.parametrize(("name", "rows"), [("three", THREE), ("five", FIVE), ("eight", EIGHT)])
def test_pinpad_floors(name, rows):
    want = np.array([list(line) for line in rows.strip().splitlines()]).T
    floor = PinPad(name)._floor
    assert floor.shape == want.shape == (16, 14)
    np.testing.assert_array_equal(floor, np.where(np.char.isdigit(want), want, "0").astype(int))


@pytest.mark.parametrize("name", FLOORS)
def test_pinpad_has_as_many_pads_as_it_says(name):
    count = ["three", "four", "five", "six", "seven", "eight"].index(name) + 3
    assert set(np.unique(PinPad(name)._floor)) == set(range(count + 1))


def walk(env, path):
    return [env.step(action) for action in path]


def test_pinpad_pays_ten_for_the_sequence_and_starts_elsewhere_ten_steps_later():
    env = PinPad("three")
    env.reset(seed=0)
    env._player, env._trace = (4, 4), []
    to_two = [STAY, *[DOWN] * 5, *[RIGHT] * 2]  # from pad 1 to (6, 9) on pad 2
    to_three = [*[RIGHT] * 5, *[UP] * 5]  # to (11, 4) on pad 3
    rewards = [row[1] for row in walk(env, to_two + to_three)]
    assert rewards == [0.0] * (len(rewards) - 1) + [10.0]
    assert env._player == (11, 4)
    rows = walk(env, [STAY] * 9)
    assert env._player == (11, 4)
    assert env._trace == [1, 2, 3]
    assert rows[0][0]["image"][0:4, 20:24].max() == 192  # a wall
    assert (rows[0][0]["image"][24:28, 24:28] == (223, 255, 223)).all()  # the floor rejoices
    walk(env, [STAY])
    assert env._trace in ([], [int(env._floor[env._player])])
    assert sum(row[1] for row in walk(env, [STAY] * 30)) == 0.0


def test_pinpad_wants_the_right_order():
    env = PinPad("three")
    env.reset(seed=0)
    env._player, env._trace = (11, 4), [1, 3, 2]
    assert walk(env, [STAY])[0][1] == 0.0
    assert env._trace == [3, 2, 3]
    env._trace = [2, 1, 2]
    assert walk(env, [STAY])[0][1] == 10.0


def test_pinpad_picture():
    env = PinPad("eight")
    env.reset(seed=0)
    env._player, env._trace = (7, 5), [3, 8]
    picture = env.step(STAY)[0]["image"]
    assert picture.shape == (64, 64, 3)
    cells = picture[::4, ::4].transpose(1, 0, 2)
    np.testing.assert_array_equal(picture, cells.transpose(1, 0, 2).repeat(4, 0).repeat(4, 1))
    assert (cells[7, 5] == 0).all()
    assert (cells[0, 0] == 192).all()
    assert (cells[5, 5] == 255).all()
    assert (cells[1, 1] == (255, 229, 229)).all()  # pad 1, pale
    assert (cells[1, 14] == COLORS[3]).all()
    assert (cells[3, 14] == COLORS[8]).all()
    env._player = (1, 1)
    assert (env.step(RIGHT)[0]["image"][4, 4] == COLORS[1]).all()  # stepped on: bright


def test_pinpad_walls_and_time_limit():
    env = make("pinpad_three", EnvConfig(kwargs='{"length": 40}'))
    rows = play(env, 1, 100)
    assert_contract(env, rows)
    assert len(rows) == 41
    assert ends(rows) == (False, True)
    plain = PinPad("three")
    plain.reset(seed=0)
    plain._player = (1, 1)
    walk(plain, [LEFT, UP, LEFT, UP])
    assert plain._player == (1, 1)


def test_bsuite_settings_equal_the_packages():
    sweep = pytest.importorskip("bsuite.sweep", reason="needs the extra bsuite")
    assert set(names.bsuite_ids()) == set(sweep.SWEEP)


def test_bsuite_gives_what_the_package_gives():
    bsuite = pytest.importorskip("bsuite", reason="needs the extra bsuite")
    env = make("bsuite_catch/3", EnvConfig())
    plain = bsuite.load_from_id("catch/3")
    plain._rng = np.random.RandomState([9, 0])
    shown, moment = env.reset(9)["vector"], plain.reset()
    for action in (0, 1, 2, 2, 0, 1, 0, 2, 2):
        np.testing.assert_array_equal(shown, moment.observation)
        moment = plain.step(action)
        obs, reward, terminal, last = env.step({"action": np.int32(action)})
        shown = obs["vector"]
        assert (reward, terminal) == (moment.reward, moment.last() and moment.discount == 0)
        assert last == moment.last()
    assert last


def test_bsuite_ends_are_terminal_and_its_log_counts_episodes(tmp_path):
    pytest.importorskip("bsuite", reason="needs the extra bsuite")
    import json

    env = make("bsuite_deep_sea/0", EnvConfig(kwargs=json.dumps({"results": str(tmp_path)})))
    for seed in range(3):
        assert ends(play(env, seed, 50)) == (True, True)
    env.close()
    (log,) = tmp_path.glob("*.csv")
    assert log.read_text().count("\n") >= 2
    assert any("episodes" in text for text in env.notices)


def test_minatar_gives_what_the_package_gives():
    minatar = pytest.importorskip("minatar", reason="needs the extra minatar")
    env = make("minatar_space_invaders", EnvConfig())
    plain = minatar.Environment("space_invaders")
    plain.seed(4)
    plain.reset()
    actions = plain.minimal_action_set()
    shown = env.reset(4)
    rng = np.random.default_rng(0)
    for _ in range(200):
        np.testing.assert_array_equal(shown["image"], plain.state() * np.uint8(255))
        index = int(rng.integers(len(actions)))
        reward, over = plain.act(actions[index])
        shown, ours, terminal, last = env.step({"action": np.int32(index)})
        assert (ours, terminal, last) == (reward, over, over)
        if over:
            break
    assert over
    assert env.render().shape == (200, 200, 3)


def test_popgym_names_equal_the_packages():
    popgym = pytest.importorskip("popgym.envs", reason="needs the extra popgym")
    assert set(names.popgym_ids().values()) == {row["id"] for row in popgym.ALL.values()}


@pytest.mark.parametrize("name", [n for n in names.popgym_ids() if n.endswith("easy")])
def test_popgym_tasks_keep_the_contract_and_end(name):
    pytest.importorskip("popgym", reason="needs the extra popgym")
    env = make(f"popgym_{name}", EnvConfig())
    rows = play(env, 0, 2000)
    assert_contract(env, rows)
    assert rows[-1][3]


@pytest.mark.parametrize(
    ("module", "plans"),
    [
        ("bsuite", ["bsuite_catch_noise/1", "bsuite_cartpole/0", "bsuite_memory_len/3"]),
        ("minatar", [f"minatar_{game}" for game in names.MINATAR_GAMES]),
        ("popgym", [f"popgym_{n}" for n in names.popgym_ids() if n.endswith("medium")]),
        ("reverie", ["pinpad_seven"]),
    ],
)
def test_episodes_are_the_same_in_another_process(module, plans):
    pytest.importorskip(module, reason=f"needs the extra {module}")
    assert_reproducible([(task, 120, {}) for task in plans])


@pytest.mark.parametrize("game", names.MINATAR_GAMES)
def test_minatar_games_end(game):
    pytest.importorskip("minatar", reason="needs the extra minatar")
    assert ends(episode(f"minatar_{game}", 3000)) == (True, True)
