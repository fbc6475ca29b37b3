"""Adapters of simulators that no registry offers: their own logic, on labelled FAKES.

The tests called `real` run where the simulator is installed and are skipped elsewhere.
"""

import sys
import types
import zlib

import gymnasium
import numpy as np
import pytest
from fake_simulators import FakeMineDojo, FakeMineRL, FakeReach, FakeTensor, lab_module
from real_suites import ends, episode
from toy_envs import assert_contract, play

from reverie.envs.adapter import Adapter
from reverie.envs.base import EnvError
from reverie.envs.make import make
from reverie.envs.options import EnvConfig
from reverie.envs.unpackaged import dmlab, maniskill, minecraft, minedojo, rlbench

# --- DeepMind Lab (FAKE) ---


@pytest.fixture
def lab(monkeypatch):
    monkeypatch.setitem(sys.modules, "deepmind_lab", lab_module())


def test_lab_repeats_natively_and_ends_terminal(lab):
    env = make("dmlab_explore_goal_locations_small", EnvConfig(repeat=4, size=32))
    rows = play(env, 3, 20)
    assert_contract(env, rows)
    assert [row[1] for row in rows] == [0.0, 4.0, 4.0, 2.0]
    assert ends(rows) == (True, True)
    assert (rows[-1][0]["image"] == 8).all()  # the picture before stands in for the last
    assert {repeat for _, repeat in env.inner._lab.log} == {4}
    assert env.inner._lab.seed == 3
    assert env.inner._lab.level == "contributed/dmlab30/explore_goal_locations_small"
    assert env.action_specs["action"].classes == (15,)


def test_lab_options(lab):
    free = make(
        "dmlab_rooms_watermaze", EnvConfig(kwargs='{"episodic": false, "actions": "impala"}')
    )
    assert free.action_specs["action"].classes == (9,)
    assert ends(play(free, 0, 20)) == (False, True)
    name = "dmlab_rooms_collect_good_objects_test"
    assert make(name, EnvConfig()).inner._lab.level.endswith("objects_train")
    held = make(name, EnvConfig(kwargs='{"holdout": true}')).inner._lab
    assert held.level.endswith("objects_test")
    assert held.config["allowHoldOutLevels"] == "true"
    with pytest.raises(EnvError, match="popart or impala"):
        make(name, EnvConfig(kwargs='{"actions": "atari"}'))


def test_lab_action_tables():
    assert [tuple(map(int, a)) for a in dmlab.ACTIONS["popart"]] == [
        *((0, 0, 0, 1, 0, 0, 0), (0, 0, 0, -1, 0, 0, 0), (0, 0, -1, 0, 0, 0, 0)),
        *((0, 0, 1, 0, 0, 0, 0), (-10, 0, 0, 0, 0, 0, 0), (10, 0, 0, 0, 0, 0, 0)),
        *((-60, 0, 0, 0, 0, 0, 0), (60, 0, 0, 0, 0, 0, 0), (0, 10, 0, 0, 0, 0, 0)),
        *((0, -10, 0, 0, 0, 0, 0), (-10, 0, 0, 1, 0, 0, 0), (10, 0, 0, 1, 0, 0, 0)),
        *((-60, 0, 0, 1, 0, 0, 0), (60, 0, 0, 1, 0, 0, 0), (0, 0, 0, 0, 1, 0, 0)),
    ]
    assert [tuple(map(int, a)) for a in dmlab.ACTIONS["impala"]][4:] == [
        *((-20, 0, 0, 0, 0, 0, 0), (20, 0, 0, 0, 0, 0, 0), (-20, 0, 0, 1, 0, 0, 0)),
        *((20, 0, 0, 1, 0, 0, 0), (0, 0, 0, 0, 1, 0, 0)),
    ]


def test_lab_instructions_are_hashed_word_by_word(lab):
    env = make("dmlab_language_execute_random_task", EnvConfig())
    shown = env.reset(0)["instruction"].reshape(32, 32)
    table = np.random.default_rng(0).normal(0.0, 1.0, (65536, 32)).astype(np.float32)
    words = ["pick", "the", "red", "ball", "!"]
    for row, word in zip(shown, words, strict=False):
        np.testing.assert_array_equal(row, table[zlib.crc32(word.encode()) % 65536])
    np.testing.assert_array_equal(shown[5:], np.tile(table[0], (27, 1)))
    with pytest.raises(EnvError, match="has 33 words, at most 32 fit"):
        dmlab.embed("go " * 33)


# --- Minecraft by MineRL (FAKE) ---


def mine(task, script, **settings):
    env = minecraft.Minecraft(task, FakeMineRL(script), EnvConfig(), break_speed=100.0, **settings)
    return Adapter(env, EnvConfig())


def test_twenty_five_actions_in_the_published_order():
    assert len(minecraft.DIAMOND) == 25
    assert len(minecraft.BASIC) == 12
    assert minecraft.DIAMOND[12] == {"craft": "planks"}
    assert minecraft.DIAMOND[19:22] == (
        {"equip": "stone_pickaxe"}, {"equip": "wooden_pickaxe"}, {"equip": "iron_pickaxe"},
    )  # fmt: skip
    assert minecraft.DIAMOND[-1] == {"nearbySmelt": "iron_ingot"}


def test_milestones_pay_once_and_health_by_its_change():
    script = [
        {},
        {"log": 1},
        {"log": 3},
        {},
        {"log2": 1},
        {"planks": 4, "life": 10},
        {"diamond": 1},
    ]
    env = mine("diamond", script)
    env.reset(4)
    rows = [env.step({"action": np.int32(0)}) for _ in range(6)]
    assert [row[1] for row in rows] == pytest.approx([1, 0, 0, 0, 1 - 0.005, 1 + 0.005])
    assert rows[-1][2:] == (True, True)
    assert env.inner._env.seeds == [4]
    names = env.inner._items
    assert "log2" not in names
    log = names.index("log")
    assert rows[3][0]["inventory"][log] == 1  # both kinds of logs count as one
    assert rows[3][0]["inventory_max"][log] == 3
    assert_contract(env, rows)


def test_what_an_episode_begins_with_pays_nothing():
    env = mine("diamond", [{"log": 2}, {"log": 2}, {"log": 5}, {}])
    env.reset(0)
    assert [env.step({"action": np.int32(0)})[1] for _ in range(3)] == [0.0, 0.0, 0.0]


def test_wood_pays_every_log_and_climbing_height():
    env = mine("wood", [{}, {"log": 2}, {"log": 1}, {"log": 2}, {}])
    env.reset(0)
    assert [env.step({"action": np.int32(0)})[1] for _ in range(3)] == [2.0, 0.0, 1.0]
    env = mine("climb", [{}, {"height": 66.5}, {"height": 65.0}, {}])
    env.reset(0)
    assert [env.step({"action": np.int32(0)})[1] for _ in range(2)] == [2.5, -1.5]


def test_jumps_are_held_for_ten_steps_and_the_pitch_stays_within_60_degrees():
    hands = minecraft.Hands(minecraft.BASIC, attack=0, jump=10)
    actions = [hands.act(10)] + [hands.act(0) for _ in range(11)]
    assert [action["jump"] for action in actions] == [1] * 10 + [0] * 2
    assert [action["forward"] for action in actions] == [1] * 10 + [0] * 2
    hands.reset()
    assert [hands.act(3)["camera"][0] for _ in range(6)] == [15, 15, 15, 15, 0, 0]
    assert [hands.act(2)["camera"][0] for _ in range(9)] == [-15] * 8 + [0]


def test_attacks_are_held_at_the_games_own_speed_only():
    hands = minecraft.Hands(minecraft.BASIC, attack=30, jump=10)
    actions = [hands.act(1), hands.act(10)] + [hands.act(0) for _ in range(30)]
    assert [action["attack"] for action in actions] == [1] * 30 + [0] * 2
    assert actions[1]["jump"] == 0  # an attack stops a jump
    slow = minecraft.Minecraft("diamond", FakeMineRL([{}, {}]), EnvConfig(), break_speed=1.0)
    assert slow._hands._hold["attack"] == 30
    assert mine("diamond", [{}, {}]).inner._hands._hold["attack"] == 0


def test_an_error_of_minecraft_is_a_crash_not_a_splice():
    env = mine("diamond", [{}, {"info": {"error": "lost connection"}}, {}])
    env.reset(0)
    with pytest.raises(RuntimeError, match="lost connection"):
        env.step({"action": np.int32(0)})


# --- Minecraft by MineDojo (FAKE) ---

FAR = ([], 10.0)


def hunt(script, fails=(), **settings):
    log, worlds = [], []

    def simulator(world_seed):
        fail = len(worlds) < len(fails) and fails[len(worlds)]
        worlds.append(FakeMineDojo(world_seed, script, log, fail=fail))
        return worlds[-1]

    naps = []
    env = minedojo.HuntCow(simulator, EnvConfig(size=128), sleep=naps.append, **settings)
    return env, log, worlds, naps


def rewards(script):
    env, *_ = hunt(script)
    env.reset(seed=0)
    return [env.step(np.zeros(5, int))[1] for _ in script[1:-1]]


def test_coming_nearer_pays_by_the_block():
    near = [([9.0, 12.0], 10), ([7.0], 10), ([8.0], 10), (([]), 10), ([6.5], 10), FAR, FAR]
    assert rewards(near)[:4] == pytest.approx([2.0, 0.0, 0.0, 0.5])


def test_the_first_sight_of_a_cow_pays_nothing():
    assert rewards([FAR, FAR, ([5.0], 10), ([4.0], 10), FAR, FAR])[:3] == [0.0, 0.0, 1.0]


def test_a_hit_pays_five_and_the_least_distance_starts_anew():
    script = [([3.0], 10), ([3.0], 9), ([8.0], 9), ([6.0], 9), ([6.0], 7), FAR, FAR]
    # Hit; the cow fled (8 > 3 pays 0); 2 nearer; a loss of two is no hit.
    assert rewards(script)[:4] == pytest.approx([5.0, 0.0, 2.0, 0.0])


def test_the_kill_pays_200_is_a_true_end_and_a_success():
    env, *_ = hunt([FAR, FAR, FAR])
    env.reset(seed=0)
    env.step(np.zeros(5, int))
    _, reward, ended, cut, info = env.step(np.zeros(5, int))
    assert (reward, ended, cut, info["success"]) == (200.0, True, False, True)


def test_500_steps_are_a_truncation():
    env, *_ = hunt([FAR] * 600)
    env.reset(seed=0)
    rows = [env.step(np.zeros(5, int)) for _ in range(500)]
    assert [row[3] for row in rows] == [False] * 499 + [True]
    assert not any(row[2] for row in rows)
    assert rows[0][0]["image"].shape == (128, 128, 3)


def test_the_action_table():
    table = {
        (0, 0, 0, 0, 0): [0, 0, 0, 12, 12, 0, 0, 0],
        (1, 2, 3, 1, 2): [1, 2, 3, 11, 12, 3, 0, 0],
        (2, 1, 1, 2, 1): [2, 1, 1, 13, 12, 1, 0, 0],
        (0, 0, 0, 3, 0): [0, 0, 0, 12, 11, 0, 0, 0],
        (0, 0, 0, 4, 0): [0, 0, 0, 12, 13, 0, 0, 0],
    }
    for choice, want in table.items():
        assert minedojo.native_action(np.array(choice)).tolist() == want


def test_a_world_lasts_five_episodes_and_is_cleared_between_them():
    env, log, worlds, naps = hunt([FAR] * 9)
    for seed in range(11):
        env.reset(seed=seed)
    assert len(worlds) == 3
    assert len({world.world_seed for world in worlds}) == 3
    cleared = [
        "/kill @e[type=!player]",
        "/clear",
        "/kill @e[type=item]",
        "time 6000",
        "weather clear",
    ]
    assert log[:5] == cleared
    assert log.count("/clear") == 4 + 4  # not before the first episode of a world
    assert naps == []
    every, _, worlds, _ = hunt([FAR] * 9, hard_reset=1)
    for seed in range(4):
        every.reset(seed=seed)
    assert len(worlds) == 4


def test_failed_resets_wait_and_try_a_new_world():
    env, log, worlds, naps = hunt([FAR] * 9, fails=(1, 1))
    env.reset(seed=0)
    assert len(worlds) == 3
    assert len(naps) == 2
    assert all(0 <= nap < 60 for nap in naps)
    assert [line for line in log if line.startswith("close")] == [
        f"close {world.world_seed}" for world in worlds[:2]
    ]


# --- RLBench (FAKE) ---


def arm(task, repeat=2):
    launched = types.SimpleNamespace(action_shape=(8,), shutdown=lambda: None)
    return rlbench.Arm(launched, task, EnvConfig(repeat=repeat, size=32), (FakeReach.Stuck,))


def test_rlbench_repeats_and_ends_with_success():
    env = arm(FakeReach())
    env.reset(seed=0)
    rows = [env.step(np.zeros(8, np.float32)) for _ in range(3)]
    assert [row[1] for row in rows] == [-2.0, -2.0, -2.0]
    assert [row[2] for row in rows] == [False, False, True]
    assert [row[4]["success"] for row in rows] == [False, False, True]
    assert env.action_space.shape == (8,)


def test_rlbench_movements_that_cannot_be_planned_end_the_episode():
    env = arm(FakeReach(stuck_at=4))
    env.reset(seed=0)
    before = env.step(np.zeros(8, np.float32))[0]
    shown, reward, ended, _, info = env.step(np.zeros(8, np.float32))
    assert (reward, ended, info["success"]) == (0.0, True, False)
    np.testing.assert_array_equal(shown["image"], before["image"])


def test_button_reward():
    pushed = rlbench.button_reward(np.array([0.0, 3.0, 0.0]), np.array([4.0, 0.0, 0.0]), -0.002)
    assert pushed == pytest.approx(-5.0 + 0.002)


# --- ManiSkill (FAKE) ---


class FakeSkill(gymnasium.Env):
    """A ManiSkill environment: a batch of one, in tensors."""

    single_action_space = gymnasium.spaces.Box(-1, 1, (4,), np.float32)

    def _show(self):
        rgb = {"rgb": FakeTensor(np.full((1, 16, 16, 3), self.count, np.uint8))}
        return {
            "sensor_data": {"base_camera": rgb, "hand": rgb},
            "agent": {"qpos": FakeTensor(np.zeros((1, 9)))},
            "extra": {"is_grasped": FakeTensor([True])},
        }

    def reset(self, *, seed=None, options=None):
        self.count = 0
        return self._show(), {}

    def step(self, action):
        assert action.shape == (1, 4)
        self.count += 1
        flags = FakeTensor([self.count == 3]), FakeTensor([self.count == 3])
        return self._show(), FakeTensor([0.5]), *flags, {"success": FakeTensor([self.count == 3])}


def test_maniskill_loses_its_batch_and_its_tensors():
    env = Adapter(maniskill.Skill(FakeSkill()), EnvConfig())
    rows = play(env, 0, 9)
    assert_contract(env, rows)
    assert {key: spec.shape for key, spec in env.obs_specs.items()} == {
        "image": (16, 16, 3), "image_hand": (16, 16, 3), "agent_qpos": (9,),
        "extra_is_grasped": (1,),
    }  # fmt: skip
    assert len(rows) == 4
    assert rows[-1][1:] == (0.5, True, True)  # a success at the limit is a true end


# --- all of them ---


@pytest.mark.parametrize(
    ("module", "task", "says"),
    [
        ("deepmind_lab", "dmlab_rooms_watermaze", "build github.com/google-deepmind/lab"),
        ("minerl", "minecraft_diamond", "MineRL 0.4.4"),
        ("minedojo", "minecraft_hunt_cow", "MineDojo"),
        ("pyrep", "rlbench_push_button", "CoppeliaSim"),
        ("mani_skill", "maniskill_PickCube-v1", "mani-skill; it needs a GPU with Vulkan"),
    ],
)
def test_a_missing_simulator_says_how_to_obtain_it(monkeypatch, module, task, says):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EnvError, match=says):
        make(task, EnvConfig())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "task"),
    [
        ("deepmind_lab", "dmlab_explore_goal_locations_small"),
        ("minerl", "minecraft_diamond"),
        ("minedojo", "minecraft_hunt_cow"),
        ("rlbench", "rlbench_push_button"),
        ("mani_skill", "maniskill_PickCube-v1"),
    ],
)
def test_the_real_one_keeps_the_contract(module, task):
    pytest.importorskip(module, reason=f"{task} is untested: no registry offers its simulator")
    assert len(episode(task, 20, size=64)) > 1
