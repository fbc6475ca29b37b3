"""What a reader of a comparison must know: seeds, lengths, and what else differs."""

from collections import Counter
from collections.abc import Mapping, Sequence

from reverie.report.align import end_of
from reverie.report.groups import (
    OWN,
    Group,
    differences,
    listed,
    seed_of,
    task_of,
    text,
    value_of,
)
from reverie.report.read import Run

FEW = 5


def remarks(
    runs: Sequence[Run], groups: Sequence[Group], fields: Sequence[str], ends: Mapping[str, float]
) -> list[str]:
    """Sentences on the runs that are compared.

    Args:
        fields: dotted paths that make the groups.
        ends: last compared step by task ("" for all tasks together).
    """
    return [
        *(f"{run.label}: {note}" for run in runs for note in run.notes),
        *_inside(groups, fields),
        *_between(groups, fields),
        *_seeds(groups, fields),
        *_lengths(runs, ends),
        *_few(groups, fields),
    ]


def _inside(groups: Sequence[Group], fields: Sequence[str]) -> list[str]:
    """Groups whose runs are not repetitions of one another."""
    notes = []
    for group in groups:
        own = _differing(group.runs, fields)
        if own:
            named = [f"{path} ({_values(group.runs, path)})" for path in own]
            notes.append(
                f"The runs of {group.name} differ in more than the seed: {listed(named)}. Name "
                "what matters in --by."
            )
    return notes


def _between(groups: Sequence[Group], fields: Sequence[str]) -> list[str]:
    """Fields that go along with the groups."""
    runs = [run for group in groups for run in group.runs]
    inside = {path for group in groups for path in _differing(group.runs, fields)}
    told = tuple(f"{field}." for field in fields)  # a section's own fields
    along = [path for path in _differing(runs, fields) if not path.startswith(told or "\0")]
    along = [path for path in along if path not in inside]
    if not along or len(groups) < 2:
        return []
    return [f"The groups also differ in {listed(along)}."]


def _differing(runs: Sequence[Run], fields: Sequence[str]) -> list[str]:
    """Fields that differ among `runs` of one task, beside `fields` and what is told elsewhere."""
    found: dict[str, None] = {}
    tasks = {task_of(run) for run in runs}
    for task in tasks if "task" not in fields else [None]:
        part = [run for run in runs if task is None or task_of(run) == task]
        found |= dict.fromkeys(differences(part))
    return [path for path in found if path not in (*OWN, *fields)]


def _values(runs: Sequence[Run], path: str) -> str:
    return listed([text(value) for value in dict.fromkeys(value_of(run, path) for run in runs)], 4)


def _seeds(groups: Sequence[Group], fields: Sequence[str]) -> list[str]:
    """Seeds that a group lacks, and seeds that it has twice."""
    notes = []
    for task in _tasks(groups, fields):
        have = {group.name: [seed_of(run) for run in _of(group, task)] for group in groups}
        every = sorted({seed for seeds in have.values() for seed in seeds})
        where = f" on {task}" if task else ""
        for name, seeds in have.items():
            if not seeds:
                notes.append(f"{name} has no run{where}.")
                continue
            missing = [str(seed) for seed in every if seed not in seeds]
            if missing:
                notes.append(f"{name} lacks {_plural('seed', missing)}{where}.")
            twice = [str(seed) for seed, count in Counter(seeds).items() if count > 1]
            if twice:
                notes.append(
                    f"{name} holds {_plural('seed', twice)} more than once{where}; each run counts."
                )
    return notes


def _lengths(runs: Sequence[Run], ends: Mapping[str, float]) -> list[str]:
    """Where the comparison stops, and which runs are not at their own end."""
    notes = []
    for task, end in ends.items():
        part = [run for run in runs if not task or task_of(run) == task]
        lasts = {run.label: max(end_of(s) for s in run.series.values()) for run in part}
        longest = max(lasts.values())
        if longest > end * 1.01:
            short = min(lasts, key=lambda label: lasts[label])
            where = f" on {task}" if task and len(ends) > 1 else ""
            stop = (
                f"the shortest ({short}) ends there; --until STEP compares later and leaves "
                "shorter runs out"
                if lasts[short] <= end * 1.01
                else "as asked for"
            )
            notes.append(
                f"The runs{where} reach up to step {longest:,.0f} and are compared up to "
                f"{end:,.0f}: {stop}."
            )
        open_runs = [
            f"{run.label} ({lasts[run.label]:,.0f} of {value_of(run, 'steps'):,})"
            for run in part
            if lasts[run.label] < 0.99 * float(value_of(run, "steps") or 0)
        ]
        if open_runs:
            notes.append(f"Not at the end of their run: {listed(open_runs)}.")
    return notes


def _few(groups: Sequence[Group], fields: Sequence[str]) -> list[str]:
    counts = [
        len(part) for task in _tasks(groups, fields) for g in groups if (part := _of(g, task))
    ]
    if not counts or min(counts) >= FEW:
        return []
    if min(counts) == 1:
        return ["Where a group has a single run there is no interval: seeds say how far it varies."]
    words = "An interval from fewer than 5 runs is too narrow more often than it says"
    return [words + ("; of fewer than 4 runs the IQM is the mean." if min(counts) < 4 else ".")]


def _tasks(groups: Sequence[Group], fields: Sequence[str]) -> list[str]:
    if "task" in fields:
        return [""]
    return list(dict.fromkeys(task_of(run) for group in groups for run in group.runs))


def _of(group: Group, task: str) -> Sequence[Run]:
    return group.of_task(task) if task else group.runs


def _plural(word: str, items: Sequence[str]) -> str:
    return f"{word if len(items) == 1 else word + 's'} {', '.join(items)}"
