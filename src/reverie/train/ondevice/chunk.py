"""Many turns around the circle as one program: environments, policy, ring and updates.

The same functions as in the loop of the host, in the same order (`loop.Run.turn`): updates that
are due see the rows before this turn's, what an update gives is written back after the next one
has drawn, and the weights that act are those before the newest. How many turns and updates a call
makes is an argument; how it is cut into calls changes no number.
"""

import functools as ft
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from reverie.behavior.policy import ActCarry, Acting
from reverie.config.schema import Config
from reverie.envs.functional import rows
from reverie.envs.functional.copies import choose
from reverie.envs.functional.game import Game
from reverie.records import Array, Specs, Step
from reverie.replay.rows import Columns
from reverie.train.collect import act, random_action, row_of
from reverie.train.learner import Result, packed_step
from reverie.train.ondevice import ring as rings
from reverie.train.ondevice.ring import Ring
from reverie.train.ondevice.script import APART, Script
from reverie.train.state import TrainState
from reverie.train.step import write_back

update_step = jax.jit(packed_step, static_argnames="config")
"""The update under a name of its own, by which its arithmetic is found in the program."""


class Carried(NamedTuple):
    """All that goes from turn to turn; the call takes it over."""

    learner: TrainState
    acting: Acting  # the weights that act: those before the newest update
    newest: Acting
    pending: Result  # of the newest update, not yet written back
    now: tuple[rows.Episode, rows.Row]  # of every environment
    due: Array  # (E,) bool: environments that begin an episode with the next row
    carry: ActCarry
    action: dict[str, Array]  # (E, *shape), what the environments do next
    count: Array  # turns so far
    ring: Ring
    inserted: Array  # rows of every stream so far


SEEDS = "seeds"
"""The axis of several seeds."""

LEARNED = ("learner", "acting", "newest", "pending")
"""Parts of what is carried that an update changes, beside the ring."""

TURNED = ("now", "due", "carry", "action", "count", "inserted")
"""Parts of what is carried that a turn changes, beside the ring."""


class Told(NamedTuple):
    """What the host is told of a call: of its turns (N, …) and updates (U, …) so far."""

    reward: Array  # (N, E)
    is_first: Array
    is_last: Array
    is_terminal: Array
    wrong: Array  # (N, E): number of what is not finite: 1 the reward, 2 … observations by key
    shown: dict[str, Array]  # observations (N, E or 1, …) that somebody looks at
    action: dict[str, Array]  # (N, E, …), if somebody looks at it
    metrics: Array  # (U, M)


class Walk(NamedTuple):
    """Where a call stands."""

    state: Carried
    told: Told
    segment: Array
    turn: Array
    update: Array
    episodes: Array  # (E,) begun in this call
    stopped: Array


@dataclass(frozen=True)
class Look:
    """What the host looks at of every row: these observations, of all environments or the first."""

    keys: tuple[str, ...] = ()
    everyone: bool = False


@dataclass(frozen=True, eq=False)
class Chunk:
    """The program of a run.

    `turns` and `updates`: the most that a call makes. `obs_specs`: what the agent sees, `columns`
    those of a row. `in_turn`: whether several seeds update one after the other, within the call.
    """

    game: Game
    config: Config
    obs_specs: Specs
    columns: Columns
    look: Look
    turns: int
    updates: int
    in_turn: bool = False

    def of_seeds(self) -> Callable[..., Any]:
        """The same of several seeds: arguments and results with a leading axis S, but for parts
        of the script (see `APART`) and `numbers`."""
        apart: dict[str, Any] = {name: 0 if name in APART else None for name in Script._fields}
        return jax.vmap(self, in_axes=(0, Script(**apart), 0, None), axis_name=SEEDS)

    def __call__(
        self, state: Carried, script: Script, keys: tuple[Any, Any], numbers: dict[str, Array]
    ) -> tuple[Carried, tuple[Told, Array, Array], Result]:
        """Run `script`; the state after it, what it told with the number of turns and of episodes
        begun, and the newest result. `keys`: roots of learning and of acting."""
        zero = jnp.zeros((), jnp.int32)
        begun = jnp.zeros_like(script.seeds[:, 0], jnp.int32)
        walk = Walk(state, self._blank(state), zero, zero, zero, begun, jnp.zeros((), bool))
        walk = jax.lax.while_loop(
            lambda walk: (walk.segment < script.segments) & ~walk.stopped,
            ft.partial(self._segment, script, keys, numbers),
            walk,
        )
        after = walk.state
        if script.on is not None:
            new, old = ({name: getattr(x, name) for name in TURNED} for x in (after, state))
            after = after._replace(**choose(script.on, new, old))
        return after, (walk.told, walk.turn, walk.episodes), after.pending

    def _segment(self, script: Script, keys: Any, numbers: Any, walk: Walk) -> Walk:
        last_update = walk.update + script.updates[walk.segment]
        last_turn = walk.turn + script.turns[walk.segment]
        walk = jax.lax.while_loop(
            lambda walk: walk.update < last_update,
            ft.partial(self._update, script, keys[0], numbers),
            walk,
        )
        walk = jax.lax.while_loop(
            lambda walk: (walk.turn < last_turn) & ~walk.stopped,
            ft.partial(self._turn, script, keys[1]),
            walk,
        )
        return walk._replace(segment=walk.segment + 1)

    def _update(self, script: Script, root: Any, numbers: Any, walk: Walk) -> Walk:
        """One update, and what the one before it gave into the ring."""
        state, number, context = walk.state, walk.update, self.config.replay.context
        before = jax.tree.map(lambda x: x[number], script.windows)
        drawn = jax.tree.map(lambda x: x[number + 1], script.windows)
        weight = None if script.weight is None else script.weight[number]
        length = context + self.config.train.length
        sequences = rings.sequences(state.ring, self.columns, drawn, length, weight)
        sequences = jax.lax.optimization_barrier(sequences)
        latents = {k: v for k, v in state.pending.written.items() if k in state.ring}
        late: dict[str, Any] = {"inserted": state.inserted, "after": sequences}
        late["on"] = script.pending | (number > 0)
        if script.on is not None:
            late["on"] &= script.on
        ring = rings.write(state.ring, self.columns, before, latents, offset=context, **late)
        old = {name: getattr(state, name) for name in LEARNED}
        made = self._learned(script.on, old, sequences, root, numbers)
        told = walk.told._replace(metrics=walk.told.metrics.at[number].set(made["pending"].metrics))
        state = state._replace(**made, ring=ring)
        return walk._replace(state=state, told=told, update=number + 1)

    def _learned(self, on: Array | None, old: dict[str, Any], *given: Any) -> dict[str, Any]:
        """What is carried of the learner after an update of `old`; `old` where it takes no part."""

        def update(old: dict[str, Any], *given: Any) -> dict[str, Any]:
            learner, newest, result = update_step(old["learner"], *given, config=self.config)
            return dict(zip(LEARNED, (learner, old["newest"], newest, result), strict=True))

        if on is None:
            return update(old, *given)
        if not self.in_turn:
            return choose(on, update(old, *given), old)
        one = jax.custom_batching.sequential_vmap(
            lambda on, old, *given: jax.lax.cond(on, update, lambda old, *_: old, old, *given)
        )
        return one(on, old, *given)

    def _turn(self, script: Script, root: Any, walk: Walk) -> Walk:
        """Every environment makes one row."""
        state = walk.state
        now = self._stepped(state, script, walk.episodes)
        step = self._step(now[1], state.due)
        flat, carry, latent = self._chosen(script, root, walk, step)
        action = {}
        for key, spec in self.game.action_specs.items():
            value = flat[key].reshape(-1, *spec.shape).astype(spec.dtype)
            over = step.is_last.reshape(-1, *[1] * len(spec.shape))
            action[key] = jnp.where(over, jnp.zeros((), spec.dtype), value)
        row = row_of(step, action, latent)
        ring = rings.add(state.ring, self.columns, row, state.inserted, script.on)
        told = self._tell(walk.told, walk.turn, now[1], step, action)
        state = state._replace(
            now=now,
            due=step.is_last,
            carry=carry,
            action=action,
            count=state.count + 1,
            ring=ring,
            inserted=state.inserted + 1,
        )
        return walk._replace(
            state=state,
            told=told,
            turn=walk.turn + 1,
            episodes=walk.episodes + walk.state.due,
            stopped=script.until_end & self._any(step.is_last, script.on),
        )

    def _any(self, flags: Array, on: Array | None) -> Array:
        """Whether one of the flags is set, of any seed that takes part."""
        if on is None:
            return flags.any()
        return jax.lax.pmax((flags.any() & on).astype(jnp.int32), SEEDS) > 0

    def _stepped(self, state: Carried, script: Script, begun: Array) -> tuple[Any, Any]:
        """Where the environments are after their actions, or at the start of an episode."""
        advance = ft.partial(rows.advance, self.game, self.config.env)
        after = jax.vmap(advance)(state.now[0], state.action)
        seed = jnp.take_along_axis(script.seeds, begun[:, None], axis=1)[:, 0]

        def begin(after: Any) -> Any:
            return choose(state.due, jax.vmap(ft.partial(rows.begin, self.game))(seed), after)

        return jax.lax.cond(self._any(state.due, script.on), begin, lambda after: after, after)

    def _step(self, row: rows.Row, due: Array) -> Step:
        obs = {key: row.obs[key] for key in self.obs_specs}
        return Step(obs, row.reward, due, row.last, row.terminal)

    def _chosen(self, script: Script, root: Any, walk: Walk, step: Step) -> tuple[Any, Any, Any]:
        """Actions, what the policy carries on, and the replay's columns of the states."""
        state, config = walk.state, self.config
        store = ft.partial(write_back, config=config)
        how: dict[str, Any] = {"root": root, "count": state.count, "store": store}
        given = (state.acting, state.carry, step.obs, step.is_first)
        if config.explore.active:
            flat, carry, latent = jax.lax.cond(
                script.explore[walk.turn],
                lambda: act(*given, **how, explore=True),
                lambda: act(*given, **how),
            )
        else:
            flat, carry, latent = act(*given, **how)
        if config.train.prefill:
            drawn = random_action(self.game.action_specs, len(step.reward), root, state.count)
            flat = {key: jnp.where(script.random, drawn[key], flat[key]) for key in flat}
            carry = carry._replace(action=flat)
        return flat, carry, latent

    def _tell(self, told: Told, turn: Array, row: rows.Row, step: Step, action: Any) -> Told:
        """Note a turn for the host."""
        wrong = (~jnp.isfinite(row.reward)).astype(jnp.int8)
        for number, key in enumerate(sorted(self.obs_specs), 2):
            if self.obs_specs[key].kind == "vector":
                seen = row.obs[key].reshape(len(wrong), -1)
                wrong = jnp.where(jnp.isfinite(seen).all(1), wrong, number).astype(jnp.int8)
        shown = self._shown(step)
        values = {"wrong": wrong, "shown": shown, "action": action if told.action else {}}
        values |= {k: getattr(step, k) for k in ("reward", "is_first", "is_last", "is_terminal")}
        whole = {key: getattr(told, key) for key in values}
        return told._replace(**jax.tree.map(lambda old, new: old.at[turn].set(new), whole, values))

    def _shown(self, step: Step) -> dict[str, Array]:
        size = len(step.reward) if self.look.everyone else 1
        return {key: step.obs[key][:size] for key in self.look.keys}

    def _blank(self, state: Carried) -> Told:
        """Room for what is told."""
        envs, turns = len(state.due), self.turns

        def room(like: Array) -> Array:
            return jnp.zeros((turns, *like.shape), like.dtype)

        flag = jnp.zeros((turns, envs), bool)
        step = self._step(state.now[1], state.due)
        return Told(
            reward=jnp.zeros((turns, envs), jnp.float32),
            is_first=flag,
            is_last=flag,
            is_terminal=flag,
            wrong=jnp.zeros((turns, envs), jnp.int8),
            shown=jax.tree.map(room, self._shown(step)),
            action=jax.tree.map(room, state.action) if self.look.everyone else {},
            metrics=jnp.zeros((self.updates, *state.pending.metrics.shape), jnp.float32),
        )
