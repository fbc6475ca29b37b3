"""The command line: one verb, its options, one exit code.

    0 done   1 the run failed   2 the command cannot be understood   130 or 143 interrupted

The only reader of argv. An error that Reverie foresees is one sentence on the error stream;
`--debug` shows its traceback. Nothing here imports JAX before the device is chosen.
"""

import json
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reverie.part.errors import ConfigError, suggest
from reverie.train import interrupt
from reverie.watch import terminal
from reverie.watch.text import visible

if TYPE_CHECKING:
    from reverie.config.preset import Preset

USAGE = """\
usage: reverie VERB [options]        reverie VERB --help

  train TASK            learn a task; the same command with the same folder resumes
  continual NAME|TASKS  learn a sequence of tasks, one after the other
  eval RUN              play episodes with the agent of a run folder
  report RUN ...        one HTML page from one or more run folders
  compare RUN ...       groups of runs over seeds: means, intervals, curves (--by FIELD)
  bench update|act|env|replay  measure an update, acting, an environment, or replay
  doctor TASK           is an environment fit to be learned in, and what will a run need?
  tasks [FILTER]        the tasks, or those whose name contains FILTER
  presets [NAME|FILE]   the presets, or what one of them sets
  presets --save FILE   keep options of train in a file, for --preset FILE

For a start:  reverie train gym:CartPole-v1
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb and returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        _own_the_process(words)
    return _answer(words)


def _own_the_process(words: list[str]) -> None:
    """What only the command may do: choose memory settings, signals and streams of the process."""
    from reverie.machine import allocator

    if words[:1] in (["train"], ["continual"], ["bench"], ["eval"]):
        allocator.restart_with_large_pages()
    interrupt.starting()
    terminal.guard_streams()
    warnings.showwarning = _warn


def _answer(words: list[str]) -> int:
    """Dispatch, and turn every foreseen error into one sentence and an exit code."""
    debug = "--debug" in words
    try:
        return _dispatch([word for word in words if word != "--debug"])
    except KeyboardInterrupt as stop:
        _complain(str(stop) or "interrupted.")
        return _exit_code(stop)
    except Exception as error:
        if not _expected(error):
            raise
        if debug:
            traceback.print_exc()
        _complain(str(error))
        return 2 if isinstance(error, ConfigError) else 1


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        _say(USAGE)
        return 0
    if words[0] == "--version":
        from reverie import __version__

        _say(f"reverie {__version__}\n")
        return 0
    verb = VERBS.get(words[0])
    if verb is None:
        raise ConfigError(f"there is no verb {words[0]!r}; {suggest(words[0], VERBS)}")
    if words[0] in (*COMPUTING, *READING):
        from reverie.machine import inherited

        start = inherited.start_jax if words[0] in COMPUTING else inherited.import_jax
        start()  # before a configuration is composed: its parts import JAX
    return verb(words[1:])


COMPUTING = ("train", "continual", "eval", "bench", "doctor")
"""Verbs that compute with JAX."""
READING = ("report", "compare")
"""Verbs that only read configurations."""


def train(words: list[str]) -> int:
    """`reverie train TASK [--key value ...]`"""
    from reverie.launch import help_text, read

    launch = read(words)
    if launch.help:
        _say(help_text(launch))
        return 0
    config = launch.config()
    from reverie.envs.source import makers
    from reverie.machine.device import prepare

    made_by = makers(launch.task, launch.overrides, json.loads(config.env.kwargs))
    prepare(config.device)
    from reverie.train.loop import train as learn

    interrupt.started()
    back = {} if launch.from_step is None else {"from_step": launch.from_step}
    _say(f"run folder: {learn(config, make_env=made_by, **back)}\n")
    return 0


def continual(words: list[str]) -> int:
    """`reverie continual NAME | TASK TASK ... [--key value ...]`"""
    from reverie.launch import as_sequence

    return train(as_sequence(words))


def evaluate(words: list[str]) -> int:
    """`reverie eval RUN [--episodes N] [--greedy] [--allow MODULE]`"""
    from reverie.config import reader
    from reverie.options import EvalOptions

    words, given = reader.take(words)
    options = _parse(EvalOptions, words, "eval")
    from reverie.api import makers_for
    from reverie.machine.device import prepare
    from reverie.train.stranger import read

    logdir = Path(options.run).expanduser()
    named: Any = options.env[0] if len(options.env) == 1 else {n: n for n in options.env}
    config, ignored = read(logdir, {"device.kind": options.device, **given}, tuple(options.allow))
    made_by = makers_for(config, named or None)
    if ignored:
        _complain(ignored)
    prepare(config.device)
    from reverie.train.evaluate import evaluate_run

    interrupt.started()
    word = {"allow": options.allow, "given": given}
    word = {name: value for name, value in word.items() if value}
    numbers = evaluate_run(logdir, **options.how(), make_env=made_by, **word)
    _table([(name, _number(value)) for name, value in numbers.items()])
    return 0


def report(words: list[str]) -> int:
    """`reverie report RUN ... [--out FILE]`"""
    from reverie.options import ReportOptions

    options = _parse(ReportOptions, words, "report")
    from reverie.report.page import write_report

    interrupt.started()
    runs = [Path(run).expanduser() for run in options.runs]
    out = Path(options.out).expanduser() if options.out else None
    refused: list[str] = []
    page = write_report(runs, out, refused=refused)
    for sentence in refused:
        _complain(f"not shown: {sentence}")
    _say(f"report: {page}\n")
    return 0


def compare(words: list[str]) -> int:
    """`reverie compare RUN ... [--by FIELD[,FIELD]]`"""
    from reverie.options import CompareOptions

    options = _parse(CompareOptions, words, "compare")
    from reverie.report.compare_page import compare_into
    from reverie.report.listing import as_text

    interrupt.started()
    out = None if options.out == "none" else options.out
    found = compare_into(options.runs, options.options(), out)
    _say(as_text(found))
    if found.page is not None:
        _say(f"page: {found.page}\n")
    return 0


def bench(words: list[str]) -> int:
    """`reverie bench update|act|env|replay [...]`"""
    kinds = ("update", "act", "env", "replay")
    if not words or words[0] in ("-h", "--help"):
        _say("usage: reverie bench update|act|env|replay [options]; each shows its own --help.\n")
        return 0
    kind, rest = words[0], words[1:]
    if kind not in kinds:
        raise ConfigError(f"there is no benchmark {kind!r}; {suggest(kind, kinds)}")
    from reverie.bench import options

    if kind == "env":
        chosen = _parse(options.EnvOptions, rest, "bench env")
        from reverie.bench.env import run as run_env

        run_env(chosen)
        return 0
    if kind == "replay":
        drawing = _parse(options.ReplayOptions, rest, "bench replay")
        from reverie.bench.replay import run as run_replay

        run_replay(drawing)
        return 0
    if kind == "update":
        update = _parse(options.UpdateOptions, rest, "bench update")
        _prepare(update.device)
        from reverie.bench.update import run as run_update

        run_update(update)
        return 0
    act = _parse(options.ActOptions, rest, "bench act")
    _prepare(act.device)
    from reverie.bench.act import run as run_act

    run_act(act)
    return 0


def doctor(words: list[str]) -> int:
    """`reverie doctor TASK [...]`; exit code 1 where a problem was found."""
    from reverie.doctor.options import DoctorOptions

    options = _parse(DoctorOptions, words, "doctor")
    _prepare("auto")
    from reverie.doctor.show import run

    interrupt.started()
    return 0 if run(options).healthy else 1


def tasks(words: list[str]) -> int:
    """`reverie tasks [FILTER]`"""
    from reverie.envs.catalog import tasks as all_tasks

    wanted = _one(words, "tasks [FILTER]")
    rows = all_tasks()
    hits = [row for row in rows if wanted.lower() in row.name.lower()]
    if not hits:
        hint = suggest(wanted, [row.name for row in rows])
        hint = hint if hint.startswith("did") else "`reverie tasks` lists all of them."
        raise ConfigError(f"no task contains {wanted!r}; {hint}")
    _table([(row.name, row.meaning) for row in hits])
    return 0


def presets(words: list[str]) -> int:
    """`reverie presets [NAME|FILE]`, `reverie presets --save FILE [TASK] [--key value ...]`"""
    if words and words[0].partition("=")[0] == "--save":
        from reverie.launch import save_preset

        path = save_preset(words)
        _say(f"preset: {path} (use it with --preset {path})\n")
        return 0
    from reverie.config.agents import AGENTS
    from reverie.config.balances import BALANCES
    from reverie.config.benchmarks import BENCHMARKS
    from reverie.config.families import FAMILIES
    from reverie.config.methods import METHODS
    from reverie.config.sequence import SEQUENCES
    from reverie.config.strategies import STRATEGIES

    name = _one(words, "presets [NAME|FILE], or reverie presets --save FILE [TASK] [options]")
    if name:
        from reverie.config.presets import preset_named

        _show_preset(preset_named(name))
        return 0
    plain = {name: preset for name, preset in BENCHMARKS.items() if not preset.agent}
    blocks = {
        f"blocks of {agent} (--agent {agent}; automatic where it has one, else --preset)": {
            name: preset for name, preset in BENCHMARKS.items() if preset.agent == agent
        }
        for agent in AGENTS
    }
    for title, table in (
        ("agents (--agent)", AGENTS),
        ("benchmarks (--preset; a suite's own is automatic)", plain),
        *((title, table) for title, table in blocks.items() if table),
        ("methods (--methods)", METHODS),
        ("loss balance (--balance)", BALANCES),
        ("replay strategies (--replay)", STRATEGIES),
    ):
        _say(f"{title}\n")
        _table([(f"  {preset.name}", preset.doc) for preset in table.values()])
    _say("sequences (reverie continual)\n")
    _table([(f"  {row.name}", row.doc) for row in SEQUENCES.values()])
    _say("sizes (--size), by agent\n")
    _table([(f"  {agent}", ", ".join(family)) for agent, family in FAMILIES.items()])
    return 0


def _show_preset(preset: "Preset") -> None:
    """What a preset sets, and what it adds under single agents."""
    _say(f"{preset.doc}\n")
    size = f"{preset.size} (agent {preset.agent})" if preset.agent else preset.size
    sizes = [("size", size)] if preset.size != "auto" else []
    _table([*sizes, *((path, str(value)) for path, value in preset.edits.items())])
    for agent, edits in preset.by_agent.items():
        _say(f"and under --agent {agent}\n")
        _table([(path, str(value)) for path, value in edits.items()])


VERBS: dict[str, Callable[[list[str]], int]] = {
    "train": train,
    "continual": continual,
    "eval": evaluate,
    "report": report,
    "compare": compare,
    "bench": bench,
    "doctor": doctor,
    "tasks": tasks,
    "presets": presets,
}
"""What `reverie` can do."""


def _parse(kind: type, words: list[str], verb: str) -> Any:
    """The options record `kind` from `words`."""
    import tyro

    return tyro.cli(kind, prog=f"reverie {verb}", args=words, use_underscores=True)


def _prepare(kind: Literal["auto", "cpu", "gpu", "tpu"]) -> None:
    from reverie.config.run import DeviceConfig
    from reverie.machine.device import prepare

    prepare(DeviceConfig(kind=kind))


def _one(words: list[str], usage: str) -> str:
    if any(word.startswith("-") for word in words) or len(words) > 1:
        raise ConfigError(f"usage: reverie {usage}; found {' '.join(words)!r}.")
    return words[0] if words else ""


def _exit_code(stop: KeyboardInterrupt) -> int:
    """128 and the signal's number, as a shell expects it."""
    from reverie.folder.errors import Stopped

    return stop.exit_code if isinstance(stop, Stopped) else 130


def _expected(error: Exception) -> bool:
    """Whether `error` is one of Reverie's own classes, whose message is meant for the user."""
    return type(error).__module__.split(".")[0] == "reverie"


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _table(rows: Sequence[tuple[str, str]]) -> None:
    width = max((len(name) for name, _ in rows), default=0)
    _say("".join(f"{name:<{width}}  {text}\n" for name, text in rows))


def _say(text: str) -> None:
    out = terminal.stdout()
    out.write(visible(text))
    out.flush()


def _complain(text: str) -> None:
    terminal.stderr().write(f"reverie: {visible(text)}\n")


def _warn(message: Warning | str, category: type, filename: str, lineno: int, *_: Any) -> None:
    """A warning of Reverie's is a sentence for the user; others say where they come from."""
    if Path(filename).is_relative_to(Path(__file__).parent):
        _complain(str(message))
    else:
        terminal.stderr().write(warnings.formatwarning(message, category, filename, lineno))
