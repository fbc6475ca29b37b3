"""The bookkeeping of a replay whose rows lie elsewhere: in the memory of a device.

Which rows a draw takes follows from counters and from what updates found out, never from the rows
themselves. So the host decides it as always, with the same numbers, and rows come home only where
somebody wants to read them: a checkpoint, a report.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from reverie.replay.draw import TRAIN, generator
from reverie.replay.keep import Ticket, spread
from reverie.replay.replay import Replay
from reverie.replay.rows import is_latent
from reverie.replay.sampler import Drawn

Read = Callable[[int, int, tuple[str, ...]], Mapping[str, Shaped[np.ndarray, "E N ..."]]]
"""Reads so many slots of every stream, from the first one on, of the named columns."""


class RemoteRows:
    """What `replay` would do with rows that it does not hold. Its retention must be a ring."""

    def __init__(self, replay: Replay):
        self._replay = replay
        blocks = len(replay.inside.store.fill)
        self._latents = tuple(filter(is_latent, replay.columns))
        self._arrived, self._rewritten = np.zeros(blocks, bool), np.zeros(blocks, bool)

    @property
    def inserted(self) -> int:
        """Rows of every stream so far."""
        return self._replay.inside.keep.inserted

    def admit(self) -> None:
        """Every stream has one more row; `arrived` is told of many together."""
        keep, sampler, _ = self._replay.inside
        sampler.follow(keep.admit({}), {})

    def arrived(self, rows: int) -> None:
        """The last `rows` rows of every stream are on the device and not here."""
        keep, _, store = self._replay.inside
        slot = np.arange(max(keep.inserted - rows, keep.inserted - store.slots), keep.inserted)
        blocks, used = np.divmod(slot % store.slots, store.block)
        np.maximum.at(store.fill, blocks, used + 1)
        self._arrived[blocks] = True
        for dirty in store.dirty.values():
            dirty[blocks] = True

    def draw(self, batch: int) -> Drawn:
        """What `Replay.draw` would draw now."""
        _, sampler, _ = self._replay.inside
        rng = generator(self._replay.seed, sampler.counters.draws, TRAIN)
        drawn = sampler.draw(batch, rng)
        sampler.note(drawn, {})
        return drawn

    def written(
        self, ticket: Ticket, rows: int, score: Float[np.ndarray, "B T"] | None, *, offset: int
    ) -> None:
        """What `Replay.write` does beside the columns, which the device writes: results of `rows`
        rows from `offset` on."""
        _, sampler, store = self._replay.inside
        stream, row = (part[:, offset : offset + rows] for part in spread(ticket, offset + rows))
        place = sampler.commit(Ticket(stream, row), score)
        place = place[place >= 0]
        store.touch(place)
        self._rewritten[place % store.slots // store.block] = True

    def bring_home(self, read: Read) -> None:
        """Fill the host's columns with what has changed since the last time."""
        _, _, store = self._replay.inside
        size, everything = min(store.block, store.slots), tuple(self._replay.columns)
        for block in np.flatnonzero(self._arrived | self._rewritten).tolist():
            first = min(block * size, store.slots - size)
            names = everything if self._arrived[block] else self._latents
            for name, part in read(first, size, names).items():
                store.arrays[name][:, first : first + size] = part
        self._arrived[:], self._rewritten[:] = False, False

    def columns(self) -> dict[str, Any]:
        """The host's columns (E, slots, …), of which all rows are at home."""
        _, _, store = self._replay.inside
        return {name: store.arrays[name] for name in self._replay.columns}
