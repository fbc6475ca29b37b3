"""The command line: one verb, its options, one exit code.

    0 done   1 the run failed   2 the command cannot be understood   130 or 143 interrupted

The only reader of argv. An error that Reverie foresees is one sentence on the error stream;
`--debug` shows its traceback. Nothing here imports JAX before the device is chosen.
"""

import importlib
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reverie.machine import leaving
from reverie.part.errors import ConfigError, suggest
from reverie.train import interrupt
from reverie.verbs import COMPUTING, LEARNING, READING, VERBS
from reverie.watch import startup, terminal

USAGE = """\
usage: reverie VERB [options]        reverie VERB --help

  train TASK            learn a task; the same command with the same folder resumes
  continual NAME|TASKS  learn a sequence of tasks, one after the other
  sweep TASK ...        many runs: tasks x settings x seeds, or a search (status, resume, cancel)
  eval RUN              play episodes with the agent of a run folder
  report RUN ...        one HTML page from one or more run folders; --live serves it meanwhile
  compare RUN ...       groups of runs over seeds: means, intervals, curves (--by FIELD)
  export RUN            write the policy as a file that runs without Reverie
  dream RUN             look into a run's world model, and play in its dreams, in the browser
  push RUN OWNER/NAME   share an agent on the Hub, or with --to DIR in a folder
  pull OWNER/NAME DIR   fetch a shared agent
  bench update|launches|act|env|replay  measure an update, acting, an environment, or replay
  doctor TASK           is an environment fit to be learned in, and what will a run need?
  tasks [FILTER]        the tasks, or those whose name contains FILTER
  presets [NAME|FILE]   the presets, or what one of them sets
  presets --save FILE   keep options of train in a file, for --preset FILE
  completion SHELL      the script by which bash, zsh or fish completes all of this

For a start:  reverie train gym:CartPole-v1
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb and returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is not None:
        return _answer(words)
    _own_the_process(words)
    return leaving.now(_answer(words, told=startup.wanted(words)))


def _own_the_process(words: list[str]) -> None:
    """What only the command may do: choose memory settings, signals and streams of the process."""
    from reverie.machine import allocator

    if words[:1] in (["train"], ["continual"], ["bench"], ["eval"]):
        allocator.restart_with_large_pages()
    interrupt.starting()
    terminal.guard_streams()
    warnings.showwarning = _warn


def _answer(words: list[str], *, told: bool = False) -> int:
    """Dispatch, and turn every foreseen error into one sentence and an exit code.

    `told`: whether it is said what the start is busy with.
    """
    debug = "--debug" in words
    try:
        return _dispatch([word for word in words if word != "--debug"], told=told)
    except KeyboardInterrupt as stop:
        terminal.complain(str(stop) or "interrupted.")
        return _exit_code(stop)
    except Exception as error:
        if not _expected(error):
            raise
        if debug:
            traceback.print_exc()
        terminal.complain(str(error))
        return 2 if isinstance(error, ConfigError) else 1


def _dispatch(words: list[str], *, told: bool) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        terminal.say(USAGE)
        return 0
    if words[0] == "--version":
        from reverie import __version__

        terminal.say(f"reverie {__version__}\n")
        return 0
    verb = VERBS.get(words[0])
    if verb is None:
        raise ConfigError(f"there is no verb {words[0]!r}; {suggest(words[0], VERBS)}")
    if words[0] in LEARNING and words[1:] in (["--help"], ["-h"]):
        from reverie.config.overview import page

        terminal.say(page(verb=words[0]))
        return 0
    if words[0] in (*COMPUTING, *READING):
        _import(words[0], told=told)
    return verb(words[1:])


def _import(verb: str, *, told: bool) -> None:
    """Imports JAX, before a configuration is composed, and the parts of configurations.

    What is said of it goes where nobody reads results: only runs have none on the standard output.
    """
    from reverie.machine import inherited

    start = inherited.start_jax if verb in COMPUTING else inherited.import_jax
    write = terminal.say if verb in LEARNING else terminal.mutter
    with startup.phase("imports", shown=told, write=write):
        start()
        importlib.import_module("reverie.config.presets")


def _exit_code(stop: KeyboardInterrupt) -> int:
    """128 and the signal's number, as a shell expects it."""
    from reverie.folder.errors import Stopped

    return stop.exit_code if isinstance(stop, Stopped) else 130


def _expected(error: Exception) -> bool:
    """Whether `error` is one of Reverie's own classes, whose message is meant for the user."""
    return type(error).__module__.split(".")[0] == "reverie"


def _warn(message: Warning | str, category: type, filename: str, lineno: int, *_: Any) -> None:
    """A warning of Reverie's is a sentence for the user; others say where they come from."""
    if Path(filename).is_relative_to(Path(__file__).parent):
        terminal.complain(str(message))
    else:
        terminal.stderr().write(warnings.formatwarning(message, category, filename, lineno))
