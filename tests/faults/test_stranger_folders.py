"""Run folders that a stranger made: data, never code; nothing followed, waited for, or obeyed."""

import contextlib
import json
import math
import os
import pickle
import re
import socket
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from reverie import files
from reverie.cli import main
from reverie.config import edit, reader
from reverie.config.presets import resolve
from reverie.config.run import LogConfig
from reverie.config.schema import Config
from reverie.envs import origin
from reverie.envs.printed import PrintLog
from reverie.folder import run_folder
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError
from reverie.replay.errors import ReplayError
from reverie.replay.files import prune as prune_replay
from reverie.report.compare import Options, compare_runs
from reverie.report.compare_page import compare_into
from reverie.report.page import write_report
from reverie.report.read import ReportError, read_run
from reverie.train import checkpoint, stranger
from reverie.watch import video
from reverie.watch.sinks import MetricsFile, Wandb

SECRET = "a private line"
ESCAPE = "\x1b]0;owned\x07\x1b[2J\r\u202e"


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def run_at(path: Path, rows=None, head=None, **changes) -> Path:
    """A folder as `reverie train` leaves it, without its checkpoints."""
    path.mkdir(parents=True)
    config = resolve("gym:CartPole-v1", size="debug", overrides=changes)
    record = {"config": edit.to_json(config), "command": ["reverie", "train"], **(head or {})}
    (path / "config.json").write_text(json.dumps(record))
    rows = [{"step": k, "eval/return": k} for k in (1, 2, 3)] if rows is None else rows
    (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def change(path: Path, **edits) -> Path:
    """Put other values at dotted paths into the folder's config.json."""
    head = json.loads((path / "config.json").read_text())
    for name, value in edits.items():
        *parents, leaf = name.split("__")
        place = head["config"]
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = value
    (path / "config.json").write_text(json.dumps(head))
    return path


# 1. What is the reader's


def test_every_field_that_could_name_a_place_is_classified():
    """A new field of free text must be put on the list of the reader's keys, or shown harmless."""
    texts = {path for path, kind in edit.field_types().items() if kind is str}
    assert texts - set(reader.KEYS) == {"task", "preset"}  # the preset is only told
    groups = {path for path in edit.field_types() if path.startswith(("device.", "log."))}
    assert groups - set(reader.KEYS) == {"device.precision"}


def test_the_reader_decides_about_the_machine(tmp_path):
    evil = {"device.cache": "/stranger", "device.kind": "tpu", "log.wandb": "theirs"}
    run = run_at(tmp_path / "run", **evil, **{"env.num": 8, "env.workers": 8, "logdir": "/x"})
    config, said = stranger.read(run)
    assert config.device == Config().device and config.env.workers == 0
    assert config.log == Config().log and config.logdir == ""
    for name in (*evil, "env.workers"):
        assert name in said
    assert "/x" not in said
    config, said = stranger.read(run, {"device.cache": "mine", "device.kind": "cpu"})
    assert (config.device.cache, config.device.kind) == ("mine", "cpu")
    assert "device." not in said.partition("sets ")[2].partition(";")[0]
    assert stranger.read(run_at(tmp_path / "plain"))[1] == ""


def test_how_a_run_computed_its_updates_is_no_loss_to_a_reader(tmp_path):
    """Every run has such values: `auto` is resolved before it is written."""
    resolved = {"device.scan": "stored", "device.unroll": 1, "device.command_buffers": "none"}
    config, said = stranger.read(run_at(tmp_path / "run", **resolved, **{"log.progress": "plain"}))
    assert config.device == Config().device and config.log == Config().log
    assert said == ""


def test_a_reader_cannot_change_the_run(tmp_path):
    run = run_at(tmp_path / "run")
    with pytest.raises(ConfigError, match=r"'world.dynamics.deter' is the run's own"):
        stranger.read(run, {"world.dynamics.deter": 5})
    with pytest.raises(ConfigError, match=r"did you mean 'device.cache'"):
        stranger.read(run, {"device.cash": "x"})


def test_settings_on_the_command_line():
    words = ["runs/x", "--env.timeout", "9", "--greedy", "--device.cache=here"]
    assert reader.take(words) == (
        ["runs/x", "--greedy"],
        {"env.timeout": "9", "device.cache": "here"},
    )
    with pytest.raises(ConfigError, match="needs a value"):
        reader.take(["--env.timeout"])


# 2. Whose code runs


@pytest.fixture
def bait(tmp_path, monkeypatch):
    """A module that leaves a marker when it is imported; (name, marker)."""
    name, marker = f"bait_{os.getpid()}_{time.monotonic_ns()}", tmp_path / "imported"
    place = tmp_path / "place"
    (place / name).mkdir(parents=True)
    for file in ("__init__.py", "inner.py"):
        (place / name / file).write_text(f"open({str(marker)!r}, 'a').close()\n")
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.chdir(place)
    return name, marker


@pytest.mark.parametrize(
    "task", ["gym:{}:X-v0", "gym:{}.inner:CartPole-v1", "gym:{}:ALE/Pong-v5", "{}:make"]
)
def test_a_task_imports_nothing_without_the_users_word(bait, tmp_path, task):
    name, marker = bait
    run = change(run_at(tmp_path / "run"), task=task.format(name))
    with pytest.raises(RunError, match=rf"import the module '{name}.*--allow {name}"):
        check(run)
    assert not marker.exists()
    check(run, allow=(name,))


def check(run: Path, allow=(), **given):
    config = stranger.read(run, given)[0]
    tasks = stranger.evaluated(config, None)
    stranger.check_code(config, tasks, allow, trusted="env.kwargs" in given)


def test_every_task_of_a_sequence_is_asked_about(bait, tmp_path):
    name, marker = bait
    run = run_at(tmp_path / "run")
    sequence = {"sequence__tasks": ["gym:A"], "sequence__steps": [10]}
    run = change(run, **sequence, sequence__tests=[f"gym:{name}:X-v0"], steps=10)
    with pytest.raises(RunError, match=name):
        check(run)
    assert not marker.exists()


def test_the_command_asks_before_anything_is_loaded(bait, tmp_path, capsys):
    name, marker = bait
    run = change(run_at(tmp_path / "run"), task=f"gym:{name}:X-v0")
    assert main(["eval", str(run), "--device", "cpu"]) == 1
    assert f"--allow {name}" in capsys.readouterr().err and not marker.exists()
    assert main(["eval", str(run), "--device", "cpu", "--allow", name]) == 1  # no checkpoint
    assert "holds no complete checkpoint" in capsys.readouterr().err


def test_a_registered_id_may_not_lead_to_foreign_code(monkeypatch, bait):
    import gymnasium

    name, marker = bait
    spec = gymnasium.envs.registration.EnvSpec("Bait-v0", entry_point=f"{name}:Env")
    monkeypatch.setitem(gymnasium.registry, "Bait-v0", spec)
    assert origin.foreign_modules("gym:Bait-v0") == [name]
    assert not marker.exists()


def test_known_tasks_need_no_word():
    for task in ("gym:CartPole-v1", "gym:minigrid:MiniGrid-Empty-5x5-v0", "dmc_walker_walk"):
        assert origin.foreign_modules(task) == []
    assert origin.allows(("a.b",), "a.b.c") and not origin.allows(("a.b",), "a.bc")
    assert not origin.allows(("a.b",), "a")


@pytest.mark.parametrize(
    "kwargs",
    [
        {"xml_file": "walker"},
        {"map": "../x"},
        {"savedir": "here"},
        {"results": "x"},
        {"record": True},
        {"env_id": "x"},
        {"make_kwargs": {"a": 1}},
        {"a": [{"b": "mod.sub:f"}]},
        {"config": {"log_path": "x"}},
        {"a": "~"},
        {"entry_point": "x"},
        {"a": "http://x"},
    ],
)
def test_arguments_that_reach_out_need_the_users_word(tmp_path, kwargs):
    run = change(run_at(tmp_path / "run"), env__kwargs=json.dumps(kwargs))
    with pytest.raises(RunError, match=re.escape(next(iter(kwargs)))):
        check(run)
    check(run, **{"env.kwargs": json.dumps(kwargs)})


def test_plain_arguments_are_the_runs():
    kwargs = {"goal_velocity": 0.1, "map_name": "4x4", "observation_keys": ["blstats"]}
    kwargs |= {"render_mode": "rgb_array", "save_ttyrec_every": 0, "is_slippery": True}
    assert origin.reaching(kwargs) == []


# 3. Links


@pytest.fixture
def private(tmp_path):
    path = tmp_path / "private"
    path.write_text(SECRET)
    return path


def test_nothing_is_written_through_a_link(tmp_path, private):
    run = run_at(tmp_path / "run")
    for name in ("metrics.jsonl", ".lock", "config.partial", "simulators.log", "wandb_id"):
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(private)
    run_folder.write_config(run, Config(), ())
    with pytest.raises(RunError, match=r"metrics.jsonl.*it is a link"):
        MetricsFile(run / "metrics.jsonl", None)
    printed = PrintLog(run / "simulators.log")
    printed.write(b"x")
    printed.close()
    with contextlib.suppress(RunError):  # refused, or a lock that needs no file
        run_folder.claim(run).close()
    assert private.read_text() == SECRET
    assert not (run / "config.partial").exists() and json.loads((run / "config.json").read_text())


def test_a_resumed_run_does_not_read_its_offset_through_a_link(tmp_path, private):
    (tmp_path / "metrics.jsonl").symlink_to(private)
    with pytest.raises(RunError, match="it is a link"):
        MetricsFile(tmp_path / "metrics.jsonl", 5)


def test_a_hard_link_is_not_written(tmp_path, private):
    (tmp_path / "metrics.jsonl").hardlink_to(private)
    with pytest.raises(OSError, match="hard link"):
        files.open_to_append(tmp_path / "metrics.jsonl")
    MetricsFile(tmp_path / "metrics.jsonl", None).write(1, {})  # moved aside, never touched
    assert private.read_text() == SECRET


def test_wandb_gets_no_private_file(tmp_path, private, monkeypatch):
    import sys
    import types

    monkeypatch.setitem(sys.modules, "wandb", types.ModuleType("wandb"))
    (tmp_path / "wandb_id").symlink_to(private)
    with pytest.raises(OSError, match="it is a link"):
        Wandb(tmp_path, edit.apply(Config(), {"log.wandb": "x"}))
    assert LogConfig().wandb == ""


@pytest.mark.parametrize("place", ["videos", "checkpoints", "replay"])
def test_folders_that_are_links_are_left_alone(tmp_path, place):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "000000000005").mkdir(parents=True)
    (elsewhere / f"fixed-000000-{'0' * 32}.safetensors").write_text(SECRET)
    (elsewhere / "eval-000000001.png").write_bytes(b"\x89PNG\r\n\x1a\n" + SECRET.encode())
    before = sorted(elsewhere.rglob("*"))
    run = run_at(tmp_path / "run")
    (run / place).symlink_to(elsewhere)
    if place == "videos":
        assert read_run(run, "run").media == ()
        assert any("videos" in note and "a link" in note for note in read_run(run, "run").notes)
        with pytest.raises(OSError, match="a link"):
            video.save_picture(run / "videos" / "a.png", np.zeros((8, 8, 3), np.uint8))
    if place == "checkpoints":
        for call in (checkpoint.complete, lambda path: checkpoint.prune(path, 1)):
            with pytest.raises(RunError, match="a link"):
                call(run / place)
        with pytest.raises(RunError, match="a link"):
            checkpoint.save(run / place, 7, {"a": np.zeros(2)})
    if place == "replay":
        with pytest.raises(ReplayError, match="a link"):
            prune_replay(run / place, [])
    assert sorted(elsewhere.rglob("*")) == before


def test_a_page_replaces_a_link_and_leaves_its_target(tmp_path, private):
    run = run_at(tmp_path / "run")
    (run / "report.html").symlink_to(private)
    assert write_report([run]) == run / "report.html"
    assert private.read_text() == SECRET and not (run / "report.html").is_symlink()
    out = tmp_path / "out"
    out.mkdir()
    for name in ("index.html", "curves.csv", "comparison.json", "gym_CartPole-v1.svg"):
        (out / name).symlink_to(private)
    compare_into([run], Options(), out)
    assert private.read_text() == SECRET


def test_a_picture_that_is_a_link_or_no_picture_stays_private(tmp_path, private):
    run = run_at(tmp_path / "run")
    (run / "videos").mkdir()
    (run / "videos" / "eval-000000001.png").symlink_to(private)
    (run / "videos" / "eval-000000002.mp4").hardlink_to(private)
    (run / "videos" / "openloop-000000001.npz").symlink_to(private)
    page = write_report([run]).read_text()
    assert "base64" not in page
    assert "videos/eval-000000001.png: it is a link" in page
    assert "videos/eval-000000002.mp4 is no mp4 file" in page


# 4. Sizes, kinds, escape codes


def odd_file(path: Path, kind: str, stack: contextlib.ExitStack) -> None:
    path.unlink(missing_ok=True)
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "socket":
            place = stack.enter_context(socket.socket(socket.AF_UNIX))
            place.bind(str(path))
        case "loop":
            path.symlink_to(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "sparse":
            with path.open("wb") as file:
                file.truncate(8 << 30)
        case "unreadable bytes":
            path.write_bytes(b"\xff\xfe\x00" * 100)


KINDS = ("pipe", "folder", "socket", "loop", "device", "sparse", "unreadable bytes")
PLACES = ("config.json", "metrics.jsonl", "videos/eval-000000001.png")
PLACES += ("videos/eval-000000001.mp4", "videos/openloop-000000001.npz")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_odd_files_cost_a_sentence(tmp_path, monkeypatch, place, kind):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    good, bad = run_at(Path("good")), run_at(Path("bad"))
    (bad / "videos").mkdir()
    begin = time.monotonic()
    with contextlib.ExitStack() as stack:
        odd_file(bad / place, kind, stack)
        refused = []
        page = write_report([good, bad], Path("p.html"), refused).read_text()
        found = compare_runs([good, bad], Options(resamples=100))
    assert time.monotonic() - begin < 60
    assert bool(refused) == (place == "config.json")
    told = Path(place).name
    assert told in page
    if place == "config.json":
        assert any(told in note for note in found.notes)
        with pytest.raises(ReportError, match=told):
            write_report([bad])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["state.json", "arrays.safetensors", "config.json"])
def test_a_checkpoint_of_odd_files_is_refused(tmp_path, name, kind):
    begin = time.monotonic()
    path = checkpoint.save(tmp_path / "checkpoints", 5, {"a": np.zeros(3)})
    with contextlib.ExitStack() as stack:
        if name == "config.json":
            odd_file(tmp_path / name, kind, stack)
            with pytest.raises(RunError):
                run_folder.read_config(tmp_path / name)
        elif kind != "socket":
            odd_file(path / name, kind, stack)
            with pytest.raises(RunError):
                checkpoint.load(path)
    assert time.monotonic() - begin < 15


LINES = [
    '{"step": NaN, "a": 1}',
    '{"step": Infinity, "a": 1}',
    '{"step": -1, "a": 1}',
    '{"step": true, "a": 1}',
    '{"step": "1", "a": 1}',
    '{"step": 1e400, "a": 1}',
    '{"step": null, "a": 1}',
    '{"step": [1], "a": 1}',
    '{"step": %s, "a": 1}' % ("9" * 400),
    '{"step": %s, "a": 1}' % ("9" * 5000),
    '{"step": 1, "a": %s}' % ("9" * 400),
    '{"step": 1, "a": 1e308}',
    '{"step": 1, "a": "x"}',
    '{"step": 1, "a": {"b": 1}}',
    '{"step": 1, "%s": 1}' % ("n" * 5000),
    "[" * 100_000,
    '{"step": 1, "a": ' + "[" * 50_000 + "]" * 50_000 + "}",
    '"x"',
    "1",
    "null",
    "",
    "\x00" * 1000,
    "{",
]


@pytest.mark.parametrize("line", LINES, ids=[line[:24] for line in LINES])
def test_odd_lines_are_named(tmp_path, line):
    run = run_at(tmp_path / "run")
    lines = (run / "metrics.jsonl").read_text()
    (run / "metrics.jsonl").write_text(lines + line + "\n")
    read = read_run(run, "run")
    assert "metrics.jsonl" in read.notes[0] and "line 4" in read.notes[0]
    assert read.get("eval/return").value.tolist() == [1, 2, 3]


def test_a_line_without_end(tmp_path):
    run = run_at(tmp_path / "run")
    with (run / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": 1, "a": "' + b"x" * (3 << 20) + b'"}\n')
    assert "line 4: it has more than" in read_run(run, "run").notes[0]


def test_too_many_names(tmp_path):
    rows = [{"step": 1, **{f"a{k}/{n}": 1.0 for k in range(900)}} for n in range(4)]
    read = read_run(run_at(tmp_path / "run", rows), "run")
    assert len(read.series) <= 2_000 and "line 3" in read.notes[0]


EXTREMES = (1e300, -1e300, 5e-324, 1e-300, 0.0, 1e39, -5e-324)


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_extreme_numbers_can_be_drawn(tmp_path):
    for index, value in enumerate(EXTREMES):
        other = EXTREMES[index - 1]
        names = ("eval/return", "eval/return_std", "loss/a", "episode/return")
        rows = [
            {"step": step, **dict.fromkeys(names, number)}
            for step, number in ((0, value), (2**63, other), (2**62, value))
        ]
        run = run_at(tmp_path / str(index), rows)
        write_report([run])
        compare_into([run], Options(resamples=100), tmp_path / "out")


WRONG = (
    None,
    True,
    -1,
    0,
    "x",
    [],
    [1],
    {},
    {"a": 1},
    1.5,
    10**400,
    float("nan"),
    math.inf,
    [[1]],
    [{}],
    "",
    ESCAPE,
    "<script>",
)
FIELDS = (
    "task",
    "seed",
    "steps",
    "env__repeat",
    "env__kwargs",
    "sequence__tasks",
    "world__dynamics__dyn",
)
FIELDS += ("sequence__steps", "sequence__passes", "sequence__tests", "size", "agent", "optim")
FIELDS += (
    "world__balance__part",
    "world__net",
    "replay__keep",
    "pinned",
    "lost_field",
    "env",
    "sequence",
    "replay",
)


@pytest.mark.parametrize("name", FIELDS)
def test_wrong_types_of_fields_are_sentences(tmp_path, name):
    runs = [run_at(tmp_path / "good")]
    for index, value in enumerate(WRONG):
        runs.append(change(run_at(tmp_path / f"bad{index}"), **{name: value}))
        try:
            run_folder.read_config(runs[-1] / "config.json")
        except RunError as error:
            assert str(runs[-1]) in str(error)
    page = write_report(runs, tmp_path / "p.html").read_text()
    assert "\x1b" not in page and "<script>" not in page.split("<h1>")[1].split("</h1>")[0]
    found = compare_runs(runs, Options(by=("task",), resamples=100))
    assert not any("\x1b" in note or "\r" in note for note in found.notes)


@pytest.mark.parametrize("name", ["versions", "command", "facts"])
def test_wrong_types_of_the_rest_are_notes(tmp_path, name):
    values = [*WRONG, [["a"]], [[1, 2]], [[ESCAPE, "b"]], ["a" * 9, 5]]
    runs = [run_at(tmp_path / f"{k}", head={name: value}) for k, value in enumerate(values)]
    page = write_report(runs).read_text()
    assert "\x1b" not in page and f"config.json: &#39;{name}&#39; has not the form" in page
    write_report(runs[-1:])


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"config": ' + '{"a":' * 900 + "1" + "}" * 901,
        '{"config": {"steps": 1e999}}',
    ],
)
def test_deep_or_endless_configurations(tmp_path, text):
    good, bad = run_at(tmp_path / "good"), run_at(tmp_path / "bad")
    (bad / "config.json").write_text(text)
    assert "bad/config.json" in write_report([good, bad]).read_text()
    with pytest.raises(RunError, match="config"):
        stranger.read(bad)


def test_memory_is_not_a_strangers_to_take(tmp_path):
    run = run_at(tmp_path / "run")
    sequence = {"tasks": ["gym:A"], "steps": [1], "passes": 10**12}
    run = change(run, sequence=sequence)
    with pytest.raises(ReportError, match="visits"):
        write_report([run])
    run = change(run, sequence={}, env__kwargs="[" * 100_000)
    for read in (stranger.read, lambda path: write_report([path])):
        with pytest.raises((RunError, ReportError), match="JSON object") as error:
            read(run)
        assert len(str(error.value)) < 1_000


def test_escape_codes_do_not_reach_the_terminal(tmp_path, capsys):
    rows = [{"step": k, "eval/return": k, f"loss/{ESCAPE}": k} for k in (1, 2, 3)]
    head = {"command": ["reverie", ESCAPE], "versions": {ESCAPE: ESCAPE}, "facts": [[ESCAPE] * 2]}
    run = change(run_at(tmp_path / f"run{ESCAPE}", rows, head), task=f"x{ESCAPE}\nreverie: done")
    main(["report", str(run)])
    main(["compare", str(run), str(run_at(tmp_path / "b")), "--out", str(tmp_path / "out")])
    main(["eval", str(run), "--device", "cpu"])
    main(["report", str(tmp_path / f"no{ESCAPE}")])
    said = capsys.readouterr()
    text = said.out + said.err
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    assert "\nreverie: done" not in text
    for page in (run / "report.html", tmp_path / "out" / "index.html"):
        assert not [c for c in page.read_text() if not c.isprintable() and c not in "\n\t\xa0"]


def test_nothing_of_a_folder_is_markup(tmp_path):
    evil = "<img src=x onerror=alert(1)>\"'"
    rows = [{"step": 100, f"eval/return/{evil}": 1.0, "eval/return": 1.0, f"loss/{evil}": 2}]
    rows.append({"step": 200, f"eval/return/{evil}": 2.0, "eval/return": 1.5, f"loss/{evil}": 3})
    head = {"command": evil, "versions": {evil: evil}, "facts": [[evil, evil]]}
    run = run_at(tmp_path / "run", rows, head)
    run = change(run, task=evil, sequence={"tasks": [evil], "steps": [200]}, steps=200)
    run = change(run, lost={evil: evil})
    out = tmp_path / "out"
    compare_into([run, change(run_at(tmp_path / "b"), task=evil)], Options(), out)
    for page in (write_report([run]), *out.glob("*.html"), *out.glob("*.svg")):
        assert "<img src=x" not in page.read_text()


def test_names_of_tasks_make_no_odd_files(tmp_path):
    tasks = ("../../x", "a/b", "a_b", "n" * 400, "=1+1")
    runs = [change(run_at(tmp_path / f"r{k}"), task=task, seed=k) for k, task in enumerate(tasks)]
    compare_into(runs, Options(), tmp_path / "out")
    pictures = {path.name for path in (tmp_path / "out").glob("*.svg")}
    overall = {"performance-profile.svg", "sample-efficiency.svg"}  # of all tasks together
    assert overall < pictures
    assert len(pictures - overall) == len(tasks) and max(map(len, pictures)) < 200
    cells = (tmp_path / "out" / "curves.csv").read_text().splitlines()
    assert not any(cell.startswith("=") for cell in cells)


# 5. Pickles everywhere


def planted(run: Path, marker: Path) -> list[Path]:
    """Replace every file that is read by a pickle, and plant some more; the places."""
    body = pickle.dumps(Bomb(marker))
    array = np.empty(1, object)
    array[0] = Bomb(marker)
    npy = run / "x.npy"
    np.save(npy, array, allow_pickle=True)
    places = [path for path in run.rglob("*") if path.is_file() and path != npy]
    (run / "videos").mkdir(exist_ok=True)
    packed = run / "videos" / "openloop-000000001.npz"
    with zipfile.ZipFile(packed, "w") as file:
        for name in ("truth", "prediction", "context", "names"):
            file.writestr(f"{name}.npy", npy.read_bytes())
    renamed = run / "videos" / "openloop-000000002.npz"
    renamed.write_bytes(npy.read_bytes())
    plain = run / "videos" / "eval-000000001.png"
    for path in [*places, plain, run / "metrics.jsonl", run / "config.json"]:
        path.write_bytes(body)
    return [packed, renamed]


def test_no_pickle_is_loaded_from_any_place(tmp_path):
    marker = tmp_path / "marker"
    run = run_at(tmp_path / "run")
    saved = checkpoint.save(run / "checkpoints", 5, {"a": np.zeros(3), "replay": {"files": {}}})
    (run / "replay").mkdir()
    (run / "replay" / f"table-000000-{'0' * 32}.safetensors").write_text("")
    config = (run / "config.json").read_bytes()
    extra = planted(run, marker)
    with pytest.raises(ReportError):
        write_report([run])
    (run / "config.json").write_bytes(config)
    write_report([run])
    for path in extra:
        with pytest.raises(ValueError, match="no open-loop prediction"):
            video.load_curves(path)
    with pytest.raises(RunError):
        checkpoint.load(saved)
    with pytest.raises(RunError):
        MetricsFile(run / "metrics.jsonl", 10)
    assert not marker.exists()
    pickle.loads(pickle.dumps(Bomb(marker)))
    assert marker.exists()  # the bait works


def test_a_manifest_names_only_replay_files(tmp_path):
    from reverie.replay import files as replay_files

    (tmp_path / "replay").mkdir()
    (tmp_path / "private").write_text(SECRET)
    with pytest.raises(ReplayError, match="is not the name of a replay file"):
        replay_files._check_size(tmp_path / "replay", replay_files.Entry("../private", 14))


def test_an_archive_that_unpacks_to_much_is_not_unpacked(tmp_path):
    path = tmp_path / "openloop-000000001.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("truth", "prediction", "context", "names"):
            file.writestr(f"{name}.npy", b"\0" * (20 << 20))
    with pytest.raises(ValueError, match="unpacks to"):
        video.load_curves(path)
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }"
    with zipfile.ZipFile(path, "w") as file:
        for name in ("truth", "prediction", "context", "names"):
            body = (header % b"9000000000").ljust(127) + b"\n"
            file.writestr(f"{name}.npy", body)
    with pytest.raises(ValueError, match="no open-loop prediction"):
        video.load_curves(path)


def test_a_file_of_tensors_is_only_tensors(tmp_path):
    """What checkpoints and replay files are made of cannot hold code: names, types, bytes."""
    data = safetensors.numpy.save({"a": np.zeros(3)})
    assert pickle.PROTO not in data[:1] and safetensors.numpy.load(data)["a"].shape == (3,)
    with pytest.raises(files.NotPlain, match="more than the 5 that are read"):
        (tmp_path / "x").write_bytes(b"123456")
        files.read(tmp_path / "x", 5)
