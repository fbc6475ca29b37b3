"""Digests that find damage: of a whole file, of JSON that carries its own, of a growing file.

XXH3 with 128 bits: it costs less than reading the bytes once more. It finds accidents, not
forgeries: whoever can write a file can write its digest too.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, BinaryIO

import xxhash

from reverie.files import parse_json

_CHUNK = 1 << 20
_FIRST_LINE = re.compile(rb'\{\n "digest": "([0-9a-f]{32})",')
_LAYOUT = b'{\n "'

CONFIG = ("config", "versions", "command", "facts", "changes", "source", "init")
"""Keys of a config.json besides its digest; in version 0.1 it carried no digest and no changes."""


class Damage(ValueError):
    """Bytes that are not those that were written; the message names the file and says how."""


def of(data: bytes) -> str:
    """The digest of `data`, 32 hexadecimal digits."""
    return xxhash.xxh3_128_hexdigest(data)


class Growing:
    """The digest of a file to which one appends."""

    def __init__(self) -> None:
        self._hash = xxhash.xxh3_128()

    def add(self, data: bytes | memoryview) -> None:
        """Take in what was appended."""
        self._hash.update(data)

    def take(self, file: BinaryIO, size: int) -> int:
        """Take in the next `size` bytes of an open file; how many there were."""
        left = size
        while left and (data := file.read(min(_CHUNK, left))):
            self._hash.update(data)
            left -= len(data)
        return size - left

    def text(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


def of_file(file: BinaryIO, size: int) -> str:
    """The digest of the next `size` bytes of an open file; "" where it has fewer."""
    digest = Growing()
    return digest.text() if digest.take(file, size) == size else ""


def seal(record: Mapping[str, Any]) -> bytes:
    """`record` as JSON, one value a line, whose first line is the digest of all others."""
    body = json.dumps(record, indent=1).encode()
    return b'{\n "digest": "' + of(body).encode() + b'",' + body[1:] + b"\n"


def check_seal(data: bytes, name: str) -> None:
    """Raises Damage where `data`, the content of the file `name`, is not what `seal` made."""
    first = _FIRST_LINE.match(data)
    if first is None or not data.endswith(b"}\n"):
        raise Damage(f"{name} is damaged: it does not begin with its digest or is cut off")
    if of(b"{" + data[first.end() : -1]) != first[1].decode():
        raise Damage(f"{name} is damaged: its content does not match its digest")


def sealed(data: bytes, name: str, known: tuple[str, ...]) -> dict[str, Any]:
    """The JSON object in `data` without its digest, after the check that it was not damaged.

    Files of version 0.1 carry no digest, nor do those that another program has written again (in
    a layout of its own); `known` are the keys that an object without a digest may have.

    Raises Damage, ValueError where it is no JSON, TypeError where it is no object.
    """
    record = parse_json(data)
    if not isinstance(record, dict):
        raise TypeError(f"a JSON object was expected, found {type(record).__name__}")
    if data.startswith(_LAYOUT) and not set(record) <= set(known):
        check_seal(data, name)
    record.pop("digest", None)
    return record
