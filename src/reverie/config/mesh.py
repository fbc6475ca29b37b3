"""A mesh of devices as it is written: AXIS=NUMBER, such as data=4 or data=2,model=2."""

import itertools
from typing import NamedTuple

from reverie.part.errors import ConfigError, suggest

FORM = "AXIS=NUMBER with commas between, such as data=4 or data=2,model=2"


class MeshShape(NamedTuple):
    """How many devices lie along each axis; the fields are the axes."""

    data: int = 1
    """Parts of a batch."""
    model: int = 1
    """Parts of every large weight."""

    @property
    def devices(self) -> int:
        """Devices of the whole mesh."""
        return self.data * self.model

    def __str__(self) -> str:
        return f"data={self.data}" + (f",model={self.model}" if self.model > 1 else "")


def read_mesh(text: str, name: str = "device.mesh") -> MeshShape | None:
    """The mesh that `text` describes; None for an empty one: a device alone.

    Raises ConfigError, with the option's `name`, for another form, an unknown axis (nearest named),
    one given twice, or a number below 1.
    """
    axes: dict[str, int] = {}
    for word in text.split(",") if text.strip() else []:
        axis, equals, number = (part.strip() for part in word.partition("="))
        if not equals or not axis or not number:
            raise ConfigError(f"{name} takes {FORM}; found {text!r}.")
        if axis not in MeshShape._fields:
            hint = suggest(axis, MeshShape._fields)
            raise ConfigError(f"{name} has no axis {axis!r}; {hint}")
        if axis in axes:
            raise ConfigError(f"{name} gives {axis} twice; keep one of them.")
        if not (number.isascii() and number.isdigit() and int(number) > 0):
            raise ConfigError(
                f"{name} takes a whole number of devices, at least 1, for {axis}; found {number!r}."
            )
        axes[axis] = int(number)
    return MeshShape(**axes) if axes else None


def check_batch(shape: MeshShape | None, batch: int, name: str = "device.mesh") -> None:
    """Raises ConfigError where a batch cannot be shared out evenly; it names the nearest that can.

    `batch`: sequences of an update (`train.batch`).
    """
    parts = 1 if shape is None else shape.data
    if batch % parts:
        meshes = " or ".join(f"data={number}" for number in nearest(parts, batch))
        below, above = batch // parts * parts, (batch // parts + 1) * parts
        batches = " or ".join(str(number) for number in (below, above) if number)
        raise ConfigError(
            f"{name} data={parts} does not divide train.batch ({batch} sequences): take {meshes}, "
            f"or a train.batch of {batches}."
        )


def nearest(number: int, whole: int) -> list[int]:
    """The divisors of `whole` next to `number`, below and above: one or two."""
    divisors = [part for part in range(1, whole + 1) if whole % part == 0]
    below = [part for part in divisors if part <= number]
    above = [part for part in divisors if part >= number]
    return [*dict.fromkeys(itertools.chain(below[-1:], above[:1]))]
