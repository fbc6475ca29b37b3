"""`reverie sweep`: begin or go on, status, resume, cancel."""

import difflib
from typing import Any

from reverie.folder.address import local_path
from reverie.part.errors import ConfigError, suggest
from reverie.watch import terminal

USAGE = """\
usage: reverie sweep TASK ... [options]     tasks x settings x seeds, each a run of its own
       reverie sweep PLAN.toml [options]    the same from a file
       reverie sweep status DIR             what became of the trials
       reverie sweep resume DIR             go on (--failed: failed trials get their tries again)
       reverie sweep cancel DIR             end what runs, after it was saved

"""
ACTIONS = ("status", "resume", "cancel")


def sweep(words: list[str]) -> int:
    """`reverie sweep TASK ... [--seeds N] [--vary KEY=A,B]`; exit code 1 where a trial failed."""
    if not words or {"-h", "--help"} & {*words}:
        terminal.say(USAGE)
        _help()
        return 0
    if words[0] in ACTIONS:
        return _act(words[0], words[1:])
    near = difflib.get_close_matches(words[0], ACTIONS, n=1)
    if near and words[0].isalpha():  # the name of a task has a suite
        raise ConfigError(f"there is no task {words[0]!r}; did you mean `reverie sweep {near[0]}`?")
    from reverie.api.sweep_plan import compose
    from reverie.api.sweep_runs import run
    from reverie.api.sweep_words import split

    asked = compose(split(words))
    terminal.say(f"sweep folder: {asked.folder}\n")
    return _close(run(asked, terminal.say))


def _help() -> None:
    """The options of the sweep itself."""
    from reverie.part.tree import docs_of
    from reverie.sweeps.options import SweepOptions

    docs = docs_of(SweepOptions)
    terminal.table([(f"--{name}", docs[name]) for name in docs if name != "tasks"])
    terminal.say("\nAll other options are those of `reverie train`, for every trial.\n")


def _act(action: str, words: list[str]) -> int:
    flags = {"resume": ("--failed",)}.get(action, ())
    folders = [word for word in words if not word.startswith("--")]
    for word in words:
        if word.startswith("--") and word not in flags:
            known = suggest(word, flags) if flags else "it takes none."
            raise ConfigError(f"reverie sweep {action} has no option {word}; {known}")
    if len(folders) != 1:
        found = " and ".join(folders) or "none"
        raise ConfigError(f"reverie sweep {action} takes one sweep folder, found {found}.")
    folder = local_path(folders[0], f"reverie sweep {action}").absolute()
    from reverie.sweeps import control, show

    if action == "resume":
        from reverie.api.sweep_runs import backend_of

        failed = "--failed" in words
        return _close(control.resume(folder, backend_of, terminal.say, failed=failed))
    if action == "status":
        found = control.status(folder)
        terminal.table(show.table(found))
    else:
        found = control.cancel(folder)
    terminal.say(f"sweep: {show.counts(found)}\n")
    return 0


def _close(found: Any) -> int:
    from reverie.sweeps import search, show

    best = search.OptunaSearch(found.folder, found.plan).best() if found.plan.search else None
    terminal.say("\n".join(show.closing_lines(found, best)) + "\n")
    return 0 if found.count("finished", "pruned") == len(found.entries) else 1
