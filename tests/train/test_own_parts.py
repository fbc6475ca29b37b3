"""A part of the user's own in a run: the draw of docs/parts.md, by name, by object, read back."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tiny_runs import TINY, metrics

import reverie
from reverie.behavior.bonus import NoBonus
from reverie.behavior.explorer import AbstractExplorer
from reverie.cli import main
from reverie.config.presets import resolve
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError
from reverie.part.needs import ENSEMBLE

PAGE = Path(__file__).parents[2] / "docs" / "parts.md"


@pytest.fixture
def my_draws(tmp_path, monkeypatch):
    """The module that the page shows."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code is not None
    home = tmp_path / "mine"
    home.mkdir()
    (home / "my_draws.py").write_text(code.group(1))
    monkeypatch.syspath_prepend(str(home))
    yield home
    sys.modules.pop("my_draws", None)


@dataclass(frozen=True)
class Wanderer(AbstractExplorer):
    """Seeks something, and tells nothing about stored rows."""


@dataclass(frozen=True)
class Ensembled(NoBonus):
    """A bonus of somebody's that only works beside an ensemble."""

    def needs(self):
        return frozenset({ENSEMBLE})


def test_what_parts_of_the_user_need_and_offer_counts():
    scored = {"replay.draw": "proportional", "replay.signal": "disagreement"}
    with pytest.raises(ConfigError, match="'disagreement' needs an ensemble"):
        resolve("gym:X-v0", overrides={**scored, "explore": Wanderer()})
    with pytest.raises(ConfigError, match=r"bonus '.*Ensembled' needs an ensemble of predictions"):
        resolve("gym:X-v0", overrides={"bonus": Ensembled()})
    assert resolve("gym:X-v0", overrides={"bonus": Ensembled(), "explore": "plan2explore"})


def test_it_is_chosen_by_name_with_its_options(my_draws):
    edits = {"replay.draw": "my_draws:Newest", "replay.draw.share": "0.25"}
    assert resolve("gym:X-v0", overrides=edits).replay.draw.share == 0.25  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match=r"replay\.draw\.share must be in \(0, 1\], found 2"):
        resolve("gym:X-v0", overrides=edits | {"replay.draw.share": 2})


def test_a_run_with_it_learns_and_is_read_with_a_word(my_draws, tmp_path, cache):
    import my_draws as module

    run = reverie.train(
        "gym:CartPole-v1",
        size="debug",
        steps=120,
        logdir=tmp_path / "run",
        parts={"replay.draw": module.Newest(0.25)},
        overrides={k: v for k, v in TINY.items() if k != "steps"} | {"device.cache": str(cache)},
    )
    last = metrics(run)[-1]
    assert max(row.get("train/updates", 0) for row in metrics(run)) > 5, last
    with pytest.raises(RunError, match=r"would import 'my_draws': .*--allow my_draws"):
        reverie.load(run)
    assert reverie.saved_config(run, allow="my_draws").replay.draw == module.Newest(0.25)
    assert reverie.load(run, allow="my_draws") is not None


def test_a_preset_file_names_it_and_keeps_its_options(my_draws, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[replay.draw]\npart = "my_draws:Newest"\nshare = 0.25\n')
    edits = {"replay.draw": "my_draws:Newest", "replay.draw.share": 0.25}
    wanted = resolve("gym:X-v0", overrides=edits)
    assert resolve("gym:X-v0", preset=path) == wanted
    kept = tmp_path / "kept.toml"
    flags = [word for name, value in edits.items() for word in (f"--{name}", str(value))]
    assert main(["presets", "--save", str(kept), *flags]) == 0
    assert resolve("gym:X-v0", preset=kept) == wanted
