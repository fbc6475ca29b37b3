"""`benchmarks/gpu/run.sh`: its commands can be read, and it goes on whatever happens to a part."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from reverie import launch
from reverie.bench import options
from reverie.publish import parse

FOLDER = Path(__file__).parents[2] / "benchmarks" / "gpu"


@pytest.fixture
def script(monkeypatch):
    """A module of the script by its name."""
    monkeypatch.syspath_prepend(str(FOLDER))
    names = ("parts", "table", "run")
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("device", ["gpu", "cpu"])
def test_every_command_is_understood(small, device, script):
    parts = script("parts")
    found = parts.parts(parts.Choice(device, small))
    assert len({part.name for part in found}) == len(found) > 15
    kinds = {"update": options.UpdateOptions, "act": options.ActOptions}
    for part in found:
        match part.words:
            case ("-m", "reverie", "bench", kind, *words):
                read = parse(kinds[kind], list(words), kind)
                assert read.device == device and read.json == "FILE"
            case ("-m", "reverie", "train", *words):
                assert launch.read(words).config().device.kind == device
            case (file, *words):
                assert file.endswith("loops/measure.py") and words[-2:] == ["--out", "FILE"]


STOPPED = """
import sys, time
try:
    time.sleep(60)
except KeyboardInterrupt:
    open(sys.argv[1], "w").write('{"mean": 2.5}')
"""


def finished(script, tmp_path, monkeypatch, *asked) -> dict:
    """What the script says after parts that are small programs."""
    run = script("run")
    part = script("parts").Part
    programs = {
        "fine": ("-c", "import json, sys; json.dump({'mean': 1.5}, open(sys.argv[1], 'w'))"),
        "broken": ("-c", "raise SystemExit('it broke')"),
        "endless": ("-c", "import time; time.sleep(60)"),
    }
    chosen = [part(name, (*words, "FILE"), 40) for name, words in programs.items()]
    chosen[2] = chosen[2]._replace(limit=1)
    chosen.append(part("learning", ("-c", STOPPED, "FILE"), 3, stop=True))
    chosen.append(part("elsewhere", ("-c", ""), 40, ("no_such_module", "no/such/file")))
    monkeypatch.setattr(run, "parts", lambda choice: chosen)
    monkeypatch.setattr(run, "machine", lambda: {"platform": "cpu"})
    monkeypatch.setattr(sys, "argv", ["run.py", str(tmp_path), "--device", "cpu", *asked])
    assert run.main() == 0
    return json.loads((tmp_path / "results.json").read_text())["parts"]


def test_a_part_that_fails_does_not_stop_the_others(script, tmp_path, monkeypatch):
    found = finished(script, tmp_path, monkeypatch)
    states = {name: (record["state"], record["said"]) for name, record in found.items()}
    assert states == {
        "fine": ("done", ""),
        "broken": ("failed", "it broke"),
        "endless": ("too slow", "not done after 1 s"),
        "learning": ("done", "stopped after 3 s"),
        "elsewhere": ("skipped", "not here: no_such_module, no/such/file"),
    }
    assert [found[name]["found"]["mean"] for name in ("fine", "learning")] == [1.5, 2.5]
    shown = (tmp_path / "results.md").read_text()
    assert "| broken | failed (it broke) |" in shown and "| mean 1.5 |" in shown


def test_what_there_was_no_time_for_is_done_the_next_time(script, tmp_path, monkeypatch):
    early = finished(script, tmp_path, monkeypatch, "--minutes", "0")
    assert {record["state"] for record in early.values()} == {"no time", "skipped"}
    later = finished(script, tmp_path, monkeypatch, "--only", "fine")
    assert later["fine"]["state"] == "done" and later["broken"]["state"] == "no time"
    (tmp_path / "fine.json").unlink()
    assert finished(script, tmp_path, monkeypatch, "--only", "fine") == later
