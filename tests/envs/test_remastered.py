import dataclasses

import numpy as np
import pytest
from elsewhere import assert_same_elsewhere
from PIL import Image
from toy_envs import assert_contract, assert_rows_equal, play

from reverie.envs import names
from reverie.envs.base import EnvError
from reverie.envs.dmc import split_task
from reverie.envs.make import make
from reverie.envs.options import EnvConfig, RemasteredConfig
from reverie.envs.scenes import looks, ranges, textures
from reverie.part.errors import ConfigError

VISION = EnvConfig(observe="vision", repeat=2, size=32)
BOTH = EnvConfig(observe="both", repeat=2, size=32)


def inner(env):
    """The ControlTask behind an adapter and the thread that it runs in."""
    return env._env._now.run(lambda task: task).result()


def with_options(config=VISION, split="same", **options):
    return dataclasses.replace(config, remastered=RemasteredConfig(**options), split=split)


def numbers(look, name):
    found = [text for key, text in look.edits.items() if key[1:] == name]
    return [float(number) for text in found for number in text.split()]


def test_published_tasks_have_ranges():
    assert len(names.REMASTERED_TASKS) == 22
    assert {split_task(name)[0] for name in names.REMASTERED_TASKS} == set(ranges.PLACES)


@pytest.mark.parametrize("domain", ranges.PLACES)
def test_draws_are_uniform_over_the_published_ranges(domain):
    """Mean and extremes of 400 looks: every published range is reached and never left."""
    drawn = [looks.draw(domain, seed, ("camera", "light", "reflectance")) for seed in range(1, 401)]
    place = ranges.PLACES[domain]
    checked = [("camera", place.camera)] + ([("light", place.light)] if place.light else [])
    for tag, box in checked:
        found = np.array([numbers(look, (tag, "", "pos")) for look in drawn])
        low, high = np.array(box).T
        assert (found >= low - 1e-5).all()
        assert (found <= high + 1e-5).all()
        assert (found.min(0) < low + 0.03 * (high - low)).all()
        assert (found.max(0) > high - 0.03 * (high - low)).all()
        sigma = (high - low) / 12**0.5 / 20
        assert (np.abs(found.mean(0) - (low + high) / 2) < 5 * sigma).all()
    if not place.light:
        assert not any(numbers(look, ("light", "", "pos")) for look in drawn)
    shine = np.array([numbers(look, ("material", "grid", "reflectance")) for look in drawn])
    assert 0 <= shine.min() < 0.02
    assert 0.48 < shine.max() <= 0.5


def test_light_and_colours_have_the_published_law():
    drawn = [looks.draw("finger", seed, looks.FACTORS[2:]) for seed in range(1, 301)]
    for name, low, high, spread in [
        ("ambient", 0.1, 0.8, 0.05),
        ("diffuse", 0.4, 0.9, 0.1),
        ("specular", 0.05, 0.3, 0.02),
    ]:
        found = np.array([numbers(look, ("headlight", "", name)) for look in drawn])
        assert found.min() >= low - spread - 1e-5
        assert found.max() <= high + spread + 1e-5
        assert np.ptp(found, 1).max() <= 2 * spread + 1e-5
        assert np.ptp(found.mean(1)) > 0.9 * (high - low)
    shadows = np.array([numbers(look, ("quality", "", "shadowsize"))[0] for look in drawn])
    assert 1548 <= shadows.min() < 1580
    assert 2516 < shadows.max() <= 2548
    body = np.array([numbers(look, ("material", "self", "rgba")) for look in drawn])
    assert body[:, 3].min() >= 0.75
    assert body[:, :3].min() < 0.02
    effector = np.array([numbers(look, ("material", "effector", "rgba")) for look in drawn])
    assert abs(np.corrcoef(body[:, 0], effector[:, 0])[0, 1]) < 0.25  # independent
    lamp = np.array([numbers(look, ("light", "", "diffuse")) for look in drawn])
    assert np.ptp(lamp, 1).max() <= 0.04 + 1e-5
    assert 0.48 < lamp.min() < 0.55


def test_a_factor_that_is_off_changes_nothing_of_the_others():
    every = looks.draw("cheetah", 5, looks.FACTORS)
    some = looks.draw("cheetah", 5, ("body", "light"))
    assert some.edits.items() < every.edits.items()
    assert some.sky is None
    assert some.floor is None
    assert every.sky is not None
    assert looks.draw("cheetah", 5, ()).edits == {}


def first_picture(task="dmcr_reacher_easy", config=VISION, seed=0, split="train", **kwargs):
    text = "{" + ", ".join(f'"{key}": {value}' for key, value in kwargs.items()) + "}"
    env = make(task, dataclasses.replace(config, kwargs=text), split=split)
    try:
        return env.reset(seed)["image"].astype(int)
    finally:
        env.close()


def test_no_factor_is_dm_controls_own_look():
    """Visual seed 0 and an empty list of factors both show what dm_control draws."""
    plain = make("dmc_reacher_easy", dataclasses.replace(VISION, repeat=1))
    bare = first_picture(config=with_options(factors=()), dynamics_seed=0)
    plain._env._scene.begin(plain._env._env, 0)
    want = plain._env._observe(plain._env._env.reset())["image"]
    np.testing.assert_array_equal(bare, want)
    np.testing.assert_array_equal(first_picture(visual_seed=0, dynamics_seed=0), want)
    plain.close()


@pytest.mark.parametrize("factor", looks.FACTORS)
def test_every_factor_changes_the_picture(factor):
    task = "dmcr_cup_catch" if factor == "bg" else "dmcr_reacher_easy"  # the latter shows no sky
    bare, one = (
        first_picture(task, with_options(factors=some), dynamics_seed=3, visual_seed=4)
        for some in ((), (factor,))
    )
    assert np.abs(bare - one).mean() > 0.15


def test_looks_change_no_number_of_the_physics():
    """Rewards and joint states equal dm_control's own from the same dynamics seed."""
    from dm_control import suite

    env = make("dmcr_cheetah_run", dataclasses.replace(BOTH, size=8))
    rows = play(env, 7, 8)
    _, dynamics = inner(env)._scene.seeds(7)
    plain = suite.load("cheetah", "run", task_kwargs={"random": np.random.RandomState(dynamics)})
    moment = plain.reset()
    rng = np.random.default_rng(7)
    for row in rows[1:]:
        action, total = rng.uniform(-1, 1, plain.action_spec().shape).astype(np.float32), 0.0
        for _ in range(2):
            moment = plain.step(action)
            total += moment.reward
        assert row[1] == total
        np.testing.assert_array_equal(
            row[0]["velocity"], np.float32(moment.observation["velocity"])
        )
    env.close()


def test_contract_time_limit_and_seeds():
    env = make("dmcr_cartpole_balance", dataclasses.replace(EnvConfig(repeat=2), size=32))
    rows = play(env, 3, 600)
    assert_contract(env, rows)
    assert len(rows) == 501
    assert rows[-1][2:] == (False, True)  # a time limit is no true end
    env.close()
    env = make("dmcr_walker_walk", VISION)
    rows = play(env, 3, 3)
    assert_contract(env, rows)
    assert list(env.obs_specs) == ["image"]
    env.prepare(4)
    assert_rows_equal(rows, play(env, 3, 3))  # what was prepared was not asked for
    env.prepare(4)
    ahead = play(env, 4, 3)
    assert_rows_equal(ahead, play(env, 4, 3))
    assert np.abs(ahead[0][0]["image"].astype(int) - rows[0][0]["image"]).mean() > 3
    assert env.render().shape == (240, 240, 3)
    env.close()


def test_the_same_episode_in_another_process():
    assert_same_elsewhere("dmcr_finger_spin", VISION, 11, 3)


def test_splits():
    """Published: one distribution. Held out: evaluation's visual seeds are none of training's."""

    def seeds(config, split):
        env = make("dmcr_cup_catch", config, split=split)
        found = [inner(env)._scene.seeds(seed)[0] for seed in range(200)]
        env.close()
        return found

    same = with_options(EnvConfig(), visual_seeds=50)
    apart = with_options(EnvConfig(), split="held_out", visual_seeds=50)
    assert seeds(same, "train") == seeds(same, "eval") == seeds(apart, "train")
    assert set(seeds(same, "train")) <= set(range(1, 51))
    assert len(set(seeds(same, "train"))) > 40
    assert min(seeds(apart, "eval")) > 50


def test_photographs(tmp_path):
    config = with_options(factors=("bg", "floor"), photos=str(tmp_path))
    with pytest.raises(EnvError, match=r"needs pictures .* in the subfolders 'skies' and 'floors'"):
        first_picture(config=config)
    for kind, colour in (("skies", (255, 0, 0)), ("floors", (0, 255, 0))):
        (tmp_path / kind).mkdir()
        Image.new("RGB", (40, 30), colour).save(tmp_path / kind / "one.png")
    textures.photographs.cache_clear()
    picture = first_picture("dmcr_walker_walk", config=config, dynamics_seed=1)
    red, _, blue = picture[0, 0]
    assert red > 3 * blue + 20
    assert picture[-1, 0, 1] > 3 * picture[-1, 0, 0] + 20


def test_textures_differ_and_repeat():
    for maker in (textures.sky, textures.floor):
        one, two = maker(1), maker(2)
        assert one.shape == (256, 256, 3)
        assert one.dtype == np.uint8
        np.testing.assert_array_equal(one, maker(1))
        assert np.abs(one.astype(int) - two).mean() > 5


def test_unknown_factor_is_named():
    with pytest.raises(ConfigError, match="did you mean 'light'"):
        RemasteredConfig(factors=("ligth",))
