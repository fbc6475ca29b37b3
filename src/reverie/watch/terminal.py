"""What people read while something runs: output that no terminal, pipe or encoding can break.

A character that the terminal's encoding lacks is shown as `?`. Where nobody reads any more (a
closed pipe, a full disk, no standard output at all) the rest goes nowhere: a run that learns for a
day does not end because its terminal did.
"""

import contextlib
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from reverie.watch.text import visible

if TYPE_CHECKING:
    from rich.console import Console


class Output:
    """A text stream around `file` (None: there is none) whose `write` and `flush` never fail."""

    def __init__(self, file: Any):
        self._file = file

    @property
    def encoding(self) -> str:
        """That of the stream; UTF-8 where it does not say."""
        return getattr(self._file, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write what can be written; the number of characters of `text`."""
        if self._file is not None:
            try:
                _put(self._file, text, self.encoding)
            except (OSError, ValueError) as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Hand everything on."""
        if self._file is not None:
            try:
                self._file.flush()
            except (OSError, ValueError) as error:
                self._give_up(error)

    def isatty(self) -> bool:
        """Whether a person may be looking."""
        try:
            return self._file is not None and self._file.isatty()
        except ValueError:  # closed
            return False

    def _give_up(self, error: Exception) -> None:
        """Nobody reads: what is still buffered, and what others write there, goes nowhere too."""
        file: Any = self._file
        self._file = None
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())
        if not isinstance(error, BrokenPipeError | ValueError) and file is not sys.__stderr__:
            stderr().write(f"reverie: the output cannot be written ({error}); it goes on unseen.\n")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _put(file: Any, text: str, encoding: str) -> None:
    try:
        file.write(text)
    except UnicodeEncodeError:
        file.write(text.encode(encoding, "replace").decode(encoding))


def stdout() -> Output:
    """The standard output of this moment."""
    return sys.stdout if isinstance(sys.stdout, Output) else Output(sys.stdout)


def stderr() -> Output:
    """The error stream of this moment."""
    return sys.stderr if isinstance(sys.stderr, Output) else Output(sys.stderr)


def say(text: str) -> None:
    """Write `text`, made harmless, to the standard output at once."""
    out = stdout()
    out.write(visible(text))
    out.flush()


def mutter(text: str) -> None:
    """Write `text`, made harmless, to the error stream at once: what no reader of results wants."""
    err = stderr()
    err.write(visible(text))
    err.flush()


def complain(text: str) -> None:
    """Write a sentence to the error stream."""
    stderr().write(f"reverie: {visible(text)}\n")


def line_width() -> int:
    """Characters of a line of text: those of the terminal, at most 100 and at least 40."""
    return max(40, min(100, shutil.get_terminal_size((100, 24)).columns))


def paragraph(text: str, indent: int = 0) -> None:
    """Write a text in lines of `line_width` characters; words are never cut, at hyphens neither."""
    say(_wrapped(text, " " * indent) + "\n")


def table(rows: Sequence[tuple[str, str]], *, wrap: bool = False) -> None:
    """Names and texts in two columns on the standard output; `wrap`: texts go on below themselves
    where a line would be longer than `line_width`."""
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        begin = f"{name:<{width}}  "
        room = wrap and len(begin) < line_width() // 2
        say((begin + _wrapped(text, " " * len(begin)).lstrip() if room else begin + text) + "\n")


def _wrapped(text: str, indent: str) -> str:
    how: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
    return textwrap.fill(text, line_width(), initial_indent=indent, subsequent_indent=indent, **how)


def console(*, errors: bool = False) -> "Console":
    """A rich console on the standard output, or on the error stream."""
    from rich.console import Console

    return Console(file=stderr() if errors else stdout())  # type: ignore[arg-type]


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Within, what is written to the standard output goes to the error stream instead, whoever
    writes it: Python, native code of a simulator, a program that it starts."""
    out, kept = sys.stdout, os.dup(1)
    _hand_on(out)
    os.dup2(2, 1)
    sys.stdout = stderr()
    try:
        yield
    finally:
        _hand_on(sys.stdout)
        sys.stdout = out
        os.dup2(kept, 1)
        os.close(kept)


def _hand_on(stream: Any) -> None:
    """Flush a stream of Python, and those of the C library."""
    import ctypes

    with contextlib.suppress(OSError, ValueError, AttributeError):
        stream.flush()
        ctypes.CDLL(None).fflush(None)


def guard_streams() -> None:
    """Put all output of this process, tyro's and simulators' too, through `Output`.

    A descriptor 0, 1 or 2 that is closed is opened on nothing first: the next file would get its
    number, and with it whatever somebody writes to the terminal.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
    sys.stdout, sys.stderr = stdout(), stderr()
