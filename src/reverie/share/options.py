"""Options of `reverie push` and `reverie pull`."""

from dataclasses import dataclass

from tyro.conf import Positional, UseAppendAction

from reverie.part.checks import Checker
from reverie.part.errors import ConfigError


@dataclass(frozen=True)
class PushOptions:
    """Share a trained agent: weights, settings, results and films, with a page about it."""

    run: Positional[str]
    """Run folder."""
    repo: Positional[str] = ""
    """Repository on the Hub, OWNER/NAME; it is made if there is none."""
    to: str = ""
    """Folder to write the same files into, in place of a repository."""
    seed_run: UseAppendAction[tuple[str, ...]] = ()
    """Run of the same command with another seed, whose results count too. May be given several
    times."""
    license: str = "unknown"
    """Licence of the weights, as the Hub spells it: apache-2.0, mit, cc-by-4.0."""
    private: bool = False
    """Make a new repository private."""
    checkpoint: str = "newest"
    """Whose weights: newest, best where the run keeps one, or the STEP of one."""
    allow: UseAppendAction[tuple[str, ...]] = ()
    """A package from which parts that the run names may be imported. May be given several times."""

    def __post_init__(self):
        Checker(self, "")

    def check_place(self) -> None:
        """Raises ConfigError unless one place is named."""
        if bool(self.repo) == bool(self.to):
            raise ConfigError(
                "say where to push, either a repository (`reverie push runs/mine OWNER/NAME`) or "
                "a folder (`reverie push runs/mine --to DIR`)."
            )


@dataclass(frozen=True)
class PullOptions:
    """Fetch a shared agent into a folder of its own."""

    repo: Positional[str]
    """Repository on the Hub, OWNER/NAME."""
    folder: Positional[str]
    """Folder to make."""
    revision: str = "main"
    """Branch, tag or commit."""

    def __post_init__(self):
        Checker(self, "")
