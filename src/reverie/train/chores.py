"""What is due between two turns of the loop: logging, saving, evaluation, dreams, a video."""

from typing import TYPE_CHECKING, Any

import jax

from reverie.machine.readings import machine_readings
from reverie.replay.shares import merged
from reverie.train import dream, heldout
from reverie.train.interrupt import Interrupt
from reverie.train.learner import DREAM, purpose_key
from reverie.watch.advice import unseen_keys

if TYPE_CHECKING:
    from reverie.train.loop import Run

LONG = 10_000
"""Agent steps of an environment after which it is worth a word that no episode has ended."""


def due_since(run: "Run", before: int) -> list[str]:
    """What has become due since step `before`, in order; all at the end."""
    options, ended = run.config.train, run.step >= run.config.steps
    due = {
        "log": ended or crossed(before, run.step, options.log_every),
        "save": ended,  # what was learned, before anything else can go wrong
        "evaluate": ended or crossed(before, run.step, options.eval_every),
        "dream": ended or crossed(before, run.step, options.report_every),
        "film": crossed(before, run.step, options.video_every),
    }
    return [chore for chore, is_due in due.items() if is_due]


def do(run: "Run", chore: str, interrupt: Interrupt) -> None:
    """Do one of the things that `due_since` names; of several processes the first one alone shows
    what was learned."""
    if run.peers.index and chore not in ("log", "save"):
        return
    match chore:
        case "log":
            _log_means(run)
        case "save":
            run.save()
        case "evaluate":
            _evaluate(run, interrupt)
        case "dream":
            _dream(run)
        case "film":
            run.recorder.begin()


def _log_means(run: "Run") -> None:
    for note in run.replay.notes(run.config.train.batch * run.config.train.length):
        run.progress.note(note)
    _warn_of_no_end(run, LONG)
    told = run.peers.gather([run.replay.stats(), run.restarted + run.envs.restarted])
    scalars = run.mean.pop() | merged([stats for stats, _ in told])
    scalars["env/restarts"] = sum(restarts for _, restarts in told)
    if run.config.sequence.tasks:
        scalars["sequence/visit"] = run.visit
    times = run.stopwatch.lap(run.step, run.updates)
    scalars |= times | machine_readings()
    run.log(scalars)
    run.callbacks.metrics(scalars)


def _warn_of_no_end(run: "Run", least: int) -> None:
    """Say once that no episode has ended, after `least` steps or more of each environment."""
    steps = run.step // run.num
    if run.ended or run.config.env.limit or run.warned or steps < least:
        return
    run.warned = True
    run.progress.note(
        f"no episode has ended in the first {steps:,} steps of each environment: if they never "
        "end, an evaluation waits for ever; give them a limit with --env.limit N."
    )


def _evaluate(run: "Run", interrupt: Interrupt) -> None:
    if not run.config.train.eval_episodes:
        return
    _warn_of_no_end(run, 1)
    run.learner.check()
    with run.phase("evaluating"):
        played = run.evaluator(
            run.learner.newest,
            stop=lambda: interrupt.asked,
            watch=run.visits[run.visit].task,
        )
        if played is None:
            run.chores.insert(0, "evaluate")  # a signal came; the resumed run begins it anew
            return
        numbers = played.numbers | _foreseen(run, played.rows)
    run.restarted += int(numbers["eval/restarts"])
    run.log(numbers)
    run.callbacks.evaluation(numbers)
    run.show("eval", played.frames)


def _foreseen(run: "Run", rows: dict[str, Any] | None) -> dict[str, float]:
    """What the model foresees of `rows` that were played, beside its replay, where both have as
    many as a report is made of."""
    replayed = None if rows is None else _replayed(run)
    if rows is None or replayed is None:
        return {}
    how = {"key": _dream_key(run), "config": run.config}
    return heldout.told(run.learner.agent, rows, replayed, **how)


def _dream(run: "Run") -> None:
    run.learner.check()
    with run.phase("dreaming"):
        rows = _replayed(run)
        if rows is None:
            return
        how = {"key": _dream_key(run), "config": run.config, "logger": run.logger}
        told = dream.report(run.learner.agent, rows, run.step, **how)
    if told:
        run.log(told)
    _warn_of_unseen(run, told)


def _replayed(run: "Run") -> dict[str, Any] | None:
    """Sequences of the replay that a report is made of; None where they are too short for it."""
    length = run.config.replay.context + run.config.train.report_length
    if not run.replay.num_windows_of(length):
        return None
    if run.device is not None:
        run.device.bring_home()
    return run.replay.peek(dream.SEQUENCES, run.step, length=length)


def _dream_key(run: "Run") -> Any:
    return jax.random.fold_in(purpose_key(run.config.seed, DREAM), run.step)


def _warn_of_unseen(run: "Run", told: dict[str, float]) -> None:
    """Say once of every observation key that its latents tell next to nothing of it."""
    for key, sentence in unseen_keys(told, run.updates).items():
        if key not in run.unseen:
            run.progress.note(sentence)
            run.unseen.add(key)


def crossed(before: int, now: int, every: int) -> bool:
    """Whether a multiple of `every` lies in (before, now]; never for 0."""
    return every > 0 and now // every > before // every
