"""`reverie dream`: from the words of a command to a page that is served."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reverie import __version__
from reverie.config.schema import Config
from reverie.dream import model
from reverie.dream.desk import Desk
from reverie.dream.inspector import Inspector
from reverie.dream.options import DreamOptions
from reverie.dream.reality import World
from reverie.train import chosen
from reverie.watch.text import one_line
from reverie.web import show


def open_run(
    logdir: Path, options: DreamOptions, config: Config, made_by: Any, given: Mapping[str, Any]
) -> Desk:
    """The desk of a run folder; the programs of a step are compiled.

    Args:
        logdir: where the run of `options` lies on this machine, with its replay.
        config: what `stranger.read` made of the folder's.
        made_by: what makes the run's environments, where the user named it.
        given: the reader's own settings.

    Raises RunError where there is no checkpoint, or it cannot be read.
    """
    loaded = model.load(logdir, config, chosen.choose(logdir, options.checkpoint))
    specs = loaded.observations, loaded.actions
    trusted = "env.kwargs" in given
    world = World(config, specs, make_env=made_by, allow=options.allow, trusted=trusted)
    inspector = Inspector(logdir, loaded, world)
    inspector.warm()
    title = {
        "run": one_line(logdir.resolve().name),
        "task": one_line(config.task),
        "agent": config.agent,
        "size": config.size,
        "step": loaded.step,
        "parameters": loaded.parameters,
        "version": __version__,
    }
    return Desk(inspector, title)


def run(desk: Desk, options: DreamOptions) -> None:
    """Serve until a signal comes. Raises ConfigError where the host cannot be listened at."""
    from reverie.dream import server

    try:
        show.run(lambda guard, _: server.make_app(desk, guard), options)
    finally:
        desk.close()
