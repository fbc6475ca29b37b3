"""A search over settings with a real study; its trials are quick commands, or read from files."""

import json
import subprocess
import sys

import pytest
from sweep_parts import HERE, RUNNER, begin, local, numbers, plan, wait_for

from reverie.sweeps import control, file, record, search, show
from reverie.sweeps.errors import SearchError, SweepError
from reverie.sweeps.file import How
from reverie.sweeps.local import Local
from reverie.sweeps.plan import Plan, Search
from reverie.sweeps.record import Record
from reverie.sweeps.room import Room
from reverie.sweeps.values import Range

pytest.importorskip("optuna")

SPACE = {"lr": Range(1.0, 1000.0, log=True), "kind": ("a", "b"), "n": Range(1, 4, whole=True)}


def asked(trials: int = 4, task: str = "a", steps: int = 3, **more) -> Plan:
    found = plan(task, seeds=1, steps=steps, search=Search(trials=trials, **more))
    return Plan(found.tasks, found.seeds, SPACE, found.options, found.search)


def settings(folder) -> dict[str, tuple[str, ...]]:
    return {entry.trial.name: entry.trial.words for entry in file.read(folder).entries}


def test_a_search_that_was_stopped_after_every_trial_chooses_the_same(tmp_path):
    whole = begin(tmp_path / "whole", asked(), jobs=1)
    assert whole.count("finished") == 4
    for number in (0, 1, 3, 4):
        cut = search.OptunaSearch
        room = number

        class Few(cut):
            """A search whose process ends after so many trials."""

            def more(self, records, room, most=room):
                return super().more(records, room) if len(records) < most else []

            def complete(self, records, most=room):
                return len(records) >= most

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(search, "OptunaSearch", Few)
            begin(tmp_path / "cut", asked(), jobs=1)
    assert settings(tmp_path / "cut") == settings(tmp_path / "whole")
    best = search.OptunaSearch(tmp_path / "cut", asked()).best()
    assert best is not None
    last = {n: json.loads(text.splitlines()[-1]) for n, text in numbers(tmp_path / "cut").items()}
    assert best[1] == max(line["eval/return"] for line in last.values())
    assert f"best: {best[0]} with {best[1]:g}" in "\n".join(show.closing_lines(whole, best))


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on_with_its_trials(tmp_path):
    code = f"import sys; sys.path.insert(0, {str(HERE)!r}); import test_search as t; "
    code += (
        f"t.begin(t.pytest.importorskip('pathlib').Path({str(tmp_path)!r}), t.asked(4, 'slow', 40))"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    wait_for(lambda: numbers(tmp_path))
    process.kill()
    process.wait()
    before = settings(tmp_path)
    found = control.resume(tmp_path, local, len)
    assert found.count("finished", "pruned") == 4
    with pytest.raises(SweepError, match="a search, which does not try failed settings again"):
        control.resume(tmp_path, local, len, failed=True)
    after = settings(tmp_path)
    assert {name: after[name] for name in before} == before
    assert len({words[2:] for words in after.values()}) == 4


def test_a_metric_that_never_appears_stops_the_search_after_the_first_trial(tmp_path):
    with pytest.raises(SweepError, match=r"has no loss/kl. It has eval/return") as refused:
        begin(tmp_path, asked(20, metric="loss/kl"), jobs=1)
    assert "trial-0000" in str(refused.value)
    assert len(file.read(tmp_path).entries) <= 2


class Queue(Local):
    """A cluster with room for one trial, whose jobs do not need the process of the sweep."""

    lasting = True
    interval = 0.02

    def __init__(self, sweep):
        super().__init__(sweep.folder, Room(limit=4), retries=0, runner=RUNNER)
        self._waiting: list[str] = []

    def start(self, names):
        now = [] if self._processes else list(names)[:1]
        super().start(now)
        self._waiting += [name for name in names if name not in now]

    def alive(self, name):
        return name in self._waiting or super().alive(name)

    def withdraw(self, names):
        self._waiting = [name for name in self._waiting if name not in names]

    def jobs(self):
        return {name: str(number) for number, name in enumerate(self._waiting)}


def test_such_a_search_leaves_no_job_in_a_queue(tmp_path):
    queues = []

    def make(sweep):
        queues.append(Queue(sweep))
        return queues[0]

    how, said = How(jobs=4, retries=0), list[str]()
    with pytest.raises(SearchError, match="has no loss/kl"):
        control.begin(tmp_path, asked(20, metric="loss/kl"), how, make, said.append)
    assert queues[0]._waiting == []
    assert "ending trials: 3 waited and begin no more, 0 save\n" in said
    states = sorted(entry.record.state for entry in file.read(tmp_path).entries)
    assert states == ["finished", "waiting", "waiting", "waiting"]


def test_a_metric_that_is_never_a_number_is_not_called_missing(tmp_path):
    (tmp_path / record.LOGS).mkdir()
    chooser = search.OptunaSearch(tmp_path, asked(8))
    (trial,) = chooser.more({}, 1)
    curve(tmp_path, trial.name, [None] * 3)
    with pytest.raises(SearchError, match="eval/return was never a finite number"):
        chooser.look({trial.name: Record("finished")})


def curve(folder, name: str, values) -> None:
    (folder / name).mkdir(exist_ok=True)
    lines = [json.dumps({"step": n, "eval/return": value}) for n, value in enumerate(values)]
    (folder / name / "metrics.jsonl").write_text("\n".join(lines) + "\n")


def test_a_trial_below_the_median_is_asked_to_end(tmp_path):
    (tmp_path / record.LOGS).mkdir()
    chooser = search.OptunaSearch(tmp_path, asked(8))
    names = [trial.name for trial in chooser.more({}, 7)]
    records = dict.fromkeys(names[:5], Record("finished"))
    for number, name in enumerate(names[:5]):
        curve(tmp_path, name, [number, number + 1])
    chooser.look(records)
    records |= dict.fromkeys(names[5:], Record("running"))
    curve(tmp_path, names[5], [0, 0])
    curve(tmp_path, names[6], [9, 9])
    chooser.look(records)
    assert [record.asked(tmp_path, name) for name in names[5:]] == ["pruned", ""]
    records[names[5]] = Record("pruned")
    chooser.look(records)
    states = [trial.state.name for trial in chooser._study.get_trials()]
    assert states == ["COMPLETE"] * 5 + ["PRUNED", "RUNNING"]
