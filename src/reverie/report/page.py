"""One or more run folders as one self-contained HTML page."""

import datetime
import functools
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from reverie.report import continual, continual_panels, media, panels, tables
from reverie.report.chart import COLORS
from reverie.report.diagnosis import diagnose
from reverie.report.groups import value_of
from reverie.report.places import without_folders
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
    found = read_runs([Path(folder).expanduser() for folder in folders], refused)
    path = _place(found, None if out is None else Path(out).expanduser())
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
    content = _content(runs) | {"refused": [without_folders(one_line(text)) for text in refused]}
    return environment().get_template("template.html").render(content)


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
    return made


def _content(runs: Sequence[Run]) -> dict[str, Any]:
    """What the template fills in."""
    tasks = sorted({str(run.config.get("task", "?")) for run in runs})
    sequences = continual.outcomes(runs)
    return {
        "title": ", ".join(tasks),
        "subtitle": _subtitle(runs),
        "runs": runs,
        "colors": [index % COLORS for index in range(len(runs))],
        "results": [tables.results(run) for run in runs],
        "diagnoses": [(run.label, sentence) for run in runs for sentence in diagnose(run)],
        "curve": panels.learning_curve(runs),
        "windows": panels.windows(runs),
        "has_eval": any(len(run.get("eval/return").value) for run in runs),
        "sequences": continual_panels.content(sequences),
        "sequence_names": continual_panels.legend(sequences),
        "sequence_headers": continual_panels.HEADERS,
        "sequence_table": continual_panels.table(sequences),
        "sections": panels.sections(runs),
        "dreams": [(run, media.dreams(run), media.vector_dream(run)) for run in runs],
        "undecoded": [
            {"name": run.label, "objective": named}
            for run in runs
            if (named := value_of(run, "world.objective")) != "reconstruction"
        ],
        "episodes": [(run, media.episodes(run)) for run in runs],
        "settings": tables.settings(runs),
        "all_settings": tables.all_settings(runs),
        "made": datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
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
