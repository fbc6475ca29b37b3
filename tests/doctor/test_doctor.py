"""The doctor finds each ailment, names its remedy, and finds nothing wrong with the healthy."""

import functools as ft
import json
import re

import numpy as np
import pytest
from sick_envs import Patient, healthy, old_fashioned

import reverie
from reverie.cli import main
from reverie.doctor.sheet import TILE, contact_sheet, stacked
from reverie.doctor.visit import examine
from reverie.part.errors import ConfigError


def visit(ailment, **settings):
    return examine(ft.partial(Patient, ailment), seconds=0, steps=60, **settings)


def texts(report, verdict):
    return " | ".join(f.text for f in report.findings if f.verdict == verdict)


def test_a_healthy_environment_has_no_problem():
    report = reverie.check_env(healthy, seconds=0, steps=100)
    assert report.healthy, texts(report, "problem")
    assert {f.check for f in report.findings} >= {
        *("making", "contract", "ends", "actions", "seeds", "processes", "rendering", "close")
    }
    assert report.observations == {
        "kind": "discrete scalar, 3 classes",
        "numbers": "vector 3",
        "picture": "image 50x70x3",
    }


@pytest.mark.filterwarnings("ignore:Conversion of an array:DeprecationWarning")
@pytest.mark.parametrize(
    ("ailment", "says"),
    [
        ("bounds", r"observation\['numbers'\] reaches from .* only from -1 to 1.*true bounds"),
        ("dtype", r"dtype float64, its space float32.*astype\(np.float32\)"),
        ("nan", r"observation\['numbers'\] holds NaN or infinity, at step 2"),
        ("shape", r"shape \(1, 3\), its space \(3,\)"),
        ("classes", r"observation\['kind'\] is 3, outside Discrete\(3\)"),
        ("missing", r"observation\['kind'\] is missing.*show every key"),
        ("old reset", r"reset\(\) returned .* return \(observation, info\)"),
        ("old step", r"step\(\) returned a tuple of length 4.*terminated, truncated"),
        ("array reward", r"the reward is an array of shape \(1,\).*return a float"),
        ("flags", r"truncated is 0 of type int.*return bool\(truncated\)"),
        ("info", r"info of step\(\) is None.*return a dict"),
        ("deaf", r"the same seed gave another episode.*self.np_random"),
        ("global", r"another episode.*uses the global random numbers.*self.np_random"),
        ("process", r"another process gave another episode.*numbers at step 0"),
        ("corner", r"RuntimeError: the corner bites"),
        ("blind", r"OSError: no screen.*MUJOCO_GL"),
        ("close", r"RuntimeError: closed already.*called twice"),
    ],
)
def test_each_ailment_is_found_with_its_remedy(ailment, says):
    report = visit(ailment)
    assert not report.healthy
    assert re.search(says, texts(report, "problem")), texts(report, "problem")


@pytest.mark.parametrize(
    ("ailment", "says"),
    [
        ("endless", "no episode ended within 60 steps.*env.limit"),
        ("limit", "as terminated after exactly 5 steps.*return truncated"),
        ("unpaid", "never found a reward"),
        ("frozen", "'picture' never changed.*--env.exclude picture"),
        ("faint", r"'numbers' has numbers that vary by less than 0.02 \(\[1\]: 0.000.*standardize"),
    ],
)
def test_what_is_no_breach_is_a_note(ailment, says):
    report = visit(ailment)
    assert report.healthy, texts(report, "problem")
    assert re.search(says, texts(report, "note"))


def test_one_breach_is_told_once():
    found = [f for f in visit("bounds").findings if f.verdict == "problem"]
    assert len(found) == 1


def test_old_resets_are_named():
    report = examine(old_fashioned, seconds=0, steps=20)
    assert "does not take seed= and options=" in texts(report, "problem")


def test_a_constructor_that_fails_is_a_finding():
    def broken():
        raise ValueError("no level file")

    report = examine(broken, seconds=0)
    assert texts(report, "problem") == "ValueError: no level file."
    assert "gymnasium.Env" in texts(examine(lambda: {}, seconds=0), "problem")


def test_what_makes_no_environment_is_refused_at_the_door():
    with pytest.raises(ConfigError, match=r"task is the class dict, which is no gymnasium\.Env"):
        examine(dict, seconds=0)


def test_what_cannot_be_pickled_is_said():
    lock = __import__("threading").Lock()
    report = examine(lambda: Patient("" if lock else "x"), seconds=0, steps=20)
    assert report.healthy
    assert "process" in texts(report, "note")


def test_speed_and_needs_are_plausible():
    report = examine(healthy, seconds=0.2, steps=30, overrides={"steps": 5_000}, size="debug")
    assert report.healthy, texts(report, "problem")
    assert report.speed.alone > 100
    assert report.speed.num == 1
    needs = report.needs
    assert needs.updates == 5_000 * 256 / (8 * 32)
    row = 50 * 70 * 3 + 3 * 4 + 4 + 2 * 4  # picture, numbers, kind, action; latents come on top
    assert 5_000 * row < needs.replay_bytes < 5_000 * (row + 20_000)
    assert needs.learner_bytes > 12 * needs.params  # weights and two moments, float32
    assert needs.learn_seconds > 0
    assert needs.disk_bytes > needs.replay_bytes


def test_a_plan_that_does_not_fit_is_a_problem():
    report = examine(
        healthy, seconds=0.1, steps=20, overrides={"steps": 10**9, "replay.capacity": 10**9}
    )
    assert "lower --replay.capacity" in texts(report, "problem")


def test_contact_sheets_show_all_pictures_in_order():
    dark = [np.full((8, 12, 1), shade, np.uint8) for shade in range(0, 160, 10)]
    many = [np.zeros((100, 100, 5), np.uint8)] * 3
    sheet = stacked([contact_sheet(dark), contact_sheet(many)])
    assert sheet.shape[0] == 96 + 4 + 100 + 4
    middle = sheet[TILE // 2, TILE // 2 :: 144 + 4, 0][:8]
    assert list(middle) == sorted(middle)
    assert (middle[0], middle[-1]) == (0, 150)
    assert stacked([]) is None


def test_the_verb_writes_files_and_its_exit_code_tells(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--seconds", "0", "--steps", "40", "--json", "found.json"]
    assert main(["doctor", "sick_envs:healthy", *words]) == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["healthy"]
    assert (tmp_path / "doctor-custom-sick_envs.healthy.png").stat().st_size > 100
    assert "healthy" in capsys.readouterr().out
    assert (
        main(["doctor", "sick_envs:Patient", *words, "--set", 'env.kwargs={"ailment": "nan"}']) == 1
    )
    assert "PROBLEM" in capsys.readouterr().out
    assert main(["doctor", "no_such_module:thing"]) == 2
    assert "MODULE:FUNCTION" in capsys.readouterr().err


def test_unknown_names_are_errors():
    with pytest.raises(ConfigError, match=r"sick_envs has no 'nobody'; known: .*healthy"):
        examine("sick_envs:nobody")


def test_our_own_suites_are_healthy():
    for task in ("probe_memory", "probe_action", "pinpad_three"):
        report = examine(task, seconds=0, steps=60)
        assert report.healthy, texts(report, "problem")


def test_a_gymnasium_id_is_healthy_or_honest():
    assert examine("gym:CartPole-v1", seconds=0, steps=60).healthy
    assert "Unknown task" in texts(examine("probe_memry", seconds=0), "problem")
