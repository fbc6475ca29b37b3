"""What a page of runs that go on is told: everything once, and again where a run went back."""

import gzip
import json
import re

import numpy as np
import pytest
from fake_run import make_media, make_run, numbers
from grown import Growing, feed_of

from reverie.live import feed as feeds
from reverie.live.tracked import REMEMBERED, Tracked
from reverie.report import page, panels
from reverie.report.metrics import MetricsFile
from reverie.report.read import ReportError, read_runs
from reverie.web.errors import Gone


class Reader:
    """Keeps what it was told, as the page's script does."""

    def __init__(self, feed):
        self.feed, self.epoch, self.version, self.curves, self.blocks = feed, "", 0, {}, {}
        self.told = {}

    def look(self):
        """Ask with every section opened, once more where charts were not asked for."""
        answer = self.ask(self.told)
        charts = re.findall('data-metric="([^"]+)"', self.blocks.get("sections", ""))
        if set(charts) - set(self.told):
            more = self.ask(dict.fromkeys(charts, 0) | self.told)
            answer["blocks"] |= more["blocks"]
            for run, parts in more["curves"].items():
                answer["curves"][run] |= parts
        return answer

    def ask(self, opened):
        known = {"epoch": self.epoch, "since": self.version, "opened": opened}
        answer = self.feed.answer(known)
        self.told = dict.fromkeys(opened, answer["version"])
        json.dumps(answer, allow_nan=False)
        self.epoch, self.version = answer["epoch"], answer["version"]
        self.blocks |= answer["blocks"]
        for run, parts in answer["curves"].items():
            own = self.curves.setdefault(run, {})
            for name, part in parts.items():
                if part is None:
                    del own[name]
                    continue
                known = own.get(name, {})
                begin = part["from"]
                own[name] = {"n": part["n"], "w": part["w"], "last": part["last"]}
                for key in ("x", "y", "lo", "hi"):
                    if key in part:
                        own[name][key] = known.get(key, [])[:begin] + numbers(part[key]).tolist()
        return answer


def same_as_a_new_page(reader, *folders):
    other = Reader(feed_of(*folders))
    other.look()
    assert reader.curves == other.curves
    assert reader.blocks == other.blocks


def test_a_page_that_looks_often_knows_what_a_new_page_is_told(growing):
    reader = Reader(feed_of(growing.folder))
    for first in range(0, len(growing.lines), 23):
        growing.write(first, first + 23)
        reader.look()
    same_as_a_new_page(reader, growing.folder)
    whole = read_runs([growing.folder])[0].get("loss/image")
    told = reader.curves["0"]["loss/image"]
    assert told["n"] == len(whole.value) and told["last"] == whole.value[-1]


def test_only_what_changed_is_told(growing):
    growing.write(0, 200)
    reader = Reader(feed_of(growing.folder))
    reader.look()
    answer = reader.look()
    assert answer["curves"] == {"0": {}} and answer["blocks"] == {}
    growing.log(step=7_000, **{"loss/rew": 1.0})
    answer = reader.look()
    assert list(answer["curves"]["0"]) == ["loss/rew"]
    assert answer["curves"]["0"]["loss/rew"]["from"] > 0
    assert set(answer["blocks"]) <= {"head"}


def test_folded_charts_are_told_when_they_are_opened(growing):
    growing.write(0, 200)
    feed = feed_of(growing.folder)
    first = feed.answer({})
    assert "loss/rew" not in first["curves"]["0"]
    assert {"episode/return", "train/updates", "time/seconds"} <= set(first["curves"]["0"])
    known = {"epoch": first["epoch"], "since": first["version"]}
    whole = feed.answer({**known, "opened": {"loss/rew": 0}})
    assert list(whole["curves"]["0"]) == ["loss/rew"]
    growing.log(step=7_000, **{"loss/rew": 1.0, "loss/image": 2.0})
    news = feed.answer({**known, "opened": {"loss/rew": whole["version"]}})["curves"]["0"]
    assert list(news) == ["loss/rew"] and news["loss/rew"]["from"] > 0
    again = feed.answer({**known, "epoch": "another", "opened": {"loss/rew": whole["version"]}})
    assert again["curves"]["0"]["loss/rew"]["from"] == 0


def test_ten_long_runs_fit_into_the_weight_of_a_page_as_it_is_sent(tmp_path, monkeypatch):
    monkeypatch.setattr(feeds, "READING", 100.0)
    values = np.random.default_rng(0).normal(size=(1_024, 30))  # as many stretches as are kept
    runs = [make_run(tmp_path / f"run-{k}", steps=100, media=False, seed=k) for k in range(10)]
    for seed, run in enumerate(runs):
        with (run / "metrics.jsonl").open("w") as file:
            for k, row in enumerate(np.roll(values, seed, axis=0).tolist()):
                named = {f"loss/part{i}": value for i, value in enumerate(row)}
                clocks = {"train/updates": 2 * k, "time/seconds": 0.1 * k}
                told = {"step": 10 * k, "episode/return": row[0], "time/steps_per_s": row[1]}
                file.write(json.dumps(told | clocks | named) + "\n")
    sent = [page.live("nonce"), json.dumps(feed_of(*runs).answer({}))]
    assert sum(len(gzip.compress(text.encode(), 1)) for text in sent) < 300_000


def test_half_a_line_is_waited_for(growing):
    line = growing.lines[0]
    growing.write(0, 0)
    reader = Reader(feed_of(growing.folder))
    for cut in (1, len(line) // 2, len(line) - 1):
        growing.file.write_bytes(line[:cut])
        reader.look()
        assert reader.curves == {"0": {}}
        assert "half written" not in reader.blocks["notes"]
    growing.file.write_bytes(line)
    reader.look()
    assert reader.curves["0"]["episode/return"]["n"] == 1


def shorter(growing):
    growing.file.write_bytes(b"".join(growing.lines[:20]))


def empty(growing):
    growing.file.write_bytes(b"")


def gone_back_and_on(growing):
    rows = b"".join(growing.lines[:20]) + b'{"step": 77, "loss/mine": 1.0}\n' * 300
    growing.file.write_bytes(rows)


def another_file_of_that_length(growing):
    data = growing.file.read_bytes()
    growing.file.unlink()
    growing.file.write_bytes(data.replace(b'"loss/rew"', b'"loss/own"'))


def no_file(growing):
    growing.file.unlink()


@pytest.mark.parametrize(
    "change", [shorter, empty, gone_back_and_on, another_file_of_that_length, no_file]
)
def test_a_run_that_went_back_is_read_again(growing, change):
    growing.write(0, 120)
    reader = Reader(feed_of(growing.folder))
    reader.look()
    change(growing)
    reader.look()
    same_as_a_new_page(reader, growing.folder)


def test_a_file_that_cannot_be_read_is_told_and_read_later(growing):
    growing.write(0, 50)
    reader = Reader(feed_of(growing.folder))
    kept = growing.file.with_name("kept")
    growing.file.rename(kept)
    growing.file.symlink_to(kept)
    reader.look()
    assert "links inside a run folder are not followed" in reader.blocks["notes"]
    assert "has not written" not in reader.blocks["notes"]
    assert reader.curves == {"0": {}}
    growing.file.unlink()
    kept.rename(growing.file)
    reader.look()
    assert "not followed" not in reader.blocks["notes"]
    same_as_a_new_page(reader, growing.folder)


def test_the_blocks_are_those_of_the_page_that_is_written(growing, tmp_path):
    growing.write(0, 10**6)
    other = make_run(tmp_path / "other", steps=3_000, seed=1, media=False)
    reader = Reader(feed_of(growing.folder, other))
    reader.look()
    runs = read_runs([growing.folder, other])
    told = page.about(runs)
    written = told | page.filmed(runs) | {"curve": None}
    steady = panels.constants(runs)
    written |= page.measured(runs, steady, page.sequences(runs), told["settings"])
    for name in page.BLOCKS:
        assert reader.blocks[name] == page.block(name, written), name


def test_runs_that_come_later(tmp_path):
    reader = Reader(feed_of(tmp_path / "one", tmp_path / "two"))
    answer = reader.look()
    assert answer["runs"] == [] and "No run yet" in reader.blocks["head"]
    assert reader.blocks["notes"].count("Not shown yet") == 2
    two = Growing(tmp_path / "two")
    answer = reader.look()
    assert [run["label"] for run in answer["runs"]] == ["two"]
    assert "has not written any metrics yet" in reader.blocks["notes"]
    two.write(0, 50)
    one = Growing(tmp_path / "one", seed=1)
    one.write(0, 9)
    answer = reader.look()
    assert [(run["id"], run["label"]) for run in answer["runs"]] == [(0, "one"), (1, "two")]
    assert "Not shown" not in reader.blocks["notes"]
    (one.folder / "config.json").write_text("{")
    reader.look()
    assert "cannot read …/one/config.json" in reader.blocks["notes"]


def test_a_sweep_whose_trials_begin_one_after_the_other(tmp_path):
    sweep = tmp_path / "sweep"
    reader = Reader(feed_of(sweep))
    reader.look()
    assert "found no such folder" in reader.blocks["notes"]
    sweep.mkdir()
    (sweep / "sweep.json").write_text("{}")
    reader.look()
    assert "no trial of the sweep" in reader.blocks["notes"]
    for number, name in enumerate(("b", "a")):
        make_run(sweep / name, steps=500, media=False)
        answer = reader.look()
        assert [run["label"] for run in answer["runs"]][-1] == name
        assert len({run["id"] for run in answer["runs"]}) == len(answer["runs"]) == number + 1
        assert "Not shown" not in reader.blocks["notes"]


def test_folders_that_no_run_will_ever_be(tmp_path):
    make_run(tmp_path / "runs" / "a", steps=500, media=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match=r"but 1 runs inside; did you mean '.*a'"):
        feed_of(tmp_path / "runs")
    with pytest.raises(ReportError, match="file is not a run folder"):
        feed_of(tmp_path / "file")
    with pytest.raises(ReportError, match="given twice"):
        feed_of(tmp_path / "x", tmp_path / "y" / ".." / "x")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "a request is a JSON object, found NoneType."),
        ([1], "found list"),
        ({"since": "x"}, "since is 'x', expected a whole number"),
        ({"since": -1}, "since is -1"),
        ({"since": True}, "since is True"),
        ({"since": 1.0}, "since is 1.0"),
        ({"opened": []}, "opened is no object of metrics"),
        ({"opened": {"loss/rew": -1}}, "opened is no object of metrics"),
        ({"opened": {"loss/rew": "x"}}, "opened is no object of metrics"),
    ],
)
def test_requests_that_are_none(growing, body, said):
    with pytest.raises(ReportError) as error:
        feed_of(growing.folder).answer(body)
    assert said in str(error.value)


@pytest.mark.parametrize("known", [{"epoch": "of another server"}, {"epoch": None}, {"epoch": []}])
def test_a_page_of_another_server_is_told_everything(growing, known):
    growing.write(0, 50)
    feed = feed_of(growing.folder)
    whole = feed.answer({})
    answer = feed.answer({**known, "since": 10**9})
    assert answer["curves"] == whole["curves"] and answer["blocks"] == whole["blocks"]


def test_films_and_nothing_else(growing):
    growing.write(0, 50)
    feed = feed_of(growing.folder)
    reader = Reader(feed)
    reader.look()
    make_media(growing.folder, 6_000)
    outside = growing.folder.parent / "secret.mp4"
    outside.write_bytes(b"0000ftyp")
    (growing.folder / "videos" / "link-000000001.mp4").symlink_to(outside)
    (growing.folder / "videos" / "fake-000000001.mp4").write_bytes(b"no film")
    reader.look()
    assert 'src="/media/0/eval-000006000.mp4"' in reader.blocks["episodes"]
    kind, data = feed.film("0", "eval-000006000.mp4")
    assert kind == "video/mp4" and data[4:8] == b"ftyp"
    for name in ("../config.json", "link-000000001.mp4", "openloop-000006000.npz", "", "none.mp4"):
        with pytest.raises(Gone):
            feed.film("0", name)
    for number in ("1", "-1", "00", "x"):
        with pytest.raises(Gone):
            feed.film(number, "eval-000006000.mp4")
    with pytest.raises(ReportError, match="is no mp4 file"):
        feed.film("0", "fake-000000001.mp4")


def test_a_look_ends_in_time_and_the_next_goes_on(growing, monkeypatch):
    growing.write(0, 10**6)
    monkeypatch.setattr(feeds, "READING", 0.002)
    reader = Reader(feed_of(growing.folder))
    behind = [reader.look()["behind"]]
    while behind[-1]:
        behind.append(reader.look()["behind"])
    assert behind[0] > 0 and behind == sorted(behind, reverse=True)
    monkeypatch.setattr(feeds, "READING", 10.0)
    same_as_a_new_page(reader, growing.folder)


def test_two_pages_within_a_moment_are_one_look(growing, monkeypatch):
    growing.write(0, 50)
    monkeypatch.setattr(feeds, "FRESH", 100.0)
    feed = feed_of(growing.folder)
    first = feed.answer({})
    growing.log(step=9_000, **{"loss/rew": 1.0})
    assert feed.answer({})["curves"] == first["curves"]


def test_a_curve_says_what_is_unknown():
    curve = Tracked(4)
    assert curve.unknown(0) is None
    for version, count in ((1, 3), (2, 1), (3, 1), (4, 1)):
        curve.add(version, np.zeros(count), np.zeros(count))
    assert curve.curve.width == 2 and len(curve.curve.low) == 3
    assert [curve.unknown(v) for v in (0, 1, 2, 3, 4)] == [0, 0, 0, 2, None]
    for version in range(5, 5 + REMEMBERED):
        curve.add(version, np.zeros(1), np.zeros(1))
    assert curve.unknown(4) == 0


def test_every_line_is_read_once(growing):
    growing.write(0, 40)
    file = MetricsFile(growing.file)
    assert file.read_on()
    growing.write(40, 60)
    assert file.read_on() and file.behind == 0
    fresh = MetricsFile(growing.file)
    fresh.read_on()
    assert file.columns == fresh.columns
