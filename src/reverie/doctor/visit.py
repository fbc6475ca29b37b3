"""A visit to the doctor: all checks in order, and what they said."""

import contextlib
import dataclasses
import functools as ft
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.doctor import manners, seeds
from reverie.doctor import play as plays
from reverie.doctor.bands import captioned, describe, full_sheet
from reverie.doctor.finding import Finding, failure, note, ok, problem
from reverie.doctor.sheet import contact_sheet, stacked
from reverie.doctor.speed import Speed, measure
from reverie.envs.base import Env
from reverie.envs.faults import contained
from reverie.envs.make import make, maker
from reverie.envs.source import Given, MakeEnv, source_of
from reverie.folder.address import local_path
from reverie.part.errors import ConfigError


@dataclass(frozen=True)
class Report:
    """What the doctor found. `healthy` where there is no problem."""

    task: str
    findings: tuple[Finding, ...]
    observations: Mapping[str, str]
    speed: Speed | None = None
    needs: Any = None
    """A `needs.Needs`, or None where nothing was planned."""
    sheet: np.ndarray | None = None
    """Contact sheet, uint8 (H, W, 3)."""

    @property
    def healthy(self) -> bool:
        """No problem was found; notes may be."""
        return all(finding.verdict != "problem" for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Everything but the contact sheet, as plain values."""
        return {
            "task": self.task,
            "healthy": self.healthy,
            "findings": [dataclasses.asdict(finding) for finding in self.findings],
            "observations": dict(self.observations),
            "speed": self.speed and self.speed._asdict(),
            "needs": self.needs and self.needs._asdict(),
        }


def examine(
    task: Given,
    *,
    preset: str | None = None,
    size: str = "auto",
    overrides: Mapping[str, Any] | None = None,
    steps: int = 1000,
    seconds: float = 1.0,
) -> Report:
    """Checks an environment the way a run will use it.

    Args:
        task: a task's name, `MODULE:FUNCTION`, or a callable that returns a gymnasium.Env.
        preset: benchmark preset, or a file of the user's own; None takes the one of the task's
            suite.
        size: model size of the planned run.
        overrides: dotted path -> value, as for `reverie.train`.
        steps: steps that are watched.
        seconds: length of each measurement of speed; 0 measures none and plans nothing.

    Raises ConfigError for unknown names. What is wrong with the environment is reported.
    """
    found = source_of(task)
    name, source = found.task, found.make_env or found.task
    config = resolve(name, size=size, preset=preset, overrides=overrides)
    found.check_kwargs(json.loads(config.env.kwargs))
    build = ft.partial(make, source, config.env)
    try:
        with contained():
            fatal = seeds.check_survival(maker(source, config.env), steps, config.env.timeout)
            if fatal:
                return Report(name, tuple(fatal), {})
            env = build()
    except Exception as error:
        return Report(name, (failure("making", error, ""),), {})
    findings = [ok("making", "made.")] + [note("conversion", text) for text in env.notices]
    seen = {key: describe(spec) for key, spec in env.obs_specs.items()}
    play = plays.watch_episodes(env, steps)
    findings += play.findings or [ok("contract", f"kept at every one of {steps} steps.")]
    findings += plays.judge_observations(play) + plays.judge_rewards(play)
    sheet = _sheet(env, play)
    if any(found.check == "episodes" for found in play.findings):
        return _leave(env, Report(name, tuple(findings), seen, sheet=sheet))
    findings += plays.judge_ends(play, steps) + manners.check_extremes(env)
    with contextlib.suppress(Exception), contained():
        env.close()  # what it raises is told by the check of closing
    findings += _more_exams(source, config, build)
    report = Report(name, tuple(findings), seen, sheet=sheet)
    return _measured(report, source, config, build, seconds) if seconds else report


def _more_exams(source: str | MakeEnv, config: Config, build: Callable[[], Env]) -> list[Finding]:
    """Seeds, processes, rendering, closing; a check that fails outright is a finding as well."""
    found: list[Finding] = []
    checks: dict[str, Callable[[], list[Finding]]] = {
        "seeds": lambda: seeds.check_seeds(build),
        "processes": lambda: seeds.check_process(
            maker(source, config.env),
            config.env.timeout,
            compare=all(finding.verdict != "problem" for finding in found),
        ),
        "rendering": lambda: manners.check_render(
            ft.partial(make, source, config.env, render=True)
        ),
        "close": lambda: manners.check_close(build),
    }
    for name, check in checks.items():
        try:
            with contained():
                found += check()
        except Exception as error:
            found.append(failure(name, error, ""))
    return found


def _measured(
    report: Report, source: str | MakeEnv, config: Config, build: Callable, seconds: float
) -> Report:
    try:
        with contained():
            found = measure(
                maker(source, config.env),
                num=config.env.num,
                seconds=seconds,
                parallel=config.env.parallel,
                backend=config.env.backend,
                workers=config.env.workers,
            )
            env = build()
            specs = env.obs_specs, env.action_specs
            env.close()
        from reverie.doctor.needs import complete, predict

        needs = predict(complete(config, specs[0]), *specs, found.processes)
    except Exception as error:
        wrong = failure("planning", error, "")
        return dataclasses.replace(report, findings=(*report.findings, wrong))
    more = _judge_memory(needs, found)
    return dataclasses.replace(report, findings=(*report.findings, *more), speed=found, needs=needs)


def _judge_memory(needs: Any, found: Speed) -> list[Finding]:
    more = []
    if needs.free_bytes is not None and needs.replay_bytes > 0.75 * needs.free_bytes:
        more.append(
            problem(
                "memory",
                f"the replay would take {needs.replay_bytes / 1e9:.1f} GB of "
                f"{needs.free_bytes / 1e9:.1f} GB free: lower --replay.capacity or --steps.",
            )
        )
    if needs.env_seconds > needs.learn_seconds:
        more.append(
            note("speed", "stepping takes longer than learning: more environments side by side "
                 f"(--env.num, now {found.num}) help as long as there are cores.")
        )  # fmt: skip
    return more


def _leave(env: Env, report: Report) -> Report:
    try:
        with contained():
            env.close()
    except Exception as error:
        wrong = failure("close", error, "Let close() be called after any step.")
        return dataclasses.replace(report, findings=(*report.findings, wrong))
    return report


def _sheet(env: Env, play: plays.Play) -> np.ndarray | None:
    """Every key of the observation; of an environment without pictures a picture of it as well."""
    rows, last = [row[0] for row in play.rows], [row[3] for row in play.rows]
    begins = [place + 1 for place, ended in enumerate(last) if ended]
    bands = [full_sheet(env.obs_specs, rows, begins)]
    if all(spec.kind != "image" for spec in env.obs_specs.values()):
        try:
            with contained():
                picture = env.render()
        except Exception:  # the exam of rendering tells why
            picture = None
        if picture is not None:
            text = "the environment, as it draws itself for people: the agent does not see it"
            bands.append(captioned(text, contact_sheet([picture])))
    return stacked([band for band in bands if band is not None])


def file_name(task: str) -> str:
    """`doctor-TASK.png` with nothing in it that a file system minds."""
    return f"doctor-{re.sub(r'[^A-Za-z0-9_.-]+', '-', task)}.png"


def sheet_target(path: str) -> Path:
    """The file for the contact sheet. Raises ConfigError where its folder does not exist."""
    target = local_path(path, "the contact sheet").absolute()
    if path and not target.parent.is_dir():
        raise ConfigError(f"--sheet {path!r}: there is no folder {str(target.parent)!r}.")
    return target
