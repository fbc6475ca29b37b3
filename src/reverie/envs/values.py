"""Values that environments and users hand over: no cast changes one in silence.

Every function raises WrongValue with what came and what was expected.
"""

import reprlib
from typing import Any

import numpy as np

from reverie.envs.base import EnvError

LARGEST = float(np.finfo(np.float32).max)
"""Largest number that float32 holds."""

ONE_NUMBER = "expected one real number, such as a float"

FLOAT32 = np.dtype(np.float32)

REAL = "fiub"
"""Kinds of dtypes that hold real numbers or truth values."""


class WrongValue(EnvError):
    """A value that cannot be used: what was found, and what was expected instead.

    Whoever knows where it was met inserts that between the two with `at`.
    """

    def __init__(self, found: str, expected: str = ""):
        super().__init__(f"{found}; {expected}" if expected else found)
        self.found, self.expected = found, expected

    def of(self, name: str) -> "WrongValue":
        """The same, said of the part called `name`."""
        return WrongValue(f"{name} {self.found}", self.expected)

    def at(self, where: str) -> EnvError:
        """The same as a sentence that says where: 'at step 3 of …'."""
        rest = f"; {self.expected}" if self.expected else ""
        return EnvError(f"{self.found} {where}{rest}.")


def describe(value: Any) -> str:
    """What a value is, in a few words on one line."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"ndarray of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, dict):
        return f"dict with the keys {', '.join(map(str, list(value)[:9])) or '(none)'}"
    if isinstance(value, tuple | list):
        return f"{type(value).__name__} of length {len(value)}"
    text = " ".join(reprlib.repr(value).split())
    return f"{text} of type {type(value).__name__}"


def as_array(value: Any, expected: str = "return a numpy array of real numbers") -> np.ndarray:
    """Real numbers or truth values as an array, uncopied where possible.

    Takes what numpy can read: arrays, numbers, nested lists, Pillow's pictures, tensors on the
    host. Masked, complex, textual and other entries are refused; `expected` ends the sentence.
    """
    if type(value) is np.ndarray and value.dtype.kind in REAL:
        return value
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise WrongValue("holds masked entries", "fill them before they are shown")
    try:
        array = np.asarray(value)
    except Exception as error:
        if isinstance(value, tuple | list):
            raise WrongValue(f"is {describe(value)}, no array", expected) from None
        reason = (str(error).splitlines() or [""])[0][:120]
        raise WrongValue(
            f"is {describe(value)}, which numpy cannot read ({type(error).__name__}: {reason})",
            expected,
        ) from None
    if array.dtype.kind not in REAL and not np.can_cast(array.dtype, np.float32):
        raise WrongValue(f"is {describe(value)}", expected)
    return array


def to_float32(value: Any) -> np.ndarray:
    """Numbers as float32, rounded, all of them finite afterwards."""
    array = value if type(value) is np.ndarray and value.dtype is FLOAT32 else as_array(value)
    if array.dtype.kind == "f" and array.dtype.itemsize > 4:
        with np.errstate(over="ignore"):
            small = array.astype(np.float32)
    else:
        small = array.astype(np.float32, copy=False)
    if np.count_nonzero(np.isfinite(small)) == small.size:
        return small
    if not np.isfinite(array).all():
        raise WrongValue("holds NaN or infinity")
    largest = array.flat[np.abs(array).argmax()]
    raise WrongValue(f"holds {largest:g}", f"float32 ends at {LARGEST:.3g}")


def to_classes(value: Any, classes: Any, start: Any = 0) -> np.ndarray:
    """Whole numbers from `start` to `start + classes − 1` as int32 counted from 0.

    Args:
        value: integers, truth values, or floats that are whole; leading axes are free.
        classes: how many there are, one number or one a component.
        start: the first one, likewise.
    """
    array = as_array(value)
    if array.dtype.kind not in "iub" and not (np.isfinite(array) & (array == np.rint(array))).all():
        raise WrongValue(f"holds {_short(value)}", "classes are whole numbers")
    depth = np.ndim(classes)
    if depth and array.shape[-depth:] != np.shape(classes):
        raise WrongValue(f"has shape {array.shape}, its space promised {np.shape(classes)}")
    if not ((array >= start) & (array < np.add(start, classes))).all():
        raise WrongValue(f"holds {_short(value)}, outside its space", _range_of(classes, start))
    return (array.astype(np.int64) - start).astype(np.int32)


def to_class(value: Any, classes: int, start: int = 0) -> np.ndarray:
    """`to_classes` of a single one, faster where it is an integer."""
    if isinstance(value, int | np.integer) and 0 <= (number := int(value) - start) < classes:
        return np.asarray(number, np.int32)
    return np.asarray(to_classes(value, classes, start))


def _range_of(classes: Any, start: Any) -> str:
    if np.ndim(classes):
        return f"classes from {_short(start)} on, as many as {_short(classes)}"
    return f"{int(start)} to {int(start) + int(classes) - 1} are its classes"


def to_number(value: Any) -> float:
    """One finite number that float32 can hold.

    A Python or numpy number, or an array of any shape with exactly one number in it.
    """
    if isinstance(value, float):  # numpy's float64 is one
        number = float(value)
    else:
        array = as_array(value, ONE_NUMBER)
        if array.size != 1:
            raise WrongValue(f"is {describe(value)}", ONE_NUMBER)
        number = float(array.reshape(()))
    if -LARGEST <= number <= LARGEST:
        return number
    raise too_large(number)


def too_large(number: float) -> WrongValue:
    """The error for a number that is not finite, or would not be in float32."""
    if not np.isfinite(number):
        return WrongValue(f"is {number}", "it must be finite")
    return WrongValue(f"is {number:g}", f"it must stay within float32 (±{LARGEST:.3g})")


def to_flag(value: Any) -> bool:
    """True or False: a truth value, a number that is 0 or 1, or an array with one of them in it."""
    if type(value) is bool:
        return value
    try:
        array = as_array(value)
    except WrongValue:
        array = np.empty(0)
    if array.size == 1 and array.reshape(()) in (0, 1):
        return bool(array.reshape(()))
    raise WrongValue(f"is {describe(value)}", "expected True or False")


def _short(value: Any) -> str:
    return " ".join(
        reprlib.repr(value if np.ndim(value) == 0 else np.asarray(value).tolist()).split()
    )
