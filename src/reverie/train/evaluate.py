"""Episodes without learning: during a run, after it, and from Python."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from reverie.behavior.policy import ActCarry, Acting
from reverie.config.schema import Config
from reverie.envs.make import maker
from reverie.envs.vector import Vector
from reverie.records import Specs, Step, specs_from_json
from reverie.train import checkpoint, folder
from reverie.train.collect import Actor, Episodes
from reverie.train.errors import RunError
from reverie.train.learner import EVAL, acting_of, from_host, purpose_key
from reverie.train.state import init

LONGEST_VIDEO = 1000
"""Frames of a recorded episode at most; the video says so by ending early."""


def play(
    acting: Acting, envs: Vector, actor: Actor, episodes: int, *, film: bool = False
) -> tuple[dict[str, float], np.ndarray | None]:
    """Play `episodes` fresh episodes; their statistics, and frames of the first one.

    Each environment plays an equal number (the first ones one more), whatever their length, so
    that short episodes are not preferred.
    """
    envs.rewind()
    actor.reset()
    share = np.array([len(part) for part in np.array_split(np.arange(episodes), envs.num)])
    done, results = np.zeros(envs.num, int), []
    count, frames, filming = Episodes(envs.num), [], film
    while (done < share).any():
        envs.send(actor.action)
        step = envs.recv()
        actor(acting, step)
        if filming and len(frames) < LONGEST_VIDEO:
            frames.append(picture(envs, step))
        for index, ret, length in count.add(step):
            filming = filming and index != 0
            if done[index] < share[index]:
                results.append((ret, length))
            done[index] += 1
    returns, lengths = np.array(results, np.float64).T
    scalars = {
        "eval/return": float(returns.mean()),
        "eval/return_std": float(returns.std()),
        "eval/length": float(lengths.mean()),
        "eval/episodes": float(episodes),
    }
    shown = [frame for frame in frames if frame is not None]
    return scalars, np.stack(shown) if shown else None


def picture(envs: Vector, step: Step) -> np.ndarray | None:
    """What environment 0 looks like now: its own rendering, else its largest image observation."""
    images = [key for key, spec in envs.obs_specs.items() if spec.kind == "image"]
    if images:
        key = max(images, key=lambda name: envs.obs_specs[name].size)
        return step.obs[key][0][..., :3] if step.obs[key].shape[-1] != 2 else None
    return envs.render(0)


def eval_envs(config: Config, make_env: Callable | None, *, num: int, seed: int, log: Path):
    """Environments for evaluation; their episodes are the same at every evaluation."""
    task = make_env or config.task
    return Vector(
        maker(task, config.env, render=True),
        num=num,
        seed=seed,
        stream="eval",
        parallel=config.env.parallel and num > 1,
        timeout=config.env.timeout,
        restarts=config.env.restarts,
        log_file=log,
    )


class Agent:
    """A trained policy to act with: `action, carry = agent.act(obs, carry)`.

    Observations are as the run's environments give them through Reverie (`obs_specs`); for one
    environment without a leading axis, or for N at once with one.
    """

    def __init__(self, acting: Acting, actions: Specs, obs: Specs, config: Config):
        self.acting, self.action_specs, self.obs_specs, self.config = acting, actions, obs, config
        self._step = jax.jit(_act_once, static_argnames="greedy")

    def act(
        self,
        obs: Mapping[str, Any],
        carry: tuple[ActCarry, int] | None = None,
        *,
        greedy: bool = False,
        seed: int = 0,
    ) -> tuple[dict[str, np.ndarray], tuple[ActCarry, int]]:
        """The action for `obs`, and the carry to hand back with the next observation.

        Args:
            obs: array by key. Continuous actions come back in [−1, 1] units of the agent.
            carry: None at the first step of an episode.
            greedy: the mode of the policy instead of a sample.
            seed: root of the samples; the same seed and observations give the same actions.

        Raises RunError if a key is missing or has another shape.
        """
        single = self._is_single(obs)
        batch = {k: np.asarray(obs[k])[None] if single else np.asarray(obs[k]) for k in obs}
        size = next(iter(batch.values())).shape[0]
        first = carry is None
        state, count = carry if carry is not None else (self.acting.initial(size), 0)
        key = jax.random.fold_in(purpose_key(seed, EVAL), count)
        flags = np.full(size, first)
        known = {k: batch[k].astype(spec.dtype) for k, spec in self.obs_specs.items()}
        flat, state = self._step(self.acting, state, known, flags, key, greedy=greedy)
        action = {
            name: np.asarray(flat[name]).reshape(size, *spec.shape)[0 if single else slice(None)]
            for name, spec in self.action_specs.items()
        }
        return action, (state, count + 1)

    def _is_single(self, obs: Mapping[str, Any]) -> bool:
        for key, spec in self.obs_specs.items():
            if key not in obs:
                raise RunError(
                    f"the observation lacks {key!r}; the agent needs {sorted(self.obs_specs)}."
                )
            shape = np.shape(obs[key])
            if shape not in (spec.shape,) and shape[1:] != spec.shape:
                raise RunError(
                    f"observation {key!r} has shape {shape}; the agent needs {spec.shape}, with "
                    "or without a leading axis of environments."
                )
        key, spec = next(iter(self.obs_specs.items()))
        return np.shape(obs[key]) == spec.shape


def _act_once(acting: Acting, carry: ActCarry, obs, is_first, key, *, greedy: bool):
    noise = acting.noise(key, is_first.shape[0])
    return acting(carry, obs, is_first, noise, greedy)


def load(logdir: Path) -> Agent:
    """The agent of the newest complete checkpoint of a run folder.

    Raises RunError where there is none, or it cannot be read.
    """
    config = folder.read_config(logdir / "config.json")
    saved = newest(logdir)
    obs, actions = (specs_from_json(saved["specs"][side]) for side in ("obs", "action"))
    shape = jax.eval_shape(
        lambda key: acting_of(init(obs, actions, config, key), config), jax.random.key(0)
    )
    return Agent(from_host(shape, saved["learner"]["newest"]), actions, obs, config)


def newest(logdir: Path) -> dict[str, Any]:
    """The newest complete checkpoint. Raises RunError where there is none."""
    found = checkpoint.complete(logdir / "checkpoints")
    if not found:
        raise RunError(
            f"{str(logdir)!r} holds no complete checkpoint: let the run reach its first save "
            "(train.save_every seconds), or name another run folder."
        )
    return checkpoint.load(found[-1])


def evaluate_run(
    logdir: Path,
    *,
    episodes: int = 10,
    greedy: bool = False,
    seed: int = 0,
    envs: int = 1,
    make_env: Callable | None = None,
) -> dict[str, Any]:
    """Play `episodes` episodes with the agent of a run folder; statistics by metric name."""
    agent = load(logdir)
    config = agent.config
    if make_env is None and config.task.startswith("custom:"):
        raise RunError(
            f"the run {logdir} was trained on a callable ({config.task}), which the folder cannot "
            "remake: call reverie.evaluate(..., make_env=...) from Python."
        )
    with eval_envs(config, make_env, num=envs, seed=seed, log=logdir / "simulators.log") as vector:
        actor = Actor(vector.action_specs, envs, purpose_key(seed, EVAL), greedy=greedy)
        return play(agent.acting, vector, actor, episodes)[0]
