"""Which tasks get quick settings: a table, and what is said where the spaces are larger."""

import pytest

from reverie.config.presets import resolve
from reverie.config.small import is_small, too_large
from reverie.envs import gym_ids, registry
from reverie.envs.suite import Suite
from reverie.envs.suites import SUITES
from reverie.records import Spec
from reverie.watch.advice import settings_advice

SMALL = """
gym:CartPole-v1 gym:Acrobot-v1 gym:MountainCarContinuous-v0 gym:Pendulum-v1 gym:LunarLander-v3
gym:LunarLanderContinuous-v3 gym:BipedalWalker-v3 gym:FrozenLake8x8-v1 gym:Taxi-v3 gym:Blackjack-v1
gym:MiniGrid-DoorKey-5x5-v0 gym:BabyAI-GoToLocal-v0 gym:popgym-RepeatPreviousEasy-v0
gym:mine.envs:Unknown-v0 custom:mine custom:mine.envs.make
minigrid_doorkey_5x5 minigrid_empty_8x8 minigrid_doorkey_9x9 minigrid_lavacrossings9n1
minigrid_multiroom_n2_s4 minigrid_babyai_gotolocals8n7 minatar_breakout minatar_seaquest
bsuite_catch/0 bsuite_deep_sea/10 bsuite_memory_len/22 popgym_repeat_previous_easy
gymnax_cart_pole gymnax_breakout_minatar navix_doorkey_8x8 xminigrid_memorys8
"""

LARGE = """
gym:ALE/Pong-v5 gym:ale_py:PongNoFrameskip-v4 gym:CarRacing-v3 gym:HalfCheetah-v5 gym:Humanoid-v5
gym:FetchReach-v4 gym:AntMaze_UMaze-v5 gym:MiniHack-River-v0 gym:NetHackScore-v0
gym:MiniWorld-Hallway-v0 gym:VizdoomBasic-v0 gym:MiniGrid-DoorKey-16x16-v0
gym:MiniGrid-SimpleCrossingS11N5-v0 gym:popgym-RepeatPreviousHard-v0
atari_pong atari100k_pong dmc_walker_walk dmcr_walker_walk crafter_reward craftax_symbolic
minihack_river nethack_score procgen_coinrun pinpad_three vizdoom_basic miniworld_hallway
metaworld_reach robodesk_push_red memmaze_9x9 mujoco_ant brax_ant pgx_go_9x9 jumanji_snake
envpool_Pong-v5 dmlab_rooms_watermaze minecraft_diamond rlbench_reach_target
minigrid_empty_16x16 minigrid_multiroom_n6 minigrid_keycorridors3r1 minigrid_memorys13
popgym_repeat_previous_hard navix_doorkey_16x16 navix_fourrooms xminigrid_xland_r1_9x9
gymnax_pong_misc probe_action
"""


@pytest.mark.parametrize(("small", "tasks"), [(True, SMALL.split()), (False, LARGE.split())])
def test_tasks_by_what_they_are(small, tasks):
    assert [task for task in tasks if is_small(task) != small] == []
    for task in tasks[::8]:
        assert resolve(task).preset == ("quick" if small else "published"), task
        assert resolve(task, preset="published").preset == "published"


def test_the_table_has_every_suite():
    named = {registry.split(task)[0] for task in f"{SMALL} {LARGE}".split() if ":" not in task}
    close = {"dmcbg", "loconav", "robotics", "playground", "retro", "maniskill"}
    assert named | close == set(SUITES)
    assert {suite for suite in close if is_small(f"{suite}_any")} == set()


def test_a_new_suite_needs_nothing(monkeypatch):
    mine = Suite("rooms:build", lambda: ("hall",), "my {}")
    monkeypatch.setattr(registry, "offered", lambda: {"mine": "rooms:SUITE"})
    monkeypatch.setattr(registry, "object_at", lambda target: mine)
    assert resolve("mine_hall").preset == "quick"


def test_an_id_belongs_to_the_suite_of_its_simulator():
    assert gym_ids.kin("HalfCheetah-v5") == "mujoco"
    assert gym_ids.kin("CartPole-v1") == gym_ids.kin("ale_pyx:Pong-v5") == ""
    assert set(gym_ids.SUITES.values()) <= set(SUITES)
    assert {gym_ids.kin(f"{prefix}X-v0") for prefix in gym_ids.HOMES} <= set(SUITES)


PICTURE = {"image": Spec("image", (210, 160, 3))}


def test_spaces_that_are_larger_are_told():
    assert too_large(PICTURE) == "a picture 'image' of 210x160 pixels"
    assert too_large({"a": Spec("vector", (2_000,)), "b": Spec("vector", (600,))}) == (
        "2,600 numbers and classes"
    )
    assert too_large({"image": Spec("image", (64, 64, 3)), "x": Spec("vector", (2_500,))}) == ""


def test_a_large_environment_of_ones_own_is_told_the_other_settings():
    assert settings_advice(resolve("custom:mine"), PICTURE) == [
        "the quick settings are made for small tasks, and this one shows a picture 'image' of "
        "210x160 pixels: --preset published takes those for larger ones."
    ]
    assert settings_advice(resolve("custom:mine", preset="published"), PICTURE) == []
    assert settings_advice(resolve("atari_pong", preset="quick"), PICTURE) == []
    assert settings_advice(resolve("custom:mine"), {"image": Spec("image", (40, 56, 3))}) == []
