"""A feed of runs that grow while a test looks."""

import pytest
from grown import Growing

from reverie.live import feed


@pytest.fixture(autouse=True)
def always_fresh(monkeypatch):
    """Every request looks at the files."""
    monkeypatch.setattr(feed, "FRESH", 0.0)


@pytest.fixture
def growing(tmp_path):
    return Growing(tmp_path / "grows")
