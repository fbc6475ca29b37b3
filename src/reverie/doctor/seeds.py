"""Whether an episode follows from its seed and its actions: here, made anew, in another process."""

import random
from collections.abc import Callable

import numpy as np

from reverie.doctor.finding import Finding, failure, note, ok, problem
from reverie.doctor.play import Row, actions_of
from reverie.envs import identity
from reverie.envs.base import Env, EnvError
from reverie.envs.episodes import episode_seed
from reverie.envs.faults import Crash
from reverie.envs.functional.recipe import Compiled
from reverie.envs.vector import Vector

Make = Callable[[], Env]

SAMPLE = 60
"""Steps of the episodes that are compared."""


def sample(env: Env, seed: int, *, actions: int = 0) -> list[Row]:
    """The first SAMPLE rows of the episode of `seed`."""
    action = actions_of(env.action_specs, actions)
    rows: list[Row] = [(env.reset(seed), 0.0, False, False)]
    while len(rows) <= SAMPLE and not rows[-1][3]:
        rows.append(env.step(action(len(rows) - 1)))
    return rows


def apart(one: list[Row], two: list[Row]) -> str:
    """Where two samples differ first: '' if they do not."""
    for step, (a, b) in enumerate(zip(one, two, strict=False)):
        keys = [key for key in a[0] if not np.array_equal(a[0][key], b[0][key])]
        names = ("reward", "terminal", "last")
        flat = [(np.float32(row[1]), *row[2:]) for row in (a, b)]  # as rows travel
        keys += [name for name, x, y in zip(names, *flat, strict=True) if x != y]
        if keys:
            return f"{', '.join(keys)} at step {step}"
    return "" if len(one) == len(two) else f"the length ({len(one) - 1} and {len(two) - 1} steps)"


REMEDY = (
    "draw everything random from self.np_random, which super().reset(seed=seed) seeds, and reset "
    "all state; a resumed run cannot rebuild open episodes otherwise."
)


def check_seeds(make: Make) -> list[Finding]:
    """An episode must follow from its seed and actions: here again, and in a new environment."""
    env = make()
    try:
        one, again = sample(env, 11), (sample(env, 12), sample(env, 11))[1]
        difference = apart(one, again)
        if difference:
            return [problem("seeds", f"the same seed gave another episode: {difference} differs; "
                            f"{_culprit(env)}{REMEDY}")]  # fmt: skip
        other = sample(env, 13)
    finally:
        env.close()
    fresh = make()
    if identity.same(env, fresh):
        return [
            problem(
                "making",
                "a second call gave the same environment: several of them, or training and "
                "evaluation, would mix their episodes. Make a new one at every call.",
            )
        ]
    try:
        difference = apart(one, sample(fresh, 11))
    finally:
        fresh.close()
    if difference:
        return [problem("seeds", f"a second environment gave another episode for the same seed: "
                        f"{difference} differs; {REMEDY}")]  # fmt: skip
    found = [ok("seeds", "the same seed and actions give the same episode, also when made anew.")]
    if not apart(one, other):
        found.append(
            note("seeds", "different seeds give the same episode: there is one start only.")
        )
    return found


def _culprit(env: Env) -> str:
    """A hint where numpy's or Python's global random numbers decide."""

    def seeded() -> list[Row]:
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        return sample(env, 11)

    return "" if apart(seeded(), seeded()) else "it uses the global random numbers; "


def check_survival(make: Make, steps: int, timeout: float) -> list[Finding]:
    """Whether `steps` steps end the process or hang it, tried in a process of its own: no other
    check would live to tell. What the environment raises is left to the other checks."""
    if isinstance(make, Compiled):
        return []
    try:
        with Vector(make, num=1, seed=0, timeout=timeout, restarts=0) as vector:
            action = actions_of(vector.action_specs, 0)
            for step in range(0 if vector.here else steps):
                vector.send({key: value[None] for key, value in action(step).items()})
                vector.recv()
    except EnvError as error:
        if isinstance(error.__cause__, Crash) and not error.__cause__.alive:
            remedy = "Nothing further was checked, for it would not have been survived."
            return [problem("processes", f"{str(error.__cause__).rstrip('.')}. {remedy}")]
    return []


def check_process(make: Make, timeout: float, *, compare: bool) -> list[Finding]:
    """It must run in a process of its own, as in training; with `compare` it must give the same
    episode there."""
    try:
        with Vector(make, num=1, seed=0, parallel=True, timeout=timeout, restarts=0) as vector:
            local = [text for text in vector.notices if "pickle" in text or "process" in text]
            action = actions_of(vector.action_specs, 0)
            rows = _drive(vector, action)
    except Exception as error:
        return [failure("processes", error, "--env.no-parallel keeps it in the training process.")]
    if local:
        return [
            note("processes", f"{local[0]} A function of a module can move to other processes.")
        ]
    if not compare:
        return [ok("processes", "runs in a process of its own.")]
    env = make()
    try:
        difference = apart(rows, sample(env, episode_seed(0, "train", 0, 0)))
    finally:
        env.close()
    if difference:
        return [problem("processes", f"another process gave another episode for the same seed: "
                        f"{difference} differs; let nothing depend on hash(), id() or the order of "
                        "a set.")]  # fmt: skip
    return [ok("processes", "runs in a process of its own and gives the same episode there.")]


def _drive(vector: Vector, action: Callable[[int], dict[str, np.ndarray]]) -> list[Row]:
    rows: list[Row] = []
    while len(rows) <= SAMPLE and not (rows and rows[-1][3]):
        chosen = action(max(len(rows) - 1, 0))
        vector.send({key: value[None] for key, value in chosen.items()})
        step = vector.recv()
        obs = {key: value[0].copy() for key, value in step.obs.items()}
        rows.append((obs, float(step.reward[0]), bool(step.is_terminal[0]), bool(step.is_last[0])))
    return rows
