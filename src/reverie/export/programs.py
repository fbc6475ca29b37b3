"""The agent as functions of named arrays: one step of acting, and one imagined step."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from reverie.behavior.policy import ActCarry, Acting, ActNoise
from reverie.behavior.returns import certain_of
from reverie.config.schema import Config
from reverie.export import acted, observed
from reverie.export.port import Leaf, Port
from reverie.module import named_leaves
from reverie.train.agent import Agent
from reverie.world.model import WorldModel
from reverie.world.openloop import decode_means

Arrays = dict[str, Any]
"""Arrays by the names of their ports, without leading axis of environments."""


class Program(NamedTuple):
    """A function of named arrays, and what goes in and comes out."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    function: Callable[[Arrays], Arrays]


class Terms(NamedTuple):
    """In whose words a program takes and gives observations and actions."""

    whose: str  # env or agent
    seen: list[Leaf]
    done: list[Leaf]


def terms_of(agent: Agent) -> Terms:
    """The environment's own terms, or the agent's where the folder does not hold the spaces."""
    if agent.own is None:
        return Terms(
            "agent", observed.of_agent(agent.obs_specs), acted.of_agent(agent.action_specs)
        )
    seen = observed.of_env(agent.own, agent.config.env.exclude)
    return Terms("env", seen, acted.of_env(agent.own))


def policy(acting: Acting, terms: Terms, *, greedy: bool) -> Program:
    """Observation, state, reset flag and noise to action and next state.

    Where `reset` is set the state does not count; `greedy` takes the mode of the policy.
    """
    carry, noise = jax.eval_shape(lambda: acting.initial(1)), _noise(acting.noise)
    if greedy:
        noise = {name: found for name, found in noise.items() if not name.startswith("action.")}
    states = _state_ports(carry)
    chance = {name: _noise_port(name, *found) for name, found in noise.items()}
    tree, blank = jax.tree.structure(carry), acting.actor.noise(jax.random.key(0), (1,))

    def act(given: Arrays) -> Arrays:
        obs = {leaf.key: leaf.to_agent(given[leaf.port.name])[None] for leaf in terms.seen}
        before: ActCarry = jax.tree.unflatten(
            tree, [given[port.name][None] for port in states.values()]
        )
        drawn = {name: given[port.name][None] for name, port in chance.items()}
        action_noise = {key: drawn.get(f"action.{key}", zeros) for key, zeros in blank.items()}
        chosen, after = acting(
            before,
            obs,
            given["reset"][None],
            ActNoise(drawn["post"], action_noise),
            greedy=greedy,
        )
        return _actions(terms, acting, chosen) | _next_states(after)

    reset = Port("reset", "reset", (), "bool", note="true at the first step of an episode")
    inputs = [leaf.port for leaf in terms.seen]
    inputs += [*states.values(), reset, *chance.values()]
    outputs = [*(leaf.port for leaf in terms.done), *map(_following, states.values())]
    return Program(tuple(inputs), tuple(outputs), act)


def world(model: WorldModel, acting: Acting, terms: Terms, config: Config) -> Program:
    """State, action and noise to the imagined next state, what is seen there, its reward, the
    probability of going on, and what the policy would do there (its mode)."""
    carry = jax.eval_shape(lambda: acting.initial(1))
    states = {n: p for n, p in _state_ports(carry).items() if n.split(".")[0] == "state"}
    tree = jax.tree.structure(carry.state)
    (shape, kind), *_ = _noise(lambda key, n: {"prior": model.dynamics.noise(key, (n,))}).values()
    chance = _noise_port("prior", shape, kind)
    certain = certain_of(config.behavior)

    def imagine(given: Arrays) -> Arrays:
        state = jax.tree.unflatten(tree, [given[port.name][None] for port in states.values()])
        flat = {
            leaf.key: leaf.to_agent(given[leaf.port.name]).reshape(1, -1) for leaf in terms.done
        }
        dynamics = model.dynamics.prepared()
        embedded, noise = model.embed(flat), given[chance.name][None]
        following = dynamics.state(dynamics.imagine(dynamics.carry(state), embedded, noise)[0])
        x = model.feature(following)
        told = {"reward": _reward(model.reward(x).mean()[0], config)}
        if model.cont is not None:
            told["continue"] = jnp.minimum(model.cont(x).mean()[0] / certain, 1.0)
        told |= _seen(model, terms, following, config)
        chosen = {
            f"policy_{name}": value
            for name, value in _actions(terms, acting, acting.actor(x).mode()).items()
        }
        return told | chosen | _next_states(ActCarry(following, {}))

    inputs = (*states.values(), *(leaf.port for leaf in terms.done), chance)
    likes = {port.name: port.like for port in inputs}
    given = jax.eval_shape(imagine, likes)
    return Program(inputs, tuple(_told(given, terms, states, config)), imagine)


def _reward(value: Any, config: Config) -> Any:
    plain = config.world.reward.transform not in ("tanh", "sign")
    return value * config.world.reward.divisor if plain else value


def _seen(model: WorldModel, terms: Terms, state: Any, config: Config) -> Arrays:
    """How a state (1, …) looks in the environment's terms; {} where the objective cannot tell."""
    alone = jax.tree.map(lambda x: x[:, None], state)
    shown = decode_means(model, config.world.objective, alone) or {}
    return {
        leaf.port.name: leaf.to_env(shown[leaf.key][0, 0])
        for leaf in terms.seen
        if leaf.key in shown
    }


def _told(
    given: Mapping[str, Any], terms: Terms, states: Mapping[str, Port], config: Config
) -> list[Port]:
    """Ports of what an imagined step gives."""
    transform = config.world.reward.transform
    note = f"after {transform}" if transform in ("tanh", "sign") else "environment units"
    found = [Port("reward", "reward", (), "float32", note=note)]
    if "continue" in given:
        note = "probability that the episode goes on"
        found.append(Port("continue", "continue", (), "float32", 0.0, 1.0, note=note))
    found += [leaf.port for leaf in terms.seen if leaf.port.name in given]
    found += [replace(leaf.port, name=f"policy_{leaf.port.name}") for leaf in terms.done]
    return found + [_following(port) for port in states.values()]


def _actions(terms: Terms, acting: Acting, flat: Mapping[str, Any]) -> Arrays:
    specs = dict(acting.actions)
    return {
        leaf.port.name: leaf.to_env(flat[leaf.key][0].reshape(specs[leaf.key].shape))
        for leaf in terms.done
    }


def _state_ports(carry: ActCarry) -> dict[str, Port]:
    """Ports of what the agent remembers, by the names of the leaves of its carry."""
    return {
        name: Port(f"state/{_state_name(name)}", "state", leaf.shape[1:], leaf.dtype.name)
        for name, leaf in named_leaves(carry).items()
    }


def _state_name(name: str) -> str:
    first, _, rest = name.partition(".")
    known = {"state": rest or "latent", "action": f"previous_action/{rest}"}
    return known[first].replace(".", "/")


def _following(port: Port) -> Port:
    return Port(f"next_{port.name}", port.role, port.shape, port.dtype)


def _next_states(carry: ActCarry) -> Arrays:
    found = named_leaves(carry).items()
    return {f"next_state/{_state_name(name)}": leaf[0] for name, leaf in found}


def _noise(draw: Callable) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and distribution of the numbers that `draw(key, 1)` gives, by name.

    Which distribution it is, the draws themselves say: uniform ones lie in [0, 1).
    """
    drawn = jax.device_get(draw(jax.random.key(0), _MANY))
    return {
        name: (
            array.shape[1:],
            "uniform" if (np.min(array) >= 0 and np.max(array) < 1) else "normal",
        )
        for name, array in named_leaves(drawn).items()
    }


_MANY = 64
"""Draws by which a distribution is told: all of so many normal numbers are positive once in 2⁶⁴."""


def _noise_port(name: str, shape: tuple[int, ...], kind: str) -> Port:
    first, _, rest = name.partition(".")
    last = {"post": "latent", "prior": "latent"}.get(first, f"action/{rest}")
    low, high = (0.0, 1.0) if kind == "uniform" else (None, None)
    told = "independent, uniform in [0, 1)" if kind == "uniform" else "independent, standard normal"
    return Port(
        f"noise/{last}", "noise", shape, "float32", low, high, note=f"fresh at every step: {told}"
    )
