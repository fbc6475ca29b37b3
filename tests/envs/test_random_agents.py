"""Random agents on Continual-Dreamer's tasks: equal to the specification's tables."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def script():
    path = ROOT / "benchmarks" / "random_agents.py"
    spec = importlib.util.spec_from_file_location("random_agents", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


agents = script()
FAR = 4.0  # standard errors; thirteen tasks with two rates each


def check(task, found, facts):
    base = 26_000 if "doorkey" in task else agents.TABLE_EPISODES
    for key in ("success", "death"):
        apart = agents.deviation(found[key], found["episodes"], facts[key], base)
        assert abs(apart) < FAR, (task, key, found[key], facts[key])
    # A sample without a rare success underestimates the spread of returns: a success pays about 1.
    least = (facts["success"] * (1 - facts["success"]) / found["episodes"]) ** 0.5
    for key, unit in (("return", 0.0005), ("length", 0.5)):  # the table's rounding
        if key in facts:
            spread = max(found[f"{key}_se"], least if key == "return" else 0.0)
            error = spread * (1 + found["episodes"] / base) ** 0.5
            assert abs(found[key] - facts[key]) < FAR * error + unit, (task, key, found[key])


@pytest.mark.slow
@pytest.mark.parametrize("task", agents.TABLE)
def test_a_random_agent_scores_what_the_table_says(task):
    pytest.importorskip("minigrid" if task.startswith("minigrid") else "minihack",
                        reason="needs the extras minigrid and nethack")  # fmt: skip
    check(task, agents.play(task, 400), agents.TABLE[task])


def test_the_committed_numbers_agree_with_the_table():
    committed = json.loads((ROOT / "benchmarks" / "random_agents.json").read_text())
    assert list(committed) == list(agents.TABLE)
    for task, entry in committed.items():
        assert entry["table"] == agents.TABLE[task]
        assert entry["found"]["episodes"] >= 1000
        check(task, entry["found"], entry["table"])


def test_the_check_sees_another_rate():
    wrong = {"episodes": 400, "success": 0.3, "death": 0.0}
    with pytest.raises(AssertionError):
        check("minihack_cd_river", wrong, {"success": 0.2, "death": 0.0})
