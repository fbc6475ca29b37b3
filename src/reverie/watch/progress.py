"""How far a run is: a live view on a terminal, short lines elsewhere."""

import itertools
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reverie.watch import terminal
from reverie.watch.text import duration, number

Kind = Literal["auto", "live", "plain", "none"]

LIVE_SECONDS = 0.25
PLAIN_SECONDS = 10.0
LINE_WIDTH = 100
RECENT = 20
WINDOW = 60.0  # seconds
SHOWN_LOSSES = ("rew", "con", "dyn", "policy", "value")


class Progress:
    """The progress view of one run. Use it as a context manager, or call `close`.

    `step` may be called as often as the loop turns: it reads a clock and compares, and redraws at
    most four times a second (a line every ten seconds where the view is plain). There is no
    thread: where the loop waits the view stands still, `phase` says why.

    Between `collecting` and `learning` the time left is not known: rows come many times faster as
    long as nothing is learned from them.

    Args:
        kind: `auto` is live on a terminal and plain elsewhere.
        total: environment steps of the whole run.
        start: environment steps already done, when the run resumes.
        title: what the live view calls the run.
        observations: losses that are shown as one sum, `rec`.
        console: where to draw; None: the standard output.
        clock: seconds from any origin, for tests.
    """

    def __init__(
        self,
        kind: Kind,
        total: int,
        *,
        start: int = 0,
        title: str = "",
        observations: Collection[str] = (),
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._console = console or terminal.console()
        live = self._console.is_terminal if kind == "auto" else kind == "live"
        self._kind: Kind = "none" if kind == "none" else "live" if live else "plain"
        self._period = LIVE_SECONDS if live else PLAIN_SECONDS
        self._clock, self._next = clock, clock() + self._period
        self._total, self._step, self._title = total, start, title
        self._phase, self._beside, self._learns = "", "", True
        self._values: dict[str, float] = {}
        self._observations = observations
        self._returns: deque[float] = deque(maxlen=RECENT)
        self._marks: deque[tuple[float, int]] = deque([(clock(), start)])
        self._live: Live | None = None
        if self._kind == "live":
            self._live = Live(console=self._console, auto_refresh=False, get_renderable=self._view)
            self._live.start(refresh=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def step(self, step: int) -> None:
        """Say how many environment steps are done."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._period
        self._mark(now, step)
        self._draw()

    def metrics(self, step: int, scalars: Mapping[str, float]) -> None:
        """Take in what `Logger.write` was given; shown at the next redraw."""
        self._step = max(step, self._step)
        self._values.update(scalars)
        if "episode/return" in scalars:
            self._returns.append(float(scalars["episode/return"]))

    def phase(self, text: str) -> None:
        """Show at once what the run is busy with ("compiling", "evaluating"); "" clears it."""
        self._phase = text
        if self._live is not None or text:
            self._draw()

    def meanwhile(self, text: str) -> None:
        """Show what goes on beside the steps from now on ("compiling the update"); "" ends it."""
        self._beside = text
        if text:
            self._draw()

    def collecting(self) -> None:
        """Nothing is learned until `learning` is called: the pace says nothing of the time left."""
        self._learns = False

    def learning(self, step: int) -> None:
        """From this step on rows are learned from: pace and time left are counted anew."""
        self._learns = True
        self._marks = deque([(self._clock(), step)])

    def show(self, what: RenderableType) -> None:
        """Print something above the view, where there is one; it stays."""
        if self._kind != "none":
            self._console.print(what)

    def note(self, text: str) -> None:
        """Print a sentence above the view; it stays. Shown by every kind, `none` included."""
        self._console.print(Text(text, style="yellow"), soft_wrap=True)

    def close(self) -> None:
        """Draw the last state and give the terminal back."""
        if self._kind != "none" and self._marks[-1][1] < self._step:
            self._mark(self._clock(), self._step)
        if self._live is not None:
            self._live.update(self._view(), refresh=True)
            self._live.stop()
            self._live = None
        elif self._kind == "plain":
            self._draw()
        self._kind = "none"

    def steps_per_second(self) -> float | None:
        """Environment steps a second over the last minute or so; None before it is known."""
        (first, begin), (last, end) = self._marks[0], self._marks[-1]
        return None if end <= begin or last <= first else (end - begin) / (last - first)

    def seconds_left(self) -> float | None:
        """Wall seconds to the end at that pace; None before it is known."""
        pace = self.steps_per_second()
        if pace is None or not self._learns:
            return None
        return max(0, self._total - self._marks[-1][1]) / pace

    def line(self) -> str:
        """The state as one line of at most 100 characters: what matters least is left out."""
        share = self._step / max(1, self._total)
        head = f"{self._step:,}/{self._total:,} {share:4.0%}"
        returns = f"return {self._return_text()}" if self._return_text() else ""
        losses = [(3, f"{name} {value}") for name, value in self._losses().items()]
        speed, left, memory = self._speed_text(), self._left_text(), self._memory_text()
        pieces = [(0, head), (1, self._now()), (2, returns), (5, left), *losses[:1], (4, speed)]
        line = fitted([*pieces, *losses[1:], (6, memory)], LINE_WIDTH)
        return line if len(line) <= LINE_WIDTH else f"{line[: LINE_WIDTH - 1]}…"

    def _mark(self, now: float, step: int) -> None:
        self._step = step
        self._marks.append((now, step))
        while len(self._marks) > 2 and self._marks[1][0] < now - WINDOW:
            self._marks.popleft()

    def _draw(self) -> None:
        if self._live is not None:
            self._live.refresh()
        elif self._kind == "plain":
            self._console.print(Text(self.line()), soft_wrap=True)

    def _view(self) -> RenderableType:
        rows = Table.grid(padding=(0, 2))
        rows.add_column(style="dim")
        rows.add_column()
        losses = "   ".join(f"[dim]{name}[/] {value}" for name, value in self._losses().items())
        memory = self._memory_text()
        for label, text in (
            ("return", self._return_text()),
            ("losses", losses),
            ("speed", self._speed_text()),
            ("memory", memory),
            ("now", Text(self._now())),
        ):
            if text:
                rows.add_row(label, text)
        done = f"{self._step:,} / {self._total:,} steps"
        head = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=max(1, self._total), completed=self._step, width=32)
        head.add_row(Text(self._title, style="bold"), bar, done, self._left_text())
        return Padding(Group(head, rows), (1, 0, 0, 0))

    def _now(self) -> str:
        return ", ".join(filter(None, (self._phase, self._beside)))

    def _return_text(self) -> str:
        parts = []
        if self._returns:
            mean = sum(self._returns) / len(self._returns)
            parts.append(f"last {number(self._returns[-1])}, ")
            parts[-1] += f"mean of {len(self._returns)} {number(mean)}"
        if "eval/return" in self._values:
            spread = self._values.get("eval/return_std")
            tail = f" ± {number(spread)}" if spread is not None else ""
            parts.append(f"eval {number(self._values['eval/return'])}{tail}")
        return ", ".join(parts)

    def _losses(self) -> dict[str, str]:
        losses = {
            name.removeprefix("loss/"): value
            for name, value in self._values.items()
            if name.startswith("loss/")
        }
        rec = [value for name, value in losses.items() if name in self._observations]
        shown = ({"rec": sum(rec)} if rec else {}) | {
            name: losses[name] for name in SHOWN_LOSSES if name in losses
        }
        return {name: number(value) for name, value in shown.items()}

    def _speed_text(self) -> str:
        pace, updates = self.steps_per_second(), self._values.get("time/updates_per_s", 0.0)
        found = [f"{number(pace)} steps/s"] if pace is not None else []
        found += [f"{number(updates)} updates/s"] if updates else []
        return ", ".join(found)

    def _memory_text(self) -> str:
        names = (("system/ram_gb", "host"), ("system/device_gb", "device"))
        found = [f"{self._values[key]:.1f} GB {kind}" for key, kind in names if key in self._values]
        return ", ".join(found)

    def _left_text(self) -> str:
        seconds = self.seconds_left()
        return "" if seconds is None else f"{duration(seconds)} left"


def fitted(pieces: Sequence[tuple[int, str]], width: int) -> str:
    """One line of the pieces that fit into `width` characters, tried by importance.

    `pieces`: place in the line, and text; those of one place stand together. The first is never
    left out.
    """
    line, taken = "", []
    for piece in pieces:
        more = sorted([*taken, piece], key=lambda taken: taken[0]) if piece[1] else taken
        places = itertools.groupby(more, key=lambda taken: taken[0])
        text = " | ".join(", ".join(text for _, text in group) for _, group in places)
        if not line or len(text) <= width:
            line, taken = text, more
    return line
