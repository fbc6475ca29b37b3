"""Plays episodes under random actions and judges what was seen."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from reverie.bench.env import random_actions
from reverie.doctor.finding import Finding, failure, note, ok
from reverie.doctor.spy import Spy
from reverie.envs.adapter import Adapter
from reverie.envs.base import Env
from reverie.envs.faults import contained
from reverie.records import Specs
from reverie.world.standard import FAINT, variation

Row = tuple[dict[str, np.ndarray], float, bool, bool]
"""Observation, reward, terminal, last."""


@dataclass
class Play:
    """What was seen: findings, episodes and some rows of them."""

    findings: list[Finding] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    terminal: list[bool] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    rewards: set[float] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)


def actions_of(specs: Specs, seed: int) -> Callable[[int], dict[str, np.ndarray]]:
    """The action of step t: uniform over the agent's range, the same for equal seeds."""
    pool = random_actions(specs, 0, seed)
    return lambda step: pool[step % len(pool)]


def watch_episodes(env: Env, steps: int) -> Play:
    """Plays `steps` steps under random actions, watching every answer."""
    play, spy = Play(), None
    if isinstance(env, Adapter):
        spy = Spy(env.inner)
        env.wrap(lambda _: spy)
    try:
        with contained():
            _play(env, steps, play)
    except Exception as error:
        play.findings.append(failure("episodes", error, "Nothing further was checked."))
    if spy is not None:
        play.findings = spy.findings + play.findings
        env.wrap(lambda outer: outer.env)  # type: ignore[attr-defined]
    return play


def _play(env: Env, steps: int, play: Play) -> None:
    seed, left = 0, steps
    while left > 0:
        action = actions_of(env.action_specs, seed)
        row: Row = (env.reset(seed), 0.0, False, False)
        play.rows.append(row)
        total, length = 0.0, 0
        while not row[3] and left > 0:
            row = env.step(action(length))
            if len(play.rows) < 2000:
                play.rows.append(row)
            play.rewards.add(row[1])
            total, length, left = total + row[1], length + 1, left - 1
        if row[3]:
            play.lengths.append(length)
            play.terminal.append(row[2])
            play.returns.append(total)
        seed += 1


def judge_ends(play: Play, steps: int) -> list[Finding]:
    """How episodes end: never, always at the same step, by truncation or by a true end."""
    count, ends = len(play.lengths), sum(play.terminal)
    if not count:
        return [
            note(
                "ends",
                f"no episode ended within {steps} steps: if it never does, give it a limit "
                "(--env.limit N); otherwise check longer (--steps).",
            )
        ]
    low, high = min(play.lengths), max(play.lengths)
    text = f"{count} episodes of {low} to {high} steps, {ends} with a true end (terminated), "
    found = [ok("ends", f"{text}{count - ends} truncated.")]
    if count >= 3 and low == high > 1 and ends == count:
        found.append(
            note(
                "ends",
                f"every episode ended as terminated after exactly {low} steps: if that is a time "
                "limit, return truncated instead, for a true end teaches that nothing follows.",
            )
        )
    if high == 1:
        found.append(note("ends", "every episode is one step long: there is nothing to imagine."))
    return found


def judge_rewards(play: Play) -> list[Finding]:
    """Whether there is anything to learn from."""
    if not play.rewards:
        return []
    low, high = min(play.rewards), max(play.rewards)
    if low == high == 0.0:
        return [
            note(
                "reward",
                "random actions never found a reward: learning needs exploration to find one, for "
                "example --explore plan2explore or a denser reward.",
            )
        ]
    found = [ok("reward", f"between {low:g} and {high:g} a step under random actions.")]
    if max(abs(low), abs(high)) > 1e6:
        found.append(note("reward", "rewards above a million are better rescaled by the task."))
    if low == high:
        found.append(note("reward", f"every step pays {low:g}: only the length can be learned."))
    return found


SHOWN = 4
"""Numbers of one key that are named."""

STANDARDIZE = " or train with --world.encoder.standardize true, as the quick settings do"


def judge_observations(play: Play) -> list[Finding]:
    """Whether each part of the observation ever changes, and how large its numbers are."""
    found = []
    if len(play.rows) < 2:
        return found
    for key in play.rows[0][0]:
        values = np.stack([row[0][key] for row in play.rows[:500]])
        if (values == values[0]).all():
            found.append(
                note("observation", f"{key!r} never changed; hide it with --env.exclude {key}.")
            )
        elif values.dtype == np.float32 and np.abs(values).max() > 1e5:
            found.append(
                note(
                    "observation",
                    f"{key!r} reaches {np.abs(values).max():.3g}; symlog keeps such numbers apart "
                    f"only coarsely, so rescale it if detail matters{STANDARDIZE}.",
                )
            )
        elif values.dtype == np.float32 and (faint := _faint(values)):
            found.append(
                note(
                    "observation",
                    f"{key!r} has numbers that vary by less than {FAINT:g} ({faint}) in symlog "
                    "space: the loss hardly sees them, so rescale them if they matter"
                    f"{STANDARDIZE}.",
                )
            )
    return found


def _faint(values: np.ndarray) -> str:
    """Places of the numbers of (rows, …) that units of their own would make seen."""
    found = variation(values.reshape(len(values), -1))
    places = np.flatnonzero(found.faint)
    shown = ", ".join(f"[{place}]: {found.seen[place]:.2g}" for place in places[:SHOWN])
    return f"{shown}, …" if len(places) > SHOWN else shown
