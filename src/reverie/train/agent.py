"""The agent of a run folder, to act with anywhere."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np

from reverie.behavior.policy import ActCarry, Acting
from reverie.config.schema import Config
from reverie.envs.base import EnvError
from reverie.envs.own_terms import OwnTerms
from reverie.envs.space_trees import from_tree
from reverie.envs.values import WrongValue, describe
from reverie.folder import shared
from reverie.folder.errors import RunError
from reverie.module import count_params
from reverie.part.errors import ConfigError, suggest
from reverie.part.values import SEEDS, coerce
from reverie.records import Specs, specs_from_json
from reverie.train import agent_terms, checkpoint, chosen, recovery, stranger, weights
from reverie.train.arrays import acting_from_host
from reverie.train.carry import Carry, checked, flags
from reverie.train.learner import EVAL, acting_of, purpose_key
from reverie.train.state import init

log = logging.getLogger("reverie.train")

TERMS = ("auto", "env", "agent")
DETERMINISTIC = True
"""What `Agent.predict` does unless it is told; by position too, as Stable-Baselines3 has it."""
FORGETFUL = 3
"""Calls of `Agent.predict` in a row without a state after which a warning says what that means."""


class Agent:
    """A trained policy to act with: `action, carry = agent.act(obs, carry)`.

    `own` knows the spaces of the run's environment (`own.observation_space`, `own.action_space`);
    it is None where the folder does not hold them. `obs_specs` and `action_specs` describe the
    agent's terms. `step` says after how many environment steps its weights were saved,
    `parameters` how many numbers the whole agent learned.
    """

    def __init__(
        self,
        acting: Acting,
        actions: Specs,
        obs: Specs,
        config: Config,
        own: OwnTerms | None = None,
        *,
        step: int = 0,
        parameters: int = 0,
    ):
        self.acting, self.action_specs, self.obs_specs, self.config = acting, actions, obs, config
        self.own, self.step, self.parameters = own, step, parameters
        self._policy = jax.jit(_act_once, static_argnames="greedy")
        self._stateless = 0  # calls of `predict` in a row that named no state

    def __repr__(self) -> str:
        config = self.config
        return (
            f"Agent(task={config.task!r}, agent={config.agent!r}, size={config.size!r}, "
            f"parameters={self.parameters:_}, step={self.step:_})"
        )

    def act(
        self,
        obs: Any,
        carry: Carry | None = None,
        *,
        first: Any = None,
        greedy: bool = False,
        seed: int = 0,
        terms: Literal["auto", "env", "agent"] = "auto",
    ) -> tuple[Any, Carry]:
        """The action for `obs`, and the carry to hand back with the next observation.

        An observation as `env.reset()` or `env.step()` shows it (or N of them, with a leading axis
        in every array) is answered by what `env.step()` takes (with a leading axis too, as
        Gymnasium's vectors take it). Anything else must be in the agent's terms (`obs_specs`, with
        or without a leading axis) and is answered in them: array by key, continuous actions in
        [−1, 1], classes counted from 0. The form decides; a dictionary by the environment's own
        names is taken for the environment's, whatever else it may be.

        Args:
            obs: the observation.
            carry: None at the first step of an episode.
            first: which of N environments begin an episode with this observation, (N,) truth
                values; they start afresh, whatever the carry says. None: none of them, all where
                there is no carry.
            greedy: the mode of the policy instead of a sample.
            seed: root of the samples, at least 0 and below 2³²; the same seed and observations give
                the same actions.
            terms: whose terms `obs` and the action are in, where that is not to be found out.

        Raises RunError if a part is missing, has another shape or a value that cannot be used, or
        if `carry` or `first` is of other environments; ConfigError for a wrong seed or terms.
        """
        begins = None if first is None else (first, "first")
        return self._act(obs, carry, begins, greedy=greedy, seed=_check(seed, terms), terms=terms)

    def predict(
        self,
        observation: Any,
        state: Carry | None = None,
        episode_start: Any = None,
        deterministic: bool = DETERMINISTIC,
    ) -> tuple[Any, Carry]:
        """Actions and the next state, as models of Stable-Baselines3 give them: `act` by its names.

        Fits into loops that are written for its recurrent models, and into its `evaluate_policy`.

        Args:
            observation: of one environment, or of N with a leading axis in every array; which of
                them, its shape against the space says.
            state: what the call before returned; None at the first step. The agent remembers by
                nothing else: handed back at no step, it acts without memory.
            episode_start: which of the environments begin an episode, (N,) truth values. None:
                none of them, all where there is no state.
            deterministic: the mode of the policy instead of a sample. What is sampled follows from
                the observations and from the number of steps in `state` alone.

        Raises RunError as `act` does.
        """
        self._stateless = self._stateless + 1 if state is None and episode_start is None else 0
        if self._stateless == FORGETFUL:
            log.warning(
                "predict was called %d times in a row without a state: the agent sees every "
                "observation as the first one of an episode. Hand back what it returned: "
                "action, state = agent.predict(obs, state, episode_start).",
                FORGETFUL,
            )
        begins = None if episode_start is None else (episode_start, "episode_start")
        return self._act(observation, state, begins, greedy=bool(deterministic))

    def _act(
        self,
        obs: Any,
        carry: Carry | None,
        begins: tuple[Any, str] | None,
        *,
        greedy: bool,
        seed: int = 0,
        terms: str = "auto",
    ) -> tuple[Any, Carry]:
        """`act` for arguments that are checked; `begins` with the name of the user's argument."""
        own = self.own if terms != "agent" and self._is_own(obs, required=terms == "env") else None
        try:
            lead = own.lead(obs) if own else agent_terms.lead(obs, self.obs_specs)
            batch = own.read(obs, lead) if own else agent_terms.read(obs, self.obs_specs, lead)
        except EnvError as error:
            raise RunError(f"{error}.") from None
        size = 1 if lead is None else lead
        first = np.full(size, carry is None)
        first |= first if begins is None else flags(begins[0], size, begins[1])
        carry = Carry(self.acting.initial(size), 0) if carry is None else checked(carry, size)
        key = jax.random.fold_in(purpose_key(seed, EVAL), carry.count)
        flat, state = self._policy(self.acting, carry.state, batch, first, key, greedy=greedy)
        action = {
            name: np.asarray(flat[name]).reshape(size, *spec.shape)
            for name, spec in self.action_specs.items()
        }
        after = Carry(state, carry.count + 1)
        if own:
            return own.write(action, lead), after
        row = slice(None) if lead is not None else 0
        return {name: array[row] for name, array in action.items()}, after

    def _is_own(self, obs: Any, *, required: bool) -> bool:
        """Whether `obs` is in the environment's terms; RunError where it must be and is not."""
        if self.own is None:
            if required or not isinstance(obs, Mapping):
                raise RunError(
                    "the run folder does not hold the environment's spaces, so an observation must "
                    f"be a dictionary of {', '.join(sorted(self.obs_specs))} in the agent's terms; "
                    f"found {describe(obs)}. For a Gymnasium environment, reverie.load(run, "
                    "make_env=...) takes the spaces from what you hand over."
                )
            return False
        try:
            self.own.lead(obs)
            return True
        except WrongValue as error:
            if required or not isinstance(obs, Mapping):
                raise RunError(f"{error}.") from None
            fits = self._fits(obs)
            if self.own.same_names and (fits or not self.own.same_shapes):
                hint = ' It fits the agent\'s terms: terms="agent" says that it is in them.'
                raise RunError(f"{error}.{hint if fits else ''}") from None
            return False

    def _fits(self, obs: Mapping[str, Any]) -> bool:
        """Whether an observation is one in the agent's terms."""
        try:
            lead = agent_terms.lead(obs, self.obs_specs)
            return bool(agent_terms.read(obs, self.obs_specs, lead))
        except (RunError, EnvError):
            return False


def _check(seed: int, terms: str) -> int:
    if terms not in TERMS:
        raise ConfigError(f"terms must be auto, env or agent; {suggest(str(terms), TERMS)}")
    root = coerce(seed, int, "seed")
    if not 0 <= root < SEEDS:
        raise ConfigError(f"seed must be at least 0 and at most {SEEDS - 1}, found {seed!r}.")
    return root


def _act_once(acting: Acting, carry: ActCarry, obs: Any, is_first: Any, key: Any, *, greedy: bool):
    noise = acting.noise(key, is_first.shape[0])
    return acting(carry, obs, is_first, noise, greedy=greedy)


def load(
    logdir: Path,
    config: Config | None = None,
    path: Path | None = None,
    spaces: Mapping[str, Any] | None = None,
) -> Agent:
    """The agent of a checkpoint of a run folder; it runs none of the folder's code.

    Args:
        logdir: run folder.
        config: what `stranger.read` made of the folder's; None: with no settings of the reader.
        path: the checkpoint; None: the newest complete one.
        spaces: the environment's own (`Env.own_spaces`) in place of those of the checkpoint.

    Raises RunError where there is no checkpoint, it cannot be read, or `spaces` do not fit it.
    """
    config, path = config or stranger.read(logdir)[0], path or chosen.choose(logdir)
    return agent_of(read(logdir, path), config, path, spaces)


def agent_of(
    saved: Mapping[str, Any], config: Config, path: Path, spaces: Mapping[str, Any] | None = None
) -> Agent:
    """The agent of what `read` gave; arguments and errors are those of `load`."""
    with weights.reading(path):
        obs, actions = (specs_from_json(saved["specs"][side]) for side in ("obs", "action"))
        shape, whole = jax.eval_shape(
            lambda key: _parts(init(obs, actions, config, key), config), jax.random.key(0)
        )
        acting = acting_from_host(shape, saved["learner"]["newest"])
        own = _own_terms(saved.get("spaces"), obs, actions, config)
        told = {"step": saved["clocks"]["step"], "parameters": count_params(whole)}
    if spaces is not None:
        own = OwnTerms(from_tree(spaces["obs"]), from_tree(spaces["action"]), config.env.exclude)
        there, here = (
            {"obs": obs, "action": actions},
            {"obs": own.obs_specs, "action": own.action_specs},
        )
        checkpoint.check_specs(there, here, "in training")
    return Agent(acting, actions, obs, config, own, **told)


def _parts(state: Any, config: Config) -> tuple[Acting, Any]:
    """What acts of a learner, and all that it learns."""
    return acting_of(state, config), state.agent


def _own_terms(trees: Any, obs: Specs, actions: Specs, config: Config) -> OwnTerms | None:
    """The environment's terms of a checkpoint; None where it holds none (version 0.1, JAX-native
    suites), or none that this version reads as that of the training did."""
    if trees is None:
        return None
    try:
        exclude = config.env.exclude
        own = OwnTerms(from_tree(trees["obs"]), from_tree(trees["action"]), exclude)
    except EnvError as error:
        own, reason = None, str(error)
    else:
        reason = "this version reads them otherwise"
    if own is not None and (own.obs_specs, own.action_specs) == (obs, actions):
        return own
    log.warning("The agent acts in its own terms only: the spaces do not fit it (%s).", reason)
    return None


def newest(logdir: Path) -> dict[str, Any]:
    """The newest complete checkpoint. Raises RunError where there is none, or it is damaged."""
    return read(logdir, chosen.choose(logdir))


def read(logdir: Path, path: Path) -> dict[str, Any]:
    """A complete checkpoint, or a shared agent's weights. Raises RunError where it is damaged,
    naming an earlier whole one."""
    if shared.is_shared(logdir):
        return weights.read(path)
    with recovery.advised(logdir, path, replay=False, metrics=False):
        return weights.read(path)
