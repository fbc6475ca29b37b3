"""One view of a run in a notebook, drawn anew while it goes on."""

import html
import importlib
import time
from collections.abc import Sequence

from reverie.callbacks.base import Callback
from reverie.callbacks.control import Control
from reverie.callbacks.events import End, Episode, Evaluation, Metrics, Start
from reverie.part.errors import ConfigError
from reverie.watch.text import duration, number

WIDTH, HEIGHT, POINTS = 480, 120, 400
RECENT = 20
"""Training episodes whose mean is shown."""


class NotebookDisplay(Callback):
    """Shows numbers and the curve of returns in one output of a notebook, updated in place.

    Args:
        seconds: at least so long between two drawings.

    Use it with overrides={"log.progress": "none"}, so that there is one view and not two. Raises
    ConfigError where IPython is not installed.
    """

    def __init__(self, *, seconds: float = 1.0):
        try:
            self._display = importlib.import_module("IPython.display").display
        except ImportError as error:
            raise ConfigError(
                "NotebookDisplay needs the package ipython: pip install 'reverie[notebook]'."
            ) from error
        self.seconds, self._handle, self._next = float(seconds), None, 0.0

    def on_start(self, event: Start, run: Control) -> None:
        """Open the output."""
        self._title, self._steps, self._now = event.config.task, event.config.steps, "running"
        self._begin, self._first, self._step = time.monotonic(), event.step, event.step
        self._episodes: list[tuple[int, float]] = []
        self._evaluations: list[tuple[int, float]] = []
        self._values: dict[str, float] = {}
        self._handle = self._display(self._view(), display_id=True)
        self._next = time.monotonic() + self.seconds

    def on_episode(self, event: Episode, run: Control) -> None:
        """One more point of the curve."""
        self._episodes.append((event.step, event.total_reward))
        self._draw(event.step)

    def on_metrics(self, event: Metrics, run: Control) -> None:
        """New losses."""
        self._values.update(event.values)
        self._draw(event.step)

    def on_evaluation(self, event: Evaluation, run: Control) -> None:
        """One more point of the evaluations' curve."""
        self._evaluations.append((event.step, event.mean_return))
        self._draw(event.step, now=True)

    def on_end(self, event: End, run: Control) -> None:
        """The last state stays."""
        self._now = "finished" if event.finished else event.reason.partition("\n")[0]
        self._draw(event.step, now=True)

    def _draw(self, step: int, *, now: bool = False) -> None:
        self._step = step
        if now or time.monotonic() >= self._next:
            if self._handle is not None:
                self._handle.update(self._view())
            self._next = time.monotonic() + self.seconds

    def _view(self) -> "View":
        """What is shown now."""
        taken = time.monotonic() - self._begin
        rows = {"steps": f"{self._step:,} of {self._steps:,} ({self._now})"}
        recent = [value for _, value in self._episodes[-RECENT:]]
        if recent:
            mean = number(sum(recent) / len(recent))
            rows["return"] = f"last {number(recent[-1])}, mean of {len(recent)} {mean}"
        if self._evaluations:
            rows["evaluation"] = number(self._evaluations[-1][1])
        if "loss/total" in self._values:
            rows["loss"] = number(self._values["loss/total"])
        speed = (self._step - self._first) / taken if taken > 0 else 0.0
        if speed:
            rows["speed"] = f"{number(speed)} steps/s, {duration(taken)} so far"
        return View(self._title, rows, [self._episodes, self._evaluations])


class View:
    """A title, rows of text, and curves of (step, value): as HTML, and as text."""

    def __init__(
        self, title: str, rows: dict[str, str], curves: Sequence[Sequence[tuple[int, float]]]
    ):
        self.title, self.rows = title, rows
        self.curves = [thin(curve) for curve in curves]

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.rows.items())
        return f"{self.title}: {told}"

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>"
            for name, value in self.rows.items()
        )
        title = html.escape(self.title)
        return f"<div><b>{title}</b>{draw(self.curves)}<table>{cells}</table></div>"


def thin(curve: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most about `POINTS` points of a curve, its last one among them."""
    every = -(-len(curve) // POINTS) or 1
    return [*curve[::every], *(curve[-1:] if (len(curve) - 1) % every else ())]


def draw(curves: Sequence[Sequence[tuple[int, float]]]) -> str:
    """The curves over common axes as SVG; "" where there is nothing to draw."""
    points = [point for curve in curves for point in curve]
    if not points:
        return ""
    last = max(step for step, _ in points) or 1
    low, high = min(value for _, value in points), max(value for _, value in points)
    span = (high - low) or 1.0
    lines = []
    for curve, color in zip(curves, ("#4477aa", "#ee6677"), strict=False):
        placed = " ".join(
            f"{WIDTH * step / last:.1f},{HEIGHT - HEIGHT * (value - low) / span:.1f}"
            for step, value in curve
        )
        lines.append(f'<polyline points="{placed}" fill="none" stroke="{color}"/>')
    box = f'viewBox="-2 -2 {WIDTH + 4} {HEIGHT + 4}" width="{WIDTH}" height="{HEIGHT}"'
    legend = f"<div>return from {number(low)} to {number(high)}, steps to {last:,}</div>"
    return f"<svg {box}>{''.join(lines)}</svg>{legend}"
