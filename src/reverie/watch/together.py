"""Several seeds in one view: their steps are summed, and what is said names the seed."""

from collections.abc import Mapping

from reverie.watch.progress import Progress


class SeedProgress:
    """What one seed of a group tells of itself (see `Progress`).

    Args:
        view: of all seeds.
        seed: which one this is.
        steps: of every seed, kept up to date by all of them.
    """

    def __init__(self, view: Progress, seed: int, steps: dict[int, int]):
        self._view, self._seed, self._steps = view, seed, steps

    def step(self, step: int) -> None:
        """Say how many environment steps this seed has done."""
        self._steps[self._seed] = step
        self._view.step(sum(self._steps.values()))

    def metrics(self, step: int, scalars: Mapping[str, float]) -> None:
        """Take in what `Logger.write` was given; the view shows the latest of any seed."""
        self._steps[self._seed] = step
        self._view.metrics(sum(self._steps.values()), scalars)

    def phase(self, text: str) -> None:
        """Show what this seed is busy with; "" clears it."""
        self._view.phase(f"seed {self._seed}: {text}" if text else "")

    def note(self, text: str) -> None:
        """Print a sentence on this seed above the view."""
        self._view.note(f"seed {self._seed}: {text}")
