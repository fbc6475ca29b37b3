"""Which options of retention go together, and why the others do not [replay-sampling.md §5.3]."""

from typing import TYPE_CHECKING

from reverie.part.errors import ConfigError

if TYPE_CHECKING:
    from reverie.replay.options import ReplayConfig


def check_retention(config: "ReplayConfig") -> None:
    """Raises ConfigError for a pair of options that would not do what its names say."""
    if config.unit == "row" and config.keep != "fifo":
        raise ConfigError(
            f"replay.keep {config.keep!r} removes whole units, and replay.unit is 'row': windows "
            "that share rows are not units, removing one frees no memory. Set --replay.unit "
            "episode, or splice for runs without clear episodes."
        )
    if config.unit == "row" and (config.ongoing or config.minlen):
        name = "ongoing" if config.ongoing else "minlen"
        raise ConfigError(
            f"replay.{name} is about units, and replay.unit 'row' has none (every row may be drawn "
            "as soon as a window is full): set --replay.unit episode."
        )
    if config.unit == "splice" and config.minlen:
        raise ConfigError(
            "replay.minlen drops short episodes, and splices are cut regardless of episodes, all "
            f"of replay.unit_rows ({config.unit_rows}) rows: set --replay.unit episode or chunk."
        )
    if config.unit == "chunk" and config.minlen >= config.unit_rows:
        raise ConfigError(
            f"replay.minlen ({config.minlen}) would drop every chunk of replay.unit_rows "
            f"({config.unit_rows}) rows: set it below."
        )
