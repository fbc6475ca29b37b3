"""What one person looks at: an episode, and the dreams that begin in it."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from reverie.dream.action import parse
from reverie.dream.branch import Branch, Observed, Row, actions_of
from reverie.dream.errors import DreamError, check_whole, is_whole
from reverie.dream.inspector import Inspector
from reverie.dream.programs import CHUNK, GIVEN, GREEDY, SAMPLED, key_of
from reverie.dream.reality import Beside
from reverie.part.errors import suggest
from reverie.part.values import SEEDS

ACTORS = ("recorded", "sampled", "greedy", "given")
"""Who may act in a dream: the episode as it was, the policy by samples or its mode, the person."""
MOST_STEPS = 500
"""Dreamed rows that are asked for at a time."""
MOST_DEPTH = 5_000
"""Rows of a dream."""
MOST_BRANCHES = 24
"""Branches of a session; who wants more closes some."""


class Session:
    """An episode and branches; numbers of branches are never used twice."""

    def __init__(self, inspector: Inspector):
        self.inspector = inspector
        self.observed: Observed | None = None
        self.branches: dict[int, Branch] = {}
        self._next = 1

    def open(self, kind: str, number: int, *, task: str = "", greedy: bool = False) -> Observed:
        """Look at another episode; the branches of the one before are forgotten.

        Args:
            kind: "replay", "evaluation" for one of the run's own evaluations, or "played" for one
                of the real environment.
            number: of the replay's, of the evaluation's, or the seed with which it is played.

        Raises DreamError where it is not there; then nothing changes.
        """
        found = self.inspector.observed(kind, number, task=task, greedy=greedy)
        self.close()
        self.observed = found
        return found

    def branch(
        self, at: int, parent: int | None = None, *, seed: int = 0, reality: bool = False
    ) -> Branch:
        """A new dream.

        Args:
            at: row of the episode, or of the branch `parent`, in which it begins.
            parent: a branch; None: the episode.
            seed: of its latents and of the policy's samples.
            reality: let the real environment go on beside it, where it can be rebuilt.

        Raises DreamError for rows and branches that are not there, or too many.
        """
        seen = self.seen()
        if len(self.branches) >= MOST_BRANCHES:
            raise DreamError(f"there are {MOST_BRANCHES} branches: close one of them first.")
        check_whole("seed", seed, 0, SEEDS - 1)
        if parent is None:
            row = self.row_number(at, seen.episode.rows, "the episode")
            rows, states, origin, taken = [seen.row(row)], [seen.state(row)], row, []
        else:
            old = self.find(parent)
            row = self.row_number(at, len(old.rows), f"branch {parent}")
            rows, states, origin = [old.rows[row]], [old.states[row]], old.origin
            taken = old.taken[: old.depth - (len(old.rows) - 1 - row)]
        made = Branch(self._next, parent, row, origin, seed, rows, states, taken=list(taken))
        if reality:
            made.beside = self._beside(made)
        self.branches[made.number], self._next = made, self._next + 1
        return made

    def act(
        self, number: int, who: str, *, action: Any = None, steps: int = 1
    ) -> tuple[list[Row], int]:
        """Dream on at the end of a branch; the new rows, and the number of the first of them.

        Args:
            number: of the branch.
            who: one of `ACTORS`.
            action: what the person does, where that is "given": values by action key.
            steps: rows to dream.

        Raises DreamError for what is not there; then nothing changes.
        """
        found, first = self.find(number), len(self.find(number).rows)
        if who not in ACTORS:
            raise DreamError(f"nobody who acts is called {who!r}; {suggest(str(who), ACTORS)}")
        check_whole("steps", steps, 1, MOST_STEPS)
        if found.depth + steps > MOST_DEPTH:
            raise DreamError(f"a dream has at most {MOST_DEPTH:,} rows: branch off earlier.")
        given = self._given(found, who, action, steps)
        policy = GREEDY if who == "greedy" else SAMPLED
        self._dream(found, GIVEN if given else policy, given, steps)
        return found.rows[first:], first

    def drop(self, number: int) -> None:
        """Close a branch; those that left it stay."""
        gone = self.branches.pop(self.find(number).number)
        if gone.beside is not None:
            gone.beside.close()

    def close(self) -> None:
        """Forget all branches."""
        for number in list(self.branches):
            self.drop(number)

    def find(self, number: Any) -> Branch:
        """A branch. Raises DreamError where it is not there."""
        if not isinstance(number, int) or number not in self.branches:
            there = ", ".join(map(str, self.branches)) or "none"
            raise DreamError(f"there is no branch {number!r}; those that are there: {there}.")
        return self.branches[number]

    def row_number(self, row: Any, rows: int, where: str) -> int:
        """`row`, where it is one of so many. Raises DreamError."""
        if not is_whole(row, 0, rows - 1):
            raise DreamError(f"{where} has the rows 0 ... {rows - 1}, found {row!r}.")
        return row

    def seen(self) -> Observed:
        """The episode that is looked at. Raises DreamError before one is."""
        if self.observed is None:
            raise DreamError("choose an episode first.")
        return self.observed

    def follows(self, origin: int, taken: Sequence[Mapping[str, np.ndarray]]) -> bool:
        """Whether actions from row `origin` of the episode on are the recorded ones, and the
        episode has the row to which they lead."""
        episode = self.seen().episode
        return origin + len(taken) < episode.rows and all(
            np.array_equal(row[key], value[origin + index])
            for index, row in enumerate(taken)
            for key, value in episode.action.items()
        )

    def _given(
        self, branch: Branch, who: str, action: Any, steps: int
    ) -> list[dict[str, np.ndarray]]:
        """The actions that are known beforehand, one a row; empty where the policy acts."""
        if who == "given":
            return [parse(action, self.inspector.actions)] * steps
        if who != "recorded":
            return []
        recorded, begin = self.seen().episode, branch.origin + branch.depth
        left = recorded.rows - 1 - begin
        if steps > left:
            raise DreamError(
                f"the episode has {max(0, left)} recorded actions from here on, found steps "
                f"{steps}: let the policy act, or act yourself."
            )
        rows = range(begin, begin + steps)
        return [{key: value[row] for key, value in recorded.action.items()} for row in rows]

    def _dream(self, branch: Branch, who: int, given: list[Any], steps: int) -> None:
        """Append dreamed rows, `CHUNK` of them a call."""
        key = key_of(branch.seed)[None]
        for begin in range(0, steps, CHUNK):
            count = min(CHUNK, steps - begin)
            size = 1 if steps == 1 else CHUNK
            part = given[begin : begin + count] or [self.inspector.nothing()] * count
            part = actions_of(part + part[-1:] * (size - count))
            first, start = branch.depth + 1, branch.states[-1]
            rolled = self.inspector.roll(start, part, key, first, who=who)
            self._append(branch, rolled, count)

    def _append(self, branch: Branch, rolled: Any, count: int) -> None:
        states = jax.tree.map(lambda x: x[:count, 0], rolled.state)
        said, action = jax.tree.map(lambda x: np.asarray(x[:count, 0]), (rolled[2], rolled[1]))
        shown = self.inspector.look(states, said.feature, self.seen())
        before, truths = branch.states[-1], []
        for index in range(count):
            taken = {name: value[index] for name, value in action.items()}
            truths.append(self._truth(branch, taken))
            branch.taken.append(taken)
            branch.states.append(jax.tree.map(lambda x: x[index : index + 1], states))  # noqa: B023
        left = jax.tree.map(lambda a, b: np.concatenate([a, b[:-1]]), before, states)
        said = said._replace(kl=self._surprise(left, action, [truth[0] for truth in truths]))
        for index, truth in enumerate(truths):
            told, look = jax.tree.map(lambda x: x[index], (said, shown))  # noqa: B023
            branch.rows.append(Row(told, look, branch.taken[index - count], *truth))

    def _truth(self, branch: Branch, action: Mapping[str, np.ndarray]) -> tuple:
        """What really follows an action: observation, reward, end and drawing, or nothing known.

        The episode tells it as long as the actions are the recorded ones; after that the real
        environment, where it goes on beside the dream.
        """
        if branch.beside is not None:
            return self._beside_row(branch, action)
        if not self.follows(branch.origin, [*branch.taken, action]):
            return None, None, False, None
        found = self.seen().row(branch.origin + branch.depth + 1)
        return found.real, found.reward, found.over, found.drawn

    def _surprise(self, before: Any, action: Any, real: list[Any]) -> np.ndarray:
        """How much the real rows surprise the dream, nats; not a number where none is known."""
        known = [index for index, obs in enumerate(real) if obs is not None]
        found = np.full(len(real), np.nan, np.float32)
        if known:
            obs = {key: np.stack([real[i][key] for i in known]) for key in real[known[0]]}
            start, led = jax.tree.map(lambda x: np.asarray(x)[known], (before, action))
            found[known] = self.inspector.surprised(start, led, obs)
        return found

    def _beside(self, branch: Branch) -> Beside | None:
        """The real environment at the begin of a branch; None, with a notice, where there is
        none."""
        made = None
        try:
            made = Beside(self.inspector.world, self.seen().episode, branch.origin)
            for action in branch.taken:
                made.step({key: value[None] for key, value in action.items()})
        except DreamError as error:
            branch.notice = str(error)
            if made is not None:
                made.close()
            return None
        return made

    def _beside_row(self, branch: Branch, action: Mapping[str, np.ndarray]) -> tuple:
        assert branch.beside is not None
        try:
            step, drawn = branch.beside.step({k: v[None] for k, v in action.items()})
        except DreamError as error:
            branch.notice = str(error)
            return None, None, False, None
        real = {key: value[0] for key, value in step.obs.items()}
        return real, float(step.reward[0]), bool(step.is_last[0]), drawn
