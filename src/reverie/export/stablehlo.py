"""A program as StableHLO with its weights, as `jax.export` writes it."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
from jax import export

from reverie.export.programs import Program
from reverie.folder.errors import RunError

PLATFORMS = ("cpu", "cuda", "tpu")
"""Where a file runs."""

MISSING = "the export needs {what}, which is not installed: pip install 'reverie[export]'."


def convert(program: Program) -> bytes:
    """The bytes that `jax.export.deserialize` reads: a function from a dictionary of arrays by name
    to another.

    Raises RunError where the package that writes them is missing.
    """
    likes: dict[str, Any] = {port.name: port.like for port in program.inputs}
    with _no_places():
        exported = export.export(jax.jit(program.function), platforms=PLATFORMS)(likes)
    try:
        return bytes(exported.serialize())
    except ImportError as error:
        raise RunError(MISSING.format(what="flatbuffers")) from error


@contextlib.contextmanager
def _no_places() -> Iterator[None]:
    """Nothing lowered inside says in which file of this machine it was written."""
    before = jax.config.jax_traceback_in_locations_limit  # type: ignore[attr-defined]
    jax.config.update("jax_traceback_in_locations_limit", 0)
    try:
        yield
    finally:
        jax.config.update("jax_traceback_in_locations_limit", before)
