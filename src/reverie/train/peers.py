"""Processes that learn one run together, and what they tell each other between two turns.

Every process has its share of the environments, of the replay and of each batch. All of them make
the same turns: whatever one of them finds out (an episode that ended, a signal) and that decides
what is done next, all of them learn at the same place of the loop. That goes through JAX's
coordination service, from host to host: no device waits for it.
"""

import contextlib
import dataclasses
import itertools
import json
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from reverie.config.run import DeviceConfig
from reverie.config.schema import Config
from reverie.folder import address
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError

_runs = itertools.count()
"""Runs of this process; those of all processes come in the same order."""

SLICE = 1000
"""Milliseconds between two looks whether another process has failed."""


class Alone:
    """A process that learns alone."""

    index, count = 0, 1

    def gather(self, value: Any) -> list[Any]:
        """What every process gives here, in their order."""
        return [value]

    def rows(self, rows: Any) -> Any:
        """Arrays of all processes, one after another along the first axis."""
        return rows

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Whatever ends this process inside is told to the others."""
        yield


ALONE = Alone()


class Together:
    """One of several processes. Values that are gathered are such as JSON can hold."""

    def __init__(self, client: Any, index: int, count: int, *, run: int = 0):
        """`client`: of JAX's coordination service, which never forgets a key; `run`: which of the
        runs that these processes learn one after another."""
        self._client, self.index, self.count = client, index, count
        self._room, self._turn = f"reverie/{run}", 0
        self._failed = f"{self._room}/failed"

    def gather(self, value: Any) -> list[Any]:
        """As `Alone.gather`. Raises RunError where another process has ended."""
        self._turn += 1
        self._client.key_value_set(self._key(self._turn, self.index), json.dumps(value))
        found = [json.loads(self._wait(self._key(self._turn, k))) for k in range(self.count)]
        if self._turn > 1:  # all have read it: they have come here
            self._client.key_value_delete(self._key(self._turn - 1, self.index))
        return found

    def rows(self, rows: Any) -> Any:
        """As `Alone.rows`."""
        from jax.experimental import multihost_utils

        return jax.tree.map(
            np.asarray,
            multihost_utils.process_allgather(jax.tree.map(np.asarray, rows), tiled=True),
        )

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """As `Alone.telling`; what JAX says of a lost process becomes a sentence (RunError)."""
        try:
            yield
        except jax.errors.JaxRuntimeError as error:
            said = str(error).strip().splitlines()[0]
            raise RunError(
                f"process {self.index} of {self.count} cannot go on, most likely because another "
                f"one has ended ({said}): checkpoints are intact; give all processes their "
                "commands again to resume."
            ) from error
        except BaseException as error:
            with contextlib.suppress(Exception):
                told = json.dumps([self.index, str(error) or type(error).__name__])
                self._client.key_value_set(self._failed, told)
            raise

    def _key(self, turn: int, index: int) -> str:
        return f"{self._room}/{turn}/{index}"

    def _wait(self, key: str) -> str:
        while True:
            try:
                return self._client.blocking_key_value_get(key, SLICE)
            except jax.errors.JaxRuntimeError as error:
                if "DEADLINE_EXCEEDED" not in str(error):
                    raise
            self._check_others()

    def _check_others(self) -> None:
        try:
            index, said = json.loads(self._client.key_value_try_get(self._failed))
        except jax.errors.JaxRuntimeError:
            return  # nobody has
        raise RunError(f"process {index} of {self.count} ended: {said}")


Peers = Alone | Together


def silent(config: Config, peers: Peers) -> Config:
    """`config` of a process that is not the first: it says nothing, and has no trackers.

    Raises ConfigError for what several processes cannot do.
    """
    if peers.count > 1 and config.bonus.active:
        raise ConfigError(
            f"bonus counts the visits of one process, and {peers.count} learn together: leave it "
            "out, or learn in one process."
        )
    if peers.count > 1 and address.is_url(config.logdir):
        raise ConfigError(
            f"--logdir {config.logdir} is worked on in a folder of one machine and copied there, "
            f"and {peers.count} processes that learn together must all see the run folder: give a "
            "path that all of them see, or learn in one process."
        )
    if not peers.index:
        return config
    log = dataclasses.replace(config.log, progress="none", tensorboard=False, wandb="")
    return dataclasses.replace(config, log=log)


def peers_of(device: DeviceConfig) -> Peers:
    """Who learns a run: the processes that JAX was told of, where there is a mesh."""
    if not device.mesh or jax.process_count() == 1:
        return ALONE
    from jax._src import distributed  # the client has no public name

    client, index, count = distributed.global_state.client, jax.process_index(), jax.process_count()
    return Together(client, index, count, run=next(_runs))
