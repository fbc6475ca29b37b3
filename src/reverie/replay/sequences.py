"""Sequences from rows: where one begins and ends there is said at its edges."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Shaped

from reverie.replay.keep import AbstractKeep, Ticket, spread
from reverie.replay.store import Store


def assemble(
    store: Store, keep: AbstractKeep, ticket: Ticket, *, length: int, names: Iterable[str]
) -> dict[str, Shaped[np.ndarray, "B L ..."]]:
    """Copies of the named columns of the windows of a ticket.

    Row 0 of each sequence has `is_first`, and a row whose successor has `is_first` has `is_last`.
    """
    stream, row = spread(ticket, length)
    batch = store.gather(keep.find(stream, row), names)
    if ticket.row.ndim == 2:  # pieces: each begins an episode of its own
        follows = (np.diff(row) == 1) & (np.diff(stream) == 0)
        batch["is_first"][:, 1:] |= ~follows
    batch["is_last"][:, :-1] |= batch["is_first"][:, 1:]
    batch["is_first"][:, 0] = True
    return batch
