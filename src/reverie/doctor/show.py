"""`reverie doctor`: a visit, told on the terminal."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from reverie.bench.options import read_pairs
from reverie.bench.output import check_target, write_json
from reverie.doctor.options import DoctorOptions
from reverie.doctor.sheet import save
from reverie.doctor.visit import Report, examine, file_name, sheet_target
from reverie.watch import terminal

MARKS = {
    "ok": ("fine   ", "green"),
    "note": ("note   ", "yellow"),
    "problem": ("PROBLEM", "bold red"),
}
"""What stands before a finding."""


def run(options: DoctorOptions) -> Report:
    """Examine what `options` name, tell it, write the contact sheet and the JSON file.

    Raises ConfigError for unknown names and impossible files.
    """
    json, sheet, here = check_target(options.json), sheet_target(options.sheet), Path.cwd()
    console = terminal.console()
    with terminal.console(errors=True).status("examining"):
        report = examine(
            options.task,
            preset=options.preset or None,
            size=options.size,
            overrides=read_pairs(options.set),
            steps=options.steps,
            seconds=options.seconds,
        )
    _tell(report, console)
    if report.sheet is not None:
        path = sheet if options.sheet else here / file_name(report.task)
        save(report.sheet, path)
        console.print(Text(f"what the agent sees: {path}"))
    write_json(json, report.as_json())
    count = sum(finding.verdict == "problem" for finding in report.findings)
    verdict = "healthy" if report.healthy else f"{count} problem{'s' if count > 1 else ''}"
    console.print(Text(f"{report.task}: {verdict}", "bold"))
    return report


def _tell(report: Report, console: Console) -> None:
    rows = [(f"{key}", text) for key, text in report.observations.items()]
    _pairs(console, "the agent sees", rows)
    for finding in report.findings:
        mark, style = MARKS[finding.verdict]
        line = (
            Text(mark, style).append(f"  {finding.check:<12}", "dim").append(finding.text, "none")
        )
        console.print(line, soft_wrap=True)
    if report.speed is not None:
        found = report.speed
        _pairs(
            console,
            "speed, random actions",
            [
                ("one, plain loop", f"{found.alone:,.0f} agent steps a second"),
                (f"{found.num} in processes", f"{found.processes:,.0f} together"),
                ("a reset", f"{found.reset * 1000:,.1f} ms"),
            ],
        )
    if report.needs is not None:
        _pairs(console, "a training run would take", report.needs.rows())


def _pairs(console: Console, title: str, rows: list[tuple[str, str]]) -> None:
    width = max((len(name) for name, _ in rows), default=0)
    console.print(Text(title, "bold"))
    for name, text in rows:
        console.print(Text(f"  {name:<{width}}  {text}"), soft_wrap=True)
