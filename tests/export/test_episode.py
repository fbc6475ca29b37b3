"""A hundred steps of an episode, by the files alone: both policies, and the world left alone."""

import gymnasium
import jax
import numpy as np
from gymnasium import spaces
from made_runs import made_run
from recorded import (
    DONE,
    SEED,
    SEEN,
    part,
    row_of,
    run_alone,
    stacked,
    told_of,
    write_given,
)

import reverie
from reverie.behavior.returns import certain_of
from reverie.cli import main
from reverie.export.programs import terms_of
from reverie.export.write import world_of
from reverie.train import weights
from reverie.world.openloop import decode_means

STEPS = 100
KINDS = ("stablehlo", "onnx")
DIVISOR = 4.0


def play(agent, folder, *, greedy):
    """Actions and states of one episode of Pendulum, never reset; what the file is given goes into
    `folder`."""
    env, inputs = gymnasium.make("Pendulum-v1"), told_of(folder, "onnx")["inputs"]
    seen, carry = env.reset(seed=3)[0], None
    rows, actions, states = [], [], []
    for _ in range(STEPS):
        rows.append(row_of(agent, inputs, seen, carry))
        action, carry = agent.act(seen, carry, greedy=greedy, seed=SEED)
        actions.append(action)
        states.append(carry.state.state)
        seen, _, ended, cut, _ = env.step(action)
        assert not ended and not cut
    write_given(folder, "policy", rows)
    return np.stack(actions), states


def world_rows(folder, actions):
    """Rows of the world: actions of the environment, and noise."""
    rng, inputs = np.random.default_rng(0), told_of(folder, "onnx", "world")["inputs"]
    for action in actions:
        row = {}
        for port in inputs:
            if port["role"] == "action":
                row[port["name"]] = np.asarray(part(action, port["path"]), port["dtype"])
            elif port["role"] == "noise":
                assert "uniform" in port["note"]
                row[port["name"]] = rng.random(port["shape"], np.float32)
        yield row


def dream(run, rows, state=None):
    """What the model dreams, left to itself, under the actions and noise of `rows`."""
    agent, path = reverie.load(run), next((run / "checkpoints").iterdir())
    model, terms = world_of(agent, weights.read(path), path), terms_of(agent)

    @jax.jit
    def step(state, row):
        dynamics = model.dynamics.prepared()
        flat = {leaf.key: leaf.to_agent(row[leaf.port.name]).reshape(1, -1) for leaf in terms.done}
        noise = row["noise/latent"][None]
        carry = dynamics.imagine(dynamics.carry(state), model.embed(flat), noise)[0]
        after = dynamics.state(carry)
        x = model.feature(after)
        shown = decode_means(
            model, agent.config.world.objective, jax.tree.map(lambda leaf: leaf[:, None], after)
        )
        mode, specs = agent.acting.actor(x).mode(), dict(agent.acting.actions)
        told = {"next_state/deter": after.deter[0], "next_state/stoch": after.stoch[0]}
        told["reward"] = DIVISOR * model.reward(x).mean()[0]
        told["continue"] = model.cont(x).mean()[0] / certain_of(agent.config.behavior)
        for leaf in terms.seen:
            told[leaf.port.name] = leaf.to_env(shown[leaf.key][0, 0])
        for leaf in terms.done:
            there = mode[leaf.key][0].reshape(specs[leaf.key].shape)
            told[f"policy_{leaf.port.name}"] = leaf.to_env(there)
        return after, told

    state, found = state or agent.acting.initial(1).state, []
    with jax.numpy_rank_promotion("allow"):
        for row in rows:
            state, told = step(state, row)
            found.append(jax.device_get(told))
    return stacked(found)


def check_same(found, wanted):
    for name, there in wanted.items():
        np.testing.assert_allclose(found[name], there, rtol=1e-5, atol=1e-5, err_msg=name)
        assert len(there) == STEPS


def test_an_episode_without_reverie(tmp_path, cache):
    env = gymnasium.make("Pendulum-v1")
    changes = {"world.reward.divisor": DIVISOR}
    run = made_run(tmp_path / "run", env.observation_space, env.action_space, changes=changes)
    agent, wanted, programs = reverie.load(run), [], []
    for name, flags in {"sampled": ("--world",), "greedy": ("--greedy",)}.items():
        out = tmp_path / name
        for kind in KINDS:
            assert main(["export", str(run), "--to", kind, *flags, "--out", str(out)]) == 0
        actions, states = play(agent, out, greedy=name == "greedy")
        assert np.std(actions) > 1e-3, "an action that never changes tells nothing"
        wanted += [{"action/action": actions}] * len(KINDS)
        programs += [(out, "policy", kind) for kind in KINDS]
        if name == "sampled":
            rows = list(world_rows(out, actions))
            first = {"state/deter": states[0].deter[0], "state/stoch": states[0].stoch[0]}
            write_given(out, "world", rows, first)
            wanted += [dream(run, rows, states[0])] * len(KINDS)
            programs += [(out, "world", kind) for kind in KINDS]
    for there, taken in zip(wanted, run_alone(*programs), strict=True):
        check_same(taken, there)


def test_a_dream_of_pictures_without_reverie(tmp_path, cache):
    seen = spaces.Dict({name: SEEN[name] for name in ("camera", "depth", "joints")})
    run = made_run(tmp_path / "run", seen, DONE, changes={"world.reward.divisor": DIVISOR})
    out = tmp_path / "out"
    for kind in KINDS:
        words = ["export", str(run), "--to", kind, "--world", "--out", str(out)]
        assert main(words) == 0
    DONE.seed(3)
    rows = list(world_rows(out, [DONE.sample() for _ in range(STEPS)]))
    write_given(out, "world", rows)
    wanted = dream(run, rows)
    for taken in run_alone(*((out, "world", kind) for kind in KINDS)):
        check_same(taken, wanted)
        assert taken["observation/camera"].dtype == np.uint8
        assert taken["observation/depth"].min() >= -1 and taken["observation/depth"].max() <= 3
        assert taken["continue"].min() >= 0 and taken["continue"].max() <= 1
