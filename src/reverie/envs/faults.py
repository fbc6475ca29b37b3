"""What the user's code raised: told from a signal of the user, and said in one sentence.

An environment's code may raise anything. What ends a program elsewhere (SystemExit,
KeyboardInterrupt, GeneratorExit) is a crash of the environment, unless a signal brought it: a
Ctrl-C stops the run.
"""

import contextlib
import dis
import signal
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

from reverie.envs.base import EnvError

PACKAGE = str(Path(__file__).resolve().parent.parent)
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")})
RAISE = dis.opmap["RAISE_VARARGS"]
LONGEST = 200
"""Characters of an exception's own text, or of a quoted line, that are shown."""


class Crash(Exception):
    """An environment died, hung or raised; the message says how. Others can take the seat.

    `alive`: it raised, and its process still takes orders.
    """

    def __init__(self, message: str, *, alive: bool = False):
        super().__init__(message)
        self.alive = alive


def by_signal(error: BaseException) -> bool:
    """Whether a signal brought `error`, and not a statement of the user's code.

    True where the handler of SIGINT or SIGTERM is among the frames, and for a KeyboardInterrupt
    that no `raise` statement raised: Python's own handler leaves no frame.
    """
    frames = list(traceback.walk_tb(error.__traceback__))
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    codes = [getattr(handler, "__code__", None) for handler in handlers]
    if any(frame.f_code in codes for frame, _ in frames):
        return True
    if not isinstance(error, KeyboardInterrupt) or error.__traceback__ is None:
        return False
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    return last.tb_frame.f_code.co_code[last.tb_lasti] != RAISE


@contextlib.contextmanager
def contained() -> Iterator[None]:
    """Within, an exception that would end the program becomes an EnvError; a signal's passes.

    For code of the user that runs in this process outside a `Vector`.
    """
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        if by_signal(error):
            raise
        raise EnvError(f"the environment's code ended the program: {describe(error)}") from error


def describe(error: BaseException) -> str:
    """One line: the exception, and the last lines of the user's part of its traceback."""
    said = short("".join(traceback.format_exception_only(error)))
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not is_ours(f.filename)]
    own = [frame for frame in frames if not frame.filename.startswith(LIBRARIES)]
    lines = [
        f"{Path(f.filename).name} line {f.lineno} in {f.name}: {short(f.line or '')}"
        for f in (*own[-1:], *frames[-1:])
    ]
    places = dict.fromkeys(lines)
    return f"{said} ({'; '.join(places)})" if places else said


def is_ours(filename: str) -> bool:
    """Whether a file belongs to this package."""
    return filename.startswith(PACKAGE)


def short(text: str) -> str:
    """`text` on one line of at most LONGEST characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 4]} ..."


def last_words(text: str) -> str:
    """What a dead process printed last, on one line: where it crashed, or its last lines."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    fatal = [number for number, line in enumerate(lines) if line.startswith("Fatal Python error")]
    if not fatal:
        return short(" | ".join(lines[-3:])) if lines else "nothing"
    rest = lines[fatal[-1] :]
    current = [number for number, line in enumerate(rest) if line.startswith("Current thread")]
    stack = rest[current[0] + 1 :] if current else rest[1:]
    places = [line for line in stack if line.startswith("File ") and PACKAGE not in line]
    return " | ".join([short(rest[0]), *map(short, places[:2])])
