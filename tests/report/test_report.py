"""The page: what it holds, what it survives, what it refuses."""

import json
import re
import shutil
import subprocess
import sys
import time
from html.parser import HTMLParser

import pytest
from fake_run import bare_run, make_run

from reverie.report.page import write_report
from reverie.report.places import value_without_folders, without_folders
from reverie.report.read import ReportError, read_run, read_runs

VOID = {"meta", "link", "img", "br", "line", "rect", "path", "circle", "polyline", "input"}


class Page(HTMLParser):
    """Tags, addresses and visible text of a page; fails where tags do not close."""

    def __init__(self, html):
        super().__init__()
        self.open, self.addresses, self.words, self.tags = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "poster")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def page_of(runs, out=None):
    return Page(write_report(runs, out).read_text(encoding="utf-8"))


def test_a_full_run(full_run, tmp_path):
    page = page_of([full_run], tmp_path / "page.html")
    for words in (
        "gym:CartPole-v1",
        "Learning curve",
        "Dreams next to reality",
        "The agent at work",
        "position",
        "reconstruction of the observation image",
        "reverie train gym:CartPole-v1 --size 1m",
        "jax 0.11.2",
        "Unchanged all along: train/lr 4.00e-5",
    ):
        assert words in page.text, words
    assert page.tags.count("video") == 2 and page.tags.count("img") == 3


def test_the_page_needs_nothing_else(full_run, tmp_path):
    path = write_report([full_run], tmp_path / "page.html")
    html = path.read_text(encoding="utf-8")
    page = Page(html)
    assert page.addresses and all(address.startswith("data:") for address in page.addresses)
    outside = set(re.findall(r"https?://[^\s\"'<]*", html)) - {"http://www.w3.org/2000/svg"}
    assert not outside and "@import" not in html and "url(" not in html
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_the_numbers_on_the_page_are_those_of_the_run(tmp_path):
    rows = [{"step": 100 * k, "episode/return": float(k), "episode/length": 5} for k in range(50)]
    rows.append({"step": 5000, "eval/return": 47.5, "eval/return_std": 1.5, "eval/episodes": 8})
    run = bare_run(tmp_path / "run", rows, steps=10_000)
    text = page_of([run]).text
    assert "Return, last 20 episodes 39.5" in text  # mean of 30 … 49
    assert "47.5 ± 1.5 8 episodes" in text
    assert "5,000 of 10,000" in text


def test_curves_stand_where_the_numbers_say(tmp_path):
    rows = [{"step": s, "episode/return": r} for s, r in ((0, 0.0), (500, 50.0), (1000, 100.0))]
    html = write_report([bare_run(tmp_path / "run", rows)]).read_text()
    # paper 960 x 340, margins 12 16 26 52; y from 0 to 106 (6 % of air above)
    top = 314 - 302 * 100 / 106
    middle = 314 - 302 * 50 / 106
    points = f"52.0,314.0 498.0,{middle:.1f} 944.0,{top:.1f}"
    assert f'<polyline class="line c0" points="{points}"/>' in html


def test_several_runs_are_overlaid_and_compared(tmp_path):
    one = make_run(tmp_path / "a", media=False, seed=0)
    two = make_run(tmp_path / "b", media=False, seed=1, edits={"optim.lr": 1e-4})
    path = write_report([one, two])
    assert path == tmp_path.resolve() / "report.html"
    html = path.read_text(encoding="utf-8")
    text = Page(html).text
    assert "What differs between the runs" in text and "In numbers" in text
    table = html.split("What differs between the runs")[1].split("<details>")[0]
    assert re.findall(r"<td><code>([a-z_.]+)</code></td>", table) == ["seed", "optim.lr"]
    curve = html.split("Learning curve</h2>")[1].split("</section>")[0]
    assert 'class="line c0"' in curve and 'class="line c1"' in curve


@pytest.mark.parametrize(
    ("task", "edits", "shown"),
    [
        ("gym:CartPole-v1", {}, ["size", "steps"]),
        (
            "gym:CartPole-v1",
            {"optim.lr": 1e-3, "env.num": 3},
            ["size", "steps", "env.num", "optim.lr"],
        ),
        ("dmc_walker_walk", {}, ["steps"]),  # the suite's preset is its default
        ("dmc_walker_walk", {"world.dynamics.deter": 64}, ["steps", "world.dynamics.deter"]),
        ("atari_pong", {}, ["size", "steps"]),  # pictures take 12m
        ("custom:mine", {"train.ratio": 99.0}, ["size", "steps", "train.ratio"]),
        ("continual:grid3", {}, ["size"]),
    ],
)
def test_a_single_run_shows_what_differs_from_its_tasks_defaults(task, edits, shown, tmp_path):
    run = make_run(tmp_path / "run", media=False, edits={"task": task, **edits})
    html = write_report([run], tmp_path / "p.html").read_text()
    table = html.split("What differs from the defaults")[1].split("<details>")[0]
    assert re.findall(r"<td><code>([a-z_.]+)</code></td>", table) == shown


def test_no_page_says_where_on_a_machine_a_run_was(tmp_path):
    run = make_run(tmp_path / "run", media=False, edits={"device.cache": str(tmp_path / "xla")})
    head = json.loads((run / "config.json").read_text())
    head["command"] = [str(tmp_path / "reverie"), "train", "gym:CartPole-v1", "--logdir", str(run)]
    head["command"] += [f"--device.cache={tmp_path}/xla"]
    head["config"]["logdir"] = str(run)
    (run / "config.json").write_text(json.dumps(head))
    html = write_report([run, tmp_path / "none"], tmp_path / "p.html").read_text()
    assert str(tmp_path) not in html and str(tmp_path.parent) not in html
    assert "--logdir …/run" in html and "--device.cache=…/xla" in html and "…/none is not" in html


ROOT = "/"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{ROOT}srv/me/runs/mine", "…/mine"),
        (f"'{ROOT}srv/me/a b'", "'…/a b'"),
        (f"'{ROOT}srv/my name/runs/a b' and 'c'", "'…/a b' and 'c'"),
        (f"train '--logdir={ROOT}srv/my name/a' --seed 1", "train '--logdir=…/a' --seed 1"),
        (f"file://{ROOT}srv/me/runs/mine, x", "…/mine, x"),
        (f"file://localhost{ROOT}srv/me/a", "…/a"),
        (f"--logdir file:{ROOT}srv/me/a", "--logdir …/a"),
        (f"'file://{ROOT}srv/my name/a'", "'…/a'"),
        (f"{ROOT}srv/bin/reverie train bsuite_catch/0", "…/reverie train bsuite_catch/0"),
        ("file://host/share/a", "file://host/share/a"),
        (f"--logdir={ROOT}srv/x", "--logdir=…/x"),
        ("runs/mine and gym:ALE/Pong-v5 at 3/4", "runs/mine and gym:ALE/Pong-v5 at 3/4"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("gs://bucket/a/b", "gs://bucket/a/b"),
        ("/", "/"),
    ],
)
def test_paths_are_cut_down_to_their_last_part(text, shown):
    assert without_folders(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"{ROOT}srv/my name/the cache", "…/the cache"),
        (f"file://{ROOT}srv/my name/a b", "…/a b"),
        (f'{{"level": "{ROOT}srv/my name/x.png"}}', '{"level": "…/my name/x.png"}'),
        ("gym:ALE/Pong-v5", "gym:ALE/Pong-v5"),
    ],
)
def test_a_setting_that_begins_at_the_root_is_a_path_to_its_end(value, shown):
    assert value_without_folders(value) == shown


def test_a_killed_run(full_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(full_run, run)
    data = (run / "metrics.jsonl").read_bytes()
    (run / "metrics.jsonl").write_bytes(data[: len(data) // 2 - 7])
    text = page_of([run]).text
    assert "last line of metrics.jsonl is half written" in text and "Learning curve" in text


def test_broken_lines_are_counted(tmp_path):
    run = bare_run(tmp_path / "run")
    (run / "metrics.jsonl").write_text('{"step": 1, "loss/rew": 2}\nxx\n{"a": 1}\n[1]\n')
    read = read_run(run, "run")
    assert read.notes == (
        "3 lines of metrics.jsonl are not metrics and left out: the first is line 2, no JSON.",
    )
    assert read.get("loss/rew").value.tolist() == [2.0]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"step": 0, "episode/return": 0.0}],
        [{"step": 7, "episode/return": -3.5, "loss/rew": 1e-12}],
        [{"step": k, "episode/return": 1.0} for k in range(100)],
        [{"step": 5, "eval/return": 3.0, "eval/return_std": 0.0}],
        [{"step": 1, "loss/rew": None}, {"step": 2, "loss/rew": 3.0, "mine/odd": 1e300}],
        [{"step": k, "loss/rew": -(10.0**k)} for k in range(9)],
    ],
)
def test_little_or_odd_data(tmp_path, rows):
    page = page_of([bare_run(tmp_path / "run", rows)])
    assert "nan" not in page.text and "gym:X-v0" in page.text


def test_a_hundred_thousand_lines(tmp_path):
    rows = [{"step": k, "episode/return": k % 977, "loss/rew": 1 / (k + 1)} for k in range(100_000)]
    run = bare_run(tmp_path / "run", rows)
    begin = time.perf_counter()
    path = write_report([run])
    assert time.perf_counter() - begin < 20
    assert path.stat().st_size < 400_000


def test_names_cannot_break_the_page(tmp_path):
    evil = "</script><script>alert(1)</script>"
    rows = [{"step": k, f"loss/{evil.replace('/', '')}": k} for k in range(3)]
    page = page_of([bare_run(tmp_path / "run", rows, task=evil, more={"<b>": evil})])
    assert evil in page.text and page.tags.count("script") == 2  # the data, one for the page


def test_folders_that_are_no_runs(tmp_path):
    bare_run(tmp_path / "walker-0")
    with pytest.raises(ReportError, match=r"no such folder.*Did you mean '.*walker-0'\?"):
        write_report([tmp_path / "walker-1"])
    with pytest.raises(ReportError, match=r"but 1 runs inside; did you mean '.*walker-0'"):
        write_report([tmp_path])
    (tmp_path / "walker-0" / "config.json").write_text("[1]")
    with pytest.raises(ReportError, match=r"not a run's config.json"):
        write_report([tmp_path / "walker-0"])
    (tmp_path / "walker-0" / "config.json").write_text("{")
    with pytest.raises(ReportError, match=r"cannot read .*config.json"):
        write_report([tmp_path / "walker-0"])
    with pytest.raises(ReportError, match="no run folder was given"):
        write_report([])


def test_a_page_that_cannot_be_written(tmp_path):
    run = bare_run(tmp_path / "run")
    with pytest.raises(ReportError, match="--out"):
        write_report([run], run / "config.json" / "page.html")
    with pytest.raises(ReportError, match="given twice"):
        write_report([run, run])


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (
            ["/x/bin/reverie", "train", "gym:A", "--env.kwargs", '{"a": 1}'],
            "reverie train gym:A --env.kwargs '{\"a\": 1}'",
        ),
        (["/x/reverie/__main__.py", "train"], "python -m reverie train"),
        ("reverie train", "reverie train"),
        ([], ""),
    ],
)
def test_the_command_is_what_was_typed(tmp_path, command, text):
    run = bare_run(tmp_path / "run")
    (run / "config.json").write_text(json.dumps({"config": {}, "command": command}))
    assert read_run(run, "run").command == text


def test_labels_tell_runs_apart(tmp_path):
    paths = [bare_run(tmp_path / day / "pong") for day in ("monday", "tuesday")]
    assert [run.label for run in read_runs(paths)] == ["monday/pong", "tuesday/pong"]


def test_unreadable_pictures_are_told_not_fatal(tmp_path):
    run = make_run(tmp_path / "run", media=False)
    (run / "videos").mkdir()
    (run / "videos" / "openloop-000000001.npz").write_bytes(b"half")
    assert "openloop-000000001.npz cannot be read" in page_of([run]).text


def test_the_report_starts_no_device():
    code = (
        "import reverie.report.page, sys; from jax._src import xla_bridge; "
        "sys.exit(bool(xla_bridge._backends))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
