import threading

import pytest
from toy_envs import Counter, assert_rows_equal, play

from reverie.envs.adapter import Adapter
from reverie.envs.ahead import Ahead
from reverie.envs.episodes import episode_seed
from reverie.envs.options import EnvConfig
from reverie.envs.vector import Vector


class Slow(Counter):
    """Remembers its resets; a reset waits until it may go on."""

    made = 0

    def __init__(self):
        Counter.__init__(self, length=4)
        type(self).made += 1
        self.seeds, self.threads, self.gate = [], set(), threading.Event()
        self.gate.set()

    def reset(self, *, seed=None, options=None):
        self.gate.wait(10)
        self.seeds.append(seed)
        self.threads.add(threading.get_ident())
        return Counter.reset(self, seed=seed)

    def step(self, action):
        self.threads.add(threading.get_ident())
        return Counter.step(self, action)


def test_an_episode_is_the_same_prepared_or_not():
    env = Adapter(Ahead(Slow), EnvConfig())
    plain = play(env, 5, 9)
    env.prepare(5)
    ahead = play(env, 5, 9)
    env.prepare(7)
    other = play(env, 5, 9)  # not the one that was prepared
    assert_rows_equal(plain, ahead)
    assert_rows_equal(plain, other)
    env.close()
    env.close()


def test_the_next_episode_is_prepared_while_this_one_goes_on():
    ahead = Ahead(Slow)
    env = Adapter(ahead, EnvConfig())
    env.reset(1)
    twin = ahead._twin.run(lambda env: env).result()
    twin.gate.clear()
    env.prepare(2)
    rows = [env.step({"action": 1}) for _ in range(3)]  # the twin's reset does not hold this up
    assert rows[-1][0]["numbers"][1] == 3
    assert twin.seeds == []
    twin.gate.set()
    env.reset(2)
    assert twin.seeds == [2]
    assert ahead._now.run(lambda env: env).result() is twin
    assert len(twin.threads) == 1
    env.close()


def test_an_error_while_preparing_comes_with_its_reset():
    class Broken(Counter):
        def reset(self, *, seed=None, options=None):
            if seed == 3:
                raise RuntimeError("no such level")
            return Counter.reset(self, seed=seed)

    env = Adapter(Ahead(Broken), EnvConfig())
    env.reset(0)
    env.prepare(3)
    env.step({"action": 0})
    with pytest.raises(RuntimeError, match="no such level"):
        env.reset(3)
    env.prepare(3)
    assert env.reset(4)["numbers"][1] == 0
    env.close()


@pytest.mark.parametrize("parallel", [False, True])
def test_a_vector_announces_the_next_episode(parallel):
    """Rows are those of environments that do not look ahead; without processes: one reset each."""
    found = {}
    for name, make_one in (("ahead", lambda: Ahead(Slow)), ("plain", Slow)):
        vector = Vector(
            lambda m=make_one: Adapter(m(), EnvConfig()), num=1, seed=9, parallel=parallel
        )
        with vector:
            rows = []
            for _ in range(14):
                vector.send({"action": [1]})
                rows.append(vector.recv().obs["numbers"].tolist())
            found[name] = rows
            if name == "ahead" and not parallel:
                env = vector._crew._seats[0]._env._env
                seeds = [seat.run(lambda env: env.seeds).result() for seat in (env._now, env._twin)]
                seen = sorted(seeds[0] + seeds[1])
                assert seen == sorted(episode_seed(9, "train", 0, n) for n in range(len(seen)))
    assert found["ahead"] == found["plain"]
