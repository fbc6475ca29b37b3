"""The verbs of the command line: each takes the words after it and gives an exit code."""

import contextlib
import functools as ft
import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reverie.folder.address import is_url, local_path
from reverie.listings import completion, presets, tasks
from reverie.part.errors import ConfigError, suggest
from reverie.publish import export, parse, pull, push, start_on
from reverie.sweep_verb import sweep
from reverie.train import interrupt
from reverie.watch import terminal

if TYPE_CHECKING:
    from reverie.api.following import Following
    from reverie.api.seeds import Learn
    from reverie.config.schema import Config
    from reverie.launch import Launch
    from reverie.train.sequence import MakeEnv

LEARNING = ("train", "continual")
"""Verbs that begin or resume a run."""
COMPUTING = (*LEARNING, "eval", "dream", "bench", "doctor", "export", "push")
"""Verbs that compute with JAX."""
READING = ("report", "compare", "sweep")
"""Verbs that only read configurations."""


def train(words: list[str]) -> int:
    """`reverie train TASK [--key value ...]`"""
    from reverie.launch import help_text, read

    launch = read(words)
    if launch.help:
        terminal.say(help_text(launch))
        return 0
    config = launch.config()
    from reverie.envs.importing import is_path_to_object
    from reverie.envs.source import asked, makers
    from reverie.machine import cluster
    from reverie.machine.device import prepare

    made_by = makers(launch.task, launch.overrides, json.loads(config.env.kwargs))
    own = [*filter(is_path_to_object, asked(launch.task, launch.overrides))]
    cluster.join(config.device)
    prepare(config.device)
    from reverie.train.loop import train as learn

    interrupt.started()
    given = {"from_step": launch.from_step, "init": launch.init}
    back: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    run = ft.partial(learn, make_env=made_by, **back)
    from reverie.api import ending, following

    then = ft.partial(following.commands, config=config, words=["train", *words], own=own)
    if launch.seeds:
        return 1 if _learn_seeds(launch, config, made_by, run, then) else 0
    logdir = run(config)
    ending.end(config, logdir, then)
    if not cluster.follows():
        terminal.say(f"run folder: {config.logdir if is_url(config.logdir) else logdir}\n")
    return 0


def _learn_seeds(
    launch: "Launch", config: "Config", made_by: "MakeEnv", run: "Learn", then: "Following"
) -> int:
    """Learns several seeds, together or one after another; the number that failed."""
    from reverie.api.seeds import configs_of, learn_all, tell_all

    configs = configs_of(config, launch.seeds)
    if not launch.together or len(configs) == 1:
        return learn_all(configs, run, then)
    from reverie.train.group.train import train as learn_together

    return tell_all(learn_together(configs, made_by, init=launch.init), then, told=True)


def continual(words: list[str]) -> int:
    """`reverie continual NAME | TASK TASK ... [--key value ...]`"""
    from reverie.launch import as_sequence

    return train(as_sequence(words))


def evaluate(words: list[str]) -> int:
    """`reverie eval RUN [--episodes N] [--greedy] [--allow MODULE] [--json] [--video DIR]`"""
    from reverie.config import reader
    from reverie.options import EvalOptions

    words, given = reader.take(words)
    options = parse(EvalOptions, words, "eval")
    with terminal.unheard() if options.json else contextlib.nullcontext():
        told, numbers, films = _evaluated(options, given)
    if options.json:
        found = told | {name: _finite(value) for name, value in numbers.items()}
        found |= {"videos": films} if options.video else {}
        terminal.say(json.dumps(found, indent=2) + "\n")
        return 0
    terminal.table([(name, _number(value)) for name, value in numbers.items()])
    terminal.say("".join(f"film: {film}\n" for film in films))
    return 0


def _evaluated(options: Any, given: dict[str, str]) -> tuple[dict[str, Any], dict, list[str]]:
    """What was played, its numbers, and the files of the films."""
    from reverie.api import makers_named
    from reverie.folder.mirror import run_path
    from reverie.machine.device import prepare
    from reverie.train import chosen, weights
    from reverie.train.stranger import read

    chosen.as_name(options.checkpoint)
    films = local_path(options.video, "--video")
    logdir = run_path(options.run)
    config, ignored = read(logdir, {"device.kind": options.device, **given}, tuple(options.allow))
    made_by = makers_named(config, options.env)
    if ignored:
        terminal.complain(ignored)
    prepare(config.device)
    from reverie.train.evaluate import evaluate_run

    interrupt.started()
    word: dict[str, Any] = {"allow": options.allow, "given": given}
    word = {name: value for name, value in word.items() if value}
    told: dict[str, Any] = {"run": options.run, "task": config.task}
    if options.json:
        word["at"] = chosen.choose(logdir, options.checkpoint)
        told["step"] = weights.step_of(word["at"])
    if options.video:
        from reverie.watch.film import Films

        word["films"] = Films(films)
    numbers = evaluate_run(logdir, **(options.how() | word), make_env=made_by)
    written = word["films"].written if options.video else []
    return told, numbers, [str(film) for film in written]


def report(words: list[str]) -> int:
    """`reverie report RUN ... [--out FILE | --live [--port N] [--host ADDRESS]]`"""
    from reverie.options import ReportOptions

    options = parse(ReportOptions, words, "report")
    if options.live:
        from reverie.live import show

        show.run([local_path(run, "reverie report --live") for run in options.runs], options)
        return 0
    from reverie.folder.mirror import run_path
    from reverie.report.page import write_report

    interrupt.started()
    runs = [run_path(run) for run in options.runs]
    out = local_path(options.out, "--out") if options.out else None
    refused: list[str] = []
    page = write_report(runs, out, refused=refused)
    for sentence in refused:
        terminal.complain(f"not shown: {sentence}")
    terminal.say(f"report: {page}\n")
    return 0


def compare(words: list[str]) -> int:
    """`reverie compare RUN ... [--by FIELD[,FIELD]]`"""
    from reverie.options import CompareOptions

    options = parse(CompareOptions, words, "compare")
    from reverie.report.compare_page import compare_into
    from reverie.report.listing import as_text

    interrupt.started()
    out = None if options.out == "none" else options.out
    found = compare_into(options.runs, options.options(), out)
    terminal.say(as_text(found))
    if found.page is not None:
        terminal.say(f"page: {found.page}\n")
    return 0


def bench(words: list[str]) -> int:
    """`reverie bench update|launches|act|env|replay [...]`"""
    kinds = ("update", "launches", "act", "env", "replay")
    if not words or words[0] in ("-h", "--help"):
        terminal.say(f"usage: reverie bench {'|'.join(kinds)} [options]; each has a --help.\n")
        return 0
    kind, rest = words[0], words[1:]
    if kind not in kinds:
        raise ConfigError(f"there is no benchmark {kind!r}; {suggest(kind, kinds)}")
    from reverie.bench import options

    match kind:
        case "env":
            chosen = parse(options.EnvOptions, rest, "bench env")
            from reverie.bench.env import run as run_env

            run_env(chosen)
        case "replay":
            chosen = parse(options.ReplayOptions, rest, "bench replay")
            from reverie.bench.replay import run as run_replay

            run_replay(chosen)
        case "launches":
            chosen = parse(options.LaunchOptions, rest, "bench launches")
            start_on("cpu")
            from reverie.bench.launches import run as run_launches

            run_launches(chosen)
        case "act":
            chosen = parse(options.ActOptions, rest, "bench act")
            start_on(chosen.device)
            from reverie.bench.act import run as run_act

            run_act(chosen)
        case _:
            chosen = parse(options.UpdateOptions, rest, "bench update")
            start_on(chosen.device, options.read_changes(chosen.set))
            from reverie.bench.update import run as run_update

            run_update(chosen)
    return 0


def doctor(words: list[str]) -> int:
    """`reverie doctor TASK [...]`; exit code 1 where a problem was found."""
    from reverie.doctor.options import DoctorOptions

    options = parse(DoctorOptions, words, "doctor")
    start_on("auto")
    from reverie.doctor.show import run

    interrupt.started()
    return 0 if run(options).healthy else 1


def dream(words: list[str]) -> int:
    """`reverie dream RUN [--port N] [--host ADDRESS]`"""
    from reverie.config import reader
    from reverie.dream.options import DreamOptions

    words, given = reader.take(words)
    options = parse(DreamOptions, words, "dream")
    from reverie.api import makers_named
    from reverie.dream import show
    from reverie.folder.mirror import run_path
    from reverie.machine.device import prepare
    from reverie.train import chosen
    from reverie.train.stranger import read
    from reverie.web.show import check_packages

    check_packages("the inspector")
    chosen.as_name(options.checkpoint)
    logdir = run_path(options.run, replay=True)
    config, ignored = read(logdir, {"device.kind": options.device, **given}, tuple(options.allow))
    made_by = makers_named(config, options.env)
    if ignored:
        terminal.complain(ignored)
    prepare(config.device)
    show.run(show.open_run(logdir, options, config, made_by, given), options)
    return 0


VERBS: dict[str, Callable[[list[str]], int]] = {
    "train": train,
    "continual": continual,
    "eval": evaluate,
    "report": report,
    "compare": compare,
    "export": export,
    "dream": dream,
    "push": push,
    "pull": pull,
    "bench": bench,
    "doctor": doctor,
    "sweep": sweep,
    "tasks": tasks,
    "presets": presets,
    "completion": completion,
}
"""What `reverie` can do."""


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _finite(value: Any) -> Any:
    """What JSON can say: it knows no NaN and no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
