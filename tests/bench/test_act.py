"""The acting benchmark: what it calls, and what it writes."""

import json
import re

import pytest

from reverie.bench import act
from reverie.bench.case import cases, random_step
from reverie.bench.options import ActOptions
from reverie.part.errors import ConfigError


def test_latencies_by_number_of_environments(tmp_path, capsys):
    file = tmp_path / "a.json"
    found = act.run(ActOptions("debug", "vector", (1, 3), repeats=2, json=str(file)))
    assert [x.envs for x in found] == [1, 3]
    for x in found:
        assert 0.01 < x.median_ms <= x.p95_ms < 1e4
        assert x.steps_per_s == pytest.approx(1e3 * x.envs / x.median_ms, rel=0.01)
    written = json.loads(file.read_text())
    assert [row["envs"] for row in written["latency"]] == [1, 3]
    assert written["latency"][0]["median_ms"] == found[0].median_ms
    assert "acting, debug vector f32" in capsys.readouterr().out


def test_percentiles_of_known_times():
    found = act._latency(4, [0.001] * 19 + [0.5], 0.002)
    assert found == (4, 1.0, 1.0, 2.0, 4000.0)
    assert act._latency(4, [0.001] * 18 + [0.5] * 2, 0.002).p95_ms == 500.0


def test_the_step_is_in_the_middle_of_an_episode():
    step = random_step(cases(["debug"], ["both"], ["f32"])[0], 2)
    assert {key: value.shape for key, value in step.obs.items()} == {
        "image": (2, 64, 64, 3),
        "height": (2,),
        "orientations": (2, 14),
        "velocity": (2, 9),
    }
    assert not step.is_first.any()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"envs": ()}, "--envs takes different numbers of at least 1, found []."),
        ({"envs": (0, 1)}, "found [0, 1]."),
        ({"envs": (2, 2)}, "found [2, 2]."),
        ({"size": "2m"}, "there is no size '2m'"),
    ],
)
def test_options_that_cannot_be_meant(change, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        ActOptions(**change)
