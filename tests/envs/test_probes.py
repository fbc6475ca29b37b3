import numpy as np
import pytest
from toy_envs import assert_contract, assert_rows_equal, play, random_action

from reverie.envs.make import make
from reverie.envs.options import EnvConfig
from reverie.envs.probes import PROBES

ORACLES = {
    "constant": lambda first, obs: {"action": np.int32(0)},
    "observation": lambda first, obs: {"action": np.int32(0)},
    "delay": lambda first, obs: {"action": np.array([1, 0], np.int32)},
    "action": lambda first, obs: {"action": np.array([0.5, 0.5], np.float32)},
    "memory": lambda first, obs: {"action": np.int32(first["image"].mean() > 128)},
}


def rewards(env, seed, policy):
    first = obs = env.reset(seed)
    found, last = [], False
    while not last:
        obs, reward, _, last = env.step(policy(first, obs))
        found.append(reward)
    return found


@pytest.mark.parametrize("name", PROBES)
def test_the_optimal_policy_earns_the_stated_rewards(name):
    env = make(f"probe_{name}", EnvConfig())
    found = np.array([rewards(env, seed, ORACLES[name]) for seed in range(400)])
    coin = name in ("observation", "memory")
    tolerance = 0.15 if coin else 1e-6  # a fair coin: 3 standard errors
    np.testing.assert_allclose(found.mean(0), PROBES[name].rewards, atol=tolerance)
    assert sum(PROBES[name].rewards) == PROBES[name].optimal
    if name == "observation":
        assert set(found.sum(1)) == {-4.0, 4.0}
    if name == "memory":
        assert {*map(tuple, found)} == {(-1, 0, 0, 2), (1, 0, 0, 0)}


@pytest.mark.parametrize("name", PROBES)
def test_random_actions_earn_the_stated_return(name):
    env, rng = make(f"probe_{name}", EnvConfig()), np.random.default_rng(0)
    policy = lambda first, obs: random_action(env.action_specs, rng)  # noqa: E731
    returns = [sum(rewards(env, seed, policy)) for seed in range(1000)]
    error = np.std(returns) / len(returns) ** 0.5
    assert abs(np.mean(returns) - PROBES[name].random) <= 4 * error + 1e-6


@pytest.mark.parametrize("name", PROBES)
def test_probes_keep_the_contract_and_follow_their_seed(name):
    env = make(f"probe_{name}", EnvConfig())
    rows = play(env, 3, 20)
    assert 2 <= len(rows) <= 11
    assert rows[-1][2:] == (True, True)
    assert_contract(env, rows)
    assert_rows_equal(rows, play(make(f"probe_{name}", EnvConfig()), 3, 20))


def test_the_cue_of_the_memory_probe_is_hidden_for_three_rows():
    rows = play(make("probe_memory", EnvConfig()), 3, 20)
    shades = [int(row[0]["image"].mean()) for row in rows]
    assert shades[0] in (25, 230)
    assert shades[1:4] == [128] * 3


def test_probes_cover_all_kinds_of_observations_and_actions():
    envs = [make(f"probe_{name}", EnvConfig()) for name in PROBES]
    assert {s.kind for e in envs for s in e.obs_specs.values()} == {"image", "vector", "discrete"}
    assert {s.kind for e in envs for s in e.action_specs.values()} == {"vector", "discrete"}
