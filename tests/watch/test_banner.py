"""What the plan says of the settings."""

import io

import pytest
from rich.console import Console

from reverie.config.presets import resolve
from reverie.watch.banner import banner


def said(config) -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    banner(config, [("updates", "7")], console=console)
    return " ".join(console.export_text().split())


@pytest.mark.parametrize("task", ["gym:CartPole-v1", "custom:mine"])
def test_both_settings_of_a_small_task_are_named(task):
    quick, published = said(resolve(task)), said(resolve(task, preset="published"))
    assert "settings quick: 12,000 steps, 12,000 updates" in quick
    assert "instead --preset published: 100,000 steps, 25,000 larger updates" in quick
    assert "settings published: 100,000 steps, 25,000 updates" in published
    assert "instead --preset quick: 12,000 steps, 12,000 smaller updates" in published


@pytest.mark.parametrize(
    ("task", "preset"), [("dmc_walker_walk", None), ("gym:CartPole-v1", "debug")]
)
def test_other_tasks_and_presets_have_one_setting(task, preset):
    assert "--preset" not in said(resolve(task, preset=preset))
