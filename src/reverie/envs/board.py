"""The memory that both sides of an environment process write to: actions there, rows back."""

import mmap
import os
import tempfile
from typing import BinaryIO, NamedTuple

import numpy as np

from reverie.envs.base import Action, Env, Obs
from reverie.records import Specs

ALIGN = 64
"""Every array starts at a multiple of so many bytes."""


class Board(NamedTuple):
    """Arrays with a leading axis of E environments; each environment writes its own row."""

    obs: dict[str, np.ndarray]  # (E, *shape)
    action: dict[str, np.ndarray]  # (E, *shape)
    reward: np.ndarray  # (E,) float32
    terminal: np.ndarray  # (E,) bool
    last: np.ndarray  # (E,) bool
    log: dict[str, np.ndarray]  # (E, *shape)


class Layout(NamedTuple):
    """What a board holds; sent to the worker so that both sides lay out the same bytes."""

    obs_specs: Specs
    action_specs: Specs
    log_specs: Specs
    num: int


def _fields(layout: Layout) -> list[tuple[str, str, tuple[int, ...], str]]:
    """Group, key, shape and dtype of every array, in the order of their bytes."""
    rows = [("obs", k, s.shape, s.dtype) for k, s in sorted(layout.obs_specs.items())]
    rows += [("action", k, s.shape, s.dtype) for k, s in sorted(layout.action_specs.items())]
    rows += [("log", k, s.shape, s.dtype) for k, s in sorted(layout.log_specs.items())]
    return [*rows, ("", "reward", (), "float32"), ("", "terminal", (), "bool"),
            ("", "last", (), "bool")]  # fmt: skip


def size_of(layout: Layout) -> int:
    """Bytes of a board."""
    sizes = [
        layout.num * int(np.prod(shape)) * np.dtype(dtype).itemsize
        for _, _, shape, dtype in _fields(layout)
    ]
    return sum(-(-size // ALIGN) * ALIGN for size in sizes)


def make_board(layout: Layout, memory: bytearray | mmap.mmap) -> Board:
    """A board on `memory`, which holds `size_of(layout)` bytes."""
    groups: dict[str, dict[str, np.ndarray]] = {"obs": {}, "action": {}, "log": {}, "": {}}
    offset = 0
    for group, key, shape, dtype in _fields(layout):
        array = np.ndarray((layout.num, *shape), dtype, memory, offset)
        groups[group][key] = array
        offset += -(-array.nbytes // ALIGN) * ALIGN
    return Board(groups["obs"], groups["action"], **groups[""], log=groups["log"])


def open_memory() -> BinaryIO:
    """A file without a name, in memory where the system allows it; it vanishes with its users.

    A plain file descriptor instead of `multiprocessing.shared_memory`: it needs no tracker
    process and cannot leak, however the processes end.
    """
    if "memfd_create" in dir(os):  # Linux
        return os.fdopen(os.memfd_create("reverie"), "r+b")
    return tempfile.TemporaryFile()


def map_memory(fd: int, layout: Layout, *, grow: bool) -> mmap.mmap:
    """The memory of a board behind a file descriptor; `grow` sets the file's length first."""
    size = size_of(layout)
    if grow:
        os.ftruncate(fd, size)
    return mmap.mmap(fd, size)


def rows_of(board: Board, rows: list[int]) -> Board:
    """A copy of these rows, without the actions."""
    flags = board.reward[rows], board.terminal[rows], board.last[rows]
    obs = {key: array[rows] for key, array in board.obs.items()}
    return Board(obs, {}, *flags, log={key: array[rows] for key, array in board.log.items()})


def write_rows(board: Board, rows: list[int], values: Board) -> None:
    """Write what `rows_of` copied elsewhere to these rows."""
    for mine, theirs in ((board.obs, values.obs), (board.log, values.log)):
        for key, array in mine.items():
            array[rows] = theirs[key]
    board.reward[rows] = values.reward
    board.terminal[rows], board.last[rows] = values.terminal, values.last


def reset(env: Env, board: Board, index: int, seed: int, then: int | None = None) -> None:
    """Reset `env` and write its first row; `then` is the seed of the episode after this one."""
    _write(env, board, index, (env.reset(seed), 0.0, False, False))
    if then is not None:
        env.prepare(then)


def step(env: Env, board: Board, index: int) -> None:
    """Step `env` by the action in its row and write the row that answers."""
    action = {key: array[index] for key, array in board.action.items()}
    _write(env, board, index, env.step(action))


def replay(env: Env, board: Board, index: int, seed: int, actions: Action, *, beat) -> None:
    """Reset `env`, replay `actions` (N, *shape) and write the last row; `beat()` after each.

    Stops at the first row that ends the episode.
    """
    reset(env, board, index, seed)
    count = len(next(iter(actions.values())))
    for row in range(count):
        _write(env, board, index, env.step({key: array[row] for key, array in actions.items()}))
        beat()
        if board.last[index] and row + 1 < count:
            break


def _write(env: Env, board: Board, index: int, row: tuple[Obs, float, bool, bool]) -> None:
    obs, reward, *flags = row
    for key, array in board.obs.items():
        array[index] = obs[key]
    for key, array in board.log.items():
        array[index] = env.logs[key]
    board.reward[index] = reward
    board.terminal[index], board.last[index] = flags
