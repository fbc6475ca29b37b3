"""The folder of a run as one process, or several that learn it together, take it."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from reverie.config.schema import Config
from reverie.folder import leftovers, run_folder
from reverie.folder.errors import RunError
from reverie.folder.fingerprint import identity
from reverie.folder.mirror import Mirror, held
from reverie.train.peers import Peers, peers_of, silent
from reverie.train.sequence import MakeEnv


class Place(NamedTuple):
    """Where a run is, and whose."""

    config: Config  # that names the folder, and is silent where another process speaks
    logdir: Path
    peers: Peers
    source: str  # the `identity` of what makes the environments
    mirror: Mirror | None  # the folder's copy elsewhere
    notices: list[str]


@contextlib.contextmanager
def taken(config: Config, make_env: MakeEnv) -> Iterator[tuple[Place, contextlib.ExitStack]]:
    """The folder that `config` means, this process's own within; a stack that ends before it.

    Of several processes the first one owns it. Raises RunError where it cannot be used, or the
    system refuses something within that nobody nearer to it foresaw.
    """
    peers, logdir = peers_of(config.device), run_folder.logdir_of(config)
    source = identity(make_env)
    if not config.logdir:
        run_folder.check_source(logdir, source)
    config = silent(dataclasses.replace(config, logdir=run_folder.place_of(config)), peers)
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(peers.telling())
            mirror, notices = None, list[str]()
            if not peers.index:
                mirror, notices = stack.enter_context(held(config.logdir, logdir))
                leftovers.remove(logdir)
            peers.gather("the folder is there")
            yield Place(config, logdir, peers, source, mirror, notices), stack
            peers.gather("done")
    except BrokenPipeError:  # nobody reads what the run says
        raise
    except OSError as error:
        raise RunError(run_folder.refused(error)) from error
