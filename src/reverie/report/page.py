"""One or more run folders as one self-contained HTML page."""

import datetime
import functools
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from reverie.folder.address import local_path
from reverie.folder.mirror import run_path
from reverie.report import continual, continual_panels, curves, media, panels, tables
from reverie.report.diagnosis import diagnose
from reverie.report.groups import value_of
from reverie.report.levels import levels
from reverie.report.places import value_without_folders, without_folders
from reverie.report.read import ReportError, Run, read_runs
from reverie.watch.text import one_line

NAME = "report.html"


def write_report(
    runs: str | os.PathLike | Sequence[str | os.PathLike],
    out: str | os.PathLike | None = None,
    refused: list[str] | None = None,
) -> Path:
    """Write the page and return where it is.

    The page needs no network and no other file: pictures, videos, styles and the script are in it.
    It appears whole; a page that was there before is replaced.

    Args:
        runs: a run folder or several, which are overlaid and their configurations compared.
        out: the file, or a folder that will hold `report.html`. None: the run folder itself, or
            the closest folder that holds all of several runs.
        refused: takes a sentence on each folder that is not shown, as the page does.

    Raises ReportError if no folder can be shown or the page cannot be written.
    """
    refused = [] if refused is None else refused
    folders = [runs] if isinstance(runs, str | os.PathLike) else list(runs)
    found = read_runs([run_path(folder) for folder in folders], refused)
    path = _place(found, None if out is None else local_path(out, "out"))
    write_whole(path, render(found, refused))
    return path


def write_whole(path: Path, text: str) -> None:
    """Write a text file that appears whole, in a folder that is made if there is none.

    Raises ReportError if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".report-", dir=path.parent)
        partial = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            partial.chmod(0o644)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(
            f"cannot write {path}: {error.strerror}; name another place with --out."
        ) from error


def render(runs: Sequence[Run], refused: Sequence[str] = ()) -> str:
    """The page as text; `refused` are sentences on folders that are not shown."""
    told = about(runs, refused)
    content = (
        told
        | measured(runs, panels.constants(runs), sequences(runs), told["settings"])
        | filmed(runs)
        | {"curve": panels.learning_curve(runs), "nonce": ""}
        | {"data": as_script(curves.embedded(runs)), "live": False}
    )
    return environment().get_template("template.html").render(content)


def live(nonce: str) -> str:
    """The page of runs that go on, without anything in it yet: its script asks a server."""
    nothing = as_script({"runs": [], "levels": [], "curves": {}})
    content = {"title": "", "blocks": BLOCKS, "nonce": nonce, "data": nothing, "live": True}
    return environment().get_template("template.html").render(content)


BLOCKS = (
    *("head", "notes", "trouble", "curve", "table", "sequences"),
    *("dreams", "episodes", "sections", "settings", "made"),
)
"""The parts of a page, in their order: `blocks/NAME.html` each."""


def block(name: str, content: Mapping[str, Any]) -> str:
    """One part of a page."""
    return environment().get_template(f"blocks/{name}.html").render(content)


def as_script(value: Any) -> Markup:
    """A value as JSON that can stand in a script element."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


@functools.cache
def environment() -> jinja2.Environment:
    """The templates of this folder: values are escaped, a missing one is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters["one_line"] = one_line
    made.filters["without_folders"] = without_folders
    made.filters["value_without_folders"] = value_without_folders
    return made


def about(runs: Sequence[Run], refused: Sequence[str] = ()) -> dict[str, Any]:
    """What the templates fill in of configurations and folders."""
    every = tables.all_settings(runs) if runs else []
    return {
        "title": ", ".join(sorted({str(run.config.get("task", "?")) for run in runs})),
        "subtitle": _subtitle(runs),
        "blocks": BLOCKS,
        "runs": runs,
        "ids": list(range(len(runs))),
        "waiting": [],
        "refused": [without_folders(one_line(text)) for text in refused],
        "settings": tables.settings(every),
        "all_settings": every,
        "made": datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
    }


def measured(
    runs: Sequence[Run],
    steady: Mapping[str, float | None],
    found: Mapping[str, Any],
    differing: Sequence[tables.Setting],
) -> dict[str, Any]:
    """What they fill in of metrics; `steady` as `panels.constants`, `found` as `sequences`,
    `differing` as `tables.settings`."""
    results = [tables.results(run) for run in runs]
    return {
        "results": results,
        "standings": tables.standings(runs, results, differing),
        "diagnoses": [(run.label, sentence) for run in runs for sentence in diagnose(run)],
        "windows": panels.windows([len(run.get("episode/return").value) for run in runs]),
        "has_returns": any(name in steady for name in ("episode/return", "eval/return")),
        "has_eval": "eval/return" in steady,
        "levels": levels(runs),
        "sections": panels.sections(runs, steady),
        **found,
    }


def sequences(runs: Sequence[Run]) -> dict[str, Any]:
    """What they fill in of runs over sequences of tasks."""
    found = continual.outcomes(runs)
    return {
        "sequences": continual_panels.content(found),
        "sequence_names": continual_panels.legend(found),
        "sequence_headers": continual_panels.HEADERS,
        "sequence_table": continual_panels.table(found),
    }


def filmed(runs: Sequence[Run], link: media.Link | None = None) -> dict[str, Any]:
    """What they fill in of films and pictures; `link` as in `media.dreams`."""
    return {
        "dreams": [(run, media.dreams(run, link), media.vector_dream(run)) for run in runs],
        "undecoded": [
            {"name": run.label, "objective": named}
            for run in runs
            if (named := value_of(run, "world.objective")) != "reconstruction"
        ],
        "episodes": [(run, media.episodes(run, link)) for run in runs],
    }


def _subtitle(runs: Sequence[Run]) -> str:
    """Agent, size and seed where all runs agree, and how many runs there are."""
    parts = [f"{len(runs)} runs"] if len(runs) > 1 else []
    for name, words in (("agent", "agent {}"), ("size", "size {}"), ("seed", "seed {}")):
        values = {run.config.get(name) for run in runs}
        if len(values) == 1 and None not in values:
            parts.append(words.format(*values))
    if len(runs) == 1:
        parts += [f"{name} {value}" for name, value in runs[0].facts]
    return " · ".join(parts)


def _place(runs: Sequence[Run], out: Path | None) -> Path:
    """Where the page goes."""
    if out is None:
        folder = Path(os.path.commonpath([run.path for run in runs]))
        return folder / NAME
    return Path(out) / NAME if Path(out).is_dir() else Path(out)
