"""The agent of a run folder, to act with anywhere."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np

from reverie.behavior.policy import ActCarry, Acting
from reverie.config.schema import Config
from reverie.envs.base import EnvError, Obs
from reverie.envs.own_terms import OwnTerms
from reverie.envs.space_trees import from_tree
from reverie.envs.values import WrongValue, describe, to_classes, to_float32
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError, suggest
from reverie.part.values import SEEDS, coerce
from reverie.records import Spec, Specs, specs_from_json
from reverie.train import checkpoint, recovery, snapshot, stranger
from reverie.train.learner import EVAL, acting_from_host, acting_of, purpose_key
from reverie.train.state import init

log = logging.getLogger("reverie.train")

Carry = tuple[ActCarry, int]
"""What `act` hands on: the state of the world model, and how many actions came before."""
TERMS = ("auto", "env", "agent")


class Agent:
    """A trained policy to act with: `action, carry = agent.act(obs, carry)`.

    `own` knows the spaces of the run's environment (`own.observation_space`, `own.action_space`);
    it is None where the folder does not hold them. `obs_specs` and `action_specs` describe the
    agent's terms.
    """

    def __init__(
        self,
        acting: Acting,
        actions: Specs,
        obs: Specs,
        config: Config,
        own: OwnTerms | None = None,
    ):
        self.acting, self.action_specs, self.obs_specs, self.config = acting, actions, obs, config
        self.own = own
        self._step = jax.jit(_act_once, static_argnames="greedy")

    def act(
        self,
        obs: Any,
        carry: Carry | None = None,
        *,
        greedy: bool = False,
        seed: int = 0,
        terms: Literal["auto", "env", "agent"] = "auto",
    ) -> tuple[Any, Carry]:
        """The action for `obs`, and the carry to hand back with the next observation.

        An observation as `env.reset()` or `env.step()` shows it (or N of them, with a leading axis
        in every array) is answered by what `env.step()` takes (with a leading axis too, as
        Gymnasium's vectors take it). Anything else must be in the agent's terms (`obs_specs`, with
        or without a leading axis) and is answered in them: array by key, continuous actions in
        [−1, 1], classes counted from 0. Keys and shapes decide; an observation that is both counts
        as the environment's.

        Args:
            obs: the observation.
            carry: None at the first step of an episode.
            greedy: the mode of the policy instead of a sample.
            seed: root of the samples, at least 0 and below 2³²; the same seed and observations give
                the same actions.
            terms: whose terms `obs` and the action are in, where that is not to be found out.

        Raises RunError if a part is missing, has another shape or a value that cannot be used, or
        if `carry` is of other environments; ConfigError for a wrong seed or terms.
        """
        seed = _check(seed, terms)
        native = terms != "agent" and self._is_own(obs, required=terms == "env")
        try:
            lead = self._lead(obs, native)
            batch = self.own.read(obs, lead) if native and self.own else self._read(obs, lead)
        except EnvError as error:
            raise RunError(f"{error}.") from None
        size = 1 if lead is None else lead
        state, count = (self.acting.initial(size), 0) if carry is None else _checked(carry, size)
        key = jax.random.fold_in(purpose_key(seed, EVAL), count)
        flags = np.full(size, carry is None)
        flat, state = self._step(self.acting, state, batch, flags, key, greedy=greedy)
        action = {
            name: np.asarray(flat[name]).reshape(size, *spec.shape)
            for name, spec in self.action_specs.items()
        }
        if native and self.own:
            return self.own.write(action, lead), (state, count + 1)
        first = slice(None) if lead is not None else 0
        return {name: array[first] for name, array in action.items()}, (state, count + 1)

    def _is_own(self, obs: Any, *, required: bool) -> bool:
        """Whether `obs` is in the environment's terms; RunError where it must be and is not."""
        if self.own is None:
            if required or not isinstance(obs, Mapping):
                raise RunError(
                    "the run folder does not hold the environment's spaces, so an observation must "
                    f"be a dictionary of {', '.join(sorted(self.obs_specs))} in the agent's terms; "
                    f"found {describe(obs)}."
                )
            return False
        try:
            self.own.lead(obs)
            return True
        except WrongValue as error:
            if isinstance(obs, Mapping) and not required:
                return False
            raise RunError(f"{error}.") from None

    def _lead(self, obs: Any, native: bool) -> int | None:
        """The length of the leading axis of environments; None: there is none."""
        if native and self.own:
            return self.own.lead(obs)
        leads = {key: _lead_of(key, obs, spec, self.obs_specs) for key, spec in self._sorted()}
        if len(set(leads.values())) > 1 or 0 in leads.values():
            told = ", ".join(f"{k!r} {'none' if n is None else n}" for k, n in leads.items())
            raise RunError(
                f"the leading axes of the observation differ or are empty ({told}): give all parts "
                "the same one, or none."
            )
        return next(iter(leads.values()))

    def _read(self, obs: Mapping[str, Any], lead: int | None) -> Obs:
        return {k: as_spec(k, obs[k], spec, lead is None) for k, spec in self._sorted()}

    def _sorted(self) -> list[tuple[str, Spec]]:
        return sorted(self.obs_specs.items())


def _check(seed: int, terms: str) -> int:
    if terms not in TERMS:
        raise ConfigError(f"terms must be auto, env or agent; {suggest(str(terms), TERMS)}")
    root = coerce(seed, int, "seed")
    if not 0 <= root < SEEDS:
        raise ConfigError(f"seed must be at least 0 and at most {SEEDS - 1}, found {seed!r}.")
    return root


def _checked(carry: Any, size: int) -> Carry:
    """The carry, where `act` gave it for as many environments."""
    if not (isinstance(carry, tuple) and len(carry) == 2 and isinstance(carry[0], ActCarry)):
        raise RunError(
            f"carry is {describe(carry)}: hand back the second thing that act() returned, or None "
            "at the first step of an episode."
        )
    there = jax.tree.leaves(carry[0].state)[0].shape[0]
    if there != size:
        raise RunError(
            f"the carry is of {there} environments and the observation of {size}: hand back what "
            "act() returned for the same environments, or None at the first step of an episode."
        )
    return carry


def _lead_of(key: str, obs: Mapping[str, Any], spec: Spec, specs: Specs) -> int | None:
    if not isinstance(obs, Mapping) or key not in obs:
        what = "the observation lacks" if isinstance(obs, Mapping) else f"{describe(obs)} lacks"
        raise RunError(f"{what} {key!r}; the agent needs {sorted(specs)}.")
    shape = np.shape(obs[key])
    if shape not in (spec.shape,) and shape[1:] != spec.shape:
        raise RunError(
            f"observation {key!r} has shape {shape}; the agent needs {spec.shape}, with or without "
            "a leading axis of environments."
        )
    return None if shape == spec.shape else shape[0]


def as_spec(key: str, value: Any, spec: Spec, single: bool) -> np.ndarray:
    """`value` (*shape) or (N, *shape) as (N, *shape) in the stored dtype, without loss."""
    array = np.asarray(value)
    if not np.can_cast(array.dtype, spec.dtype, "same_kind"):
        raise RunError(
            f"observation {key!r} is {array.dtype}; the agent needs {spec.dtype}, as the "
            "environment of the training gave it."
        )
    try:
        if spec.kind == "vector":
            array = to_float32(array)
        if spec.kind == "discrete":
            array = to_classes(array, np.reshape(spec.classes, spec.shape))
    except WrongValue as error:
        raise error.of(f"observation {key!r}") from None
    return (array[None] if single else array).astype(spec.dtype)


def _act_once(acting: Acting, carry: ActCarry, obs, is_first, key, *, greedy: bool):
    noise = acting.noise(key, is_first.shape[0])
    return acting(carry, obs, is_first, noise, greedy=greedy)


def load(logdir: Path, config: Config | None = None) -> Agent:
    """The agent of the newest complete checkpoint of a run folder; it runs none of its code.

    `config` is what `stranger.read` made of the folder's (None: with no settings of the reader).
    Raises RunError where there is no checkpoint, or it cannot be read.
    """
    config = config or stranger.read(logdir)[0]
    saved = newest(logdir)
    with checkpoint.reading(newest_path(logdir)):
        snapshot.check_kinds(saved)
        obs, actions = (specs_from_json(saved["specs"][side]) for side in ("obs", "action"))
        shape = jax.eval_shape(
            lambda key: acting_of(init(obs, actions, config, key), config), jax.random.key(0)
        )
        acting = acting_from_host(shape, saved["learner"]["newest"])
        own = _own_terms(saved.get("spaces"), obs, actions, config)
    return Agent(acting, actions, obs, config, own)


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
    path = newest_path(logdir)
    with recovery.advised(logdir, path, replay=False, metrics=False):
        return checkpoint.load(path)


def newest_path(logdir: Path) -> Path:
    """Where the newest complete checkpoint is. Raises RunError where there is none."""
    path = recovery.choose(logdir)
    if path is None:
        raise RunError(
            f"{str(logdir)!r} holds no complete checkpoint: let the run reach its first save "
            "(train.save_every seconds), or name another run folder."
        )
    return path
