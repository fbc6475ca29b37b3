"""What the plan says of the settings."""

import io

import pytest
from rich.console import Console

from reverie.config.presets import resolve
from reverie.watch.banner import banner


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("gym:CartPole-v1", "quick; --preset published: 100,000 steps with 25,000 larger updates"),
        ("custom:mine", "quick; --preset published: 100,000 steps with 25,000 larger updates"),
        ("dmc_walker_walk", ""),
    ],
)
def test_quick_settings_name_the_suites_own(task, words):
    console = Console(width=120, record=True, file=io.StringIO())
    banner(resolve(task), [("updates", "7")], console=console)
    said = " ".join(console.export_text().split())
    assert words in said and ("--preset published" in said) == bool(words)
