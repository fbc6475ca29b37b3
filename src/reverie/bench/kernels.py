"""What a GPU runs of a compiled program, read from its optimised HLO text.

XLA schedules a program for a GPU as a list of instructions. Each of them that computes or moves
something is one launch: a kernel, a library call or a copy. The body of a loop counts as often as
the loop is known to turn, and its condition too.
"""

import math
import re
from collections import Counter
from typing import NamedTuple

FREE = frozenset(
    {
        *("parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all"),
        *("copy-done", "async-done", "add-dependency", "opt-barrier"),
        *("all-reduce-done", "all-gather-done", "collective-permute-done"),
    }
)
"""Instructions for which nothing is launched."""

COLLECTIVES = (
    *("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute"),
    *("ragged-all-to-all", "collective-broadcast"),
)
"""Instructions in which the devices of a mesh exchange arrays."""

WIDTHS = {"pred": 1, "bf16": 2, "token": 0}
"""Bytes of an element whose type does not end with its number of bits."""

ARRAY = re.compile(r"\b([a-z]+[0-9]*)(?:e\dm\d\w*)?\[([\d,]*)\]")
HEADER = re.compile(r"(ENTRY )?%?([\w.\-]+) .*\{$")
INSTRUCTION = re.compile(r"\s+(?:ROOT )?%?([\w.\-]+) = (.*)")


class Instruction(NamedTuple):
    """One line of a computation."""

    name: str
    type: str  # of its result, with shapes
    opcode: str
    rest: str  # operands and attributes


class Loop(NamedTuple):
    """A loop of the program."""

    name: str
    trips: int  # 1 where it is not known
    launches: int  # of one trip


class Exchange(NamedTuple):
    """Collectives of one kind."""

    times: int = 0
    nbytes: int = 0  # of the whole arrays that are exchanged: their larger side, of one device


class Launches(NamedTuple):
    """One call of a program."""

    total: int
    kinds: dict[str, int]  # launches by kind, most first
    loops: tuple[Loop, ...]  # in the order of the program
    nbytes: int  # read and written by all launches, an estimate
    collectives: dict[str, Exchange]  # by kind; none on one device


def count_launches(text: str) -> Launches:
    """The launches of one call of the program whose optimised HLO is `text`.

    Of branches the longest counts. An array whose first axis is as long as the loop around it
    turns counts as one row a trip: it is a stack from which a step takes its row.

    Raises ValueError where `text` has no entry computation.
    """
    blocks, entry = read(text)
    if entry not in blocks:
        raise ValueError("no entry computation: this is not the text of a compiled program.")
    counter = _Counter(blocks)
    total = counter.walk(entry, 1, 1)
    kinds = dict(counter.kinds.most_common())
    return Launches(total, kinds, tuple(counter.loops), counter.nbytes, counter.collectives)


def read(text: str) -> tuple[dict[str, list[Instruction]], str]:
    """The instructions of every computation by its name, and the name of the entry."""
    blocks: dict[str, list[Instruction]] = {}
    current: list[Instruction] | None = None
    entry = ""
    for line in text.splitlines():
        header = HEADER.match(line)
        if header and not line.startswith("HloModule"):
            current = blocks.setdefault(header[2], [])
            entry = header[2] if header[1] else entry
        elif line.startswith("}"):
            current = None
        elif current is not None and (found := INSTRUCTION.match(line)):
            current.append(instruction(found[1], found[2]))
    return blocks, entry


def instruction(name: str, body: str) -> Instruction:
    """`name = body` taken apart; a result of several arrays has a type in parentheses."""
    depth = 0
    for end, char in enumerate(body):
        depth += (char == "(") - (char == ")")
        if char == " " and depth == 0:
            opcode, _, rest = body[end + 1 :].partition("(")
            return Instruction(name, body[:end], opcode, rest)
    raise ValueError(f"this instruction cannot be read: {name} = {body}")


def kind_of(line: Instruction) -> str:
    """What kind of launch it is: its opcode, with the target or the sort of fusion."""
    if line.opcode == "custom-call":
        found = re.search(r'custom_call_target="([^"]*)"', line.rest)
    elif line.opcode == "fusion":
        own = re.search(r'"kind":"(__\w+)"', line.rest)
        found = own or re.search(r"\bkind=(\w+)", line.rest)
    else:
        return line.opcode
    return f"{line.opcode} {found[1]}" if found else line.opcode


def bytes_of(type_: str, trips: int = 1) -> int:
    """Bytes of the arrays of a type; of stacks of `trips` rows, one row."""
    total = 0
    for name, dims in ARRAY.findall(type_):
        shape = [int(dim) for dim in dims.split(",") if dim]
        if trips > 1 and shape[:1] == [trips]:
            shape = shape[1:]
        bits = re.search(r"\d+$", name)
        width = WIDTHS[name] if name in WIDTHS else int(bits[0]) / 8 if bits else 0
        total += math.ceil(math.prod(shape) * width)
    return total


class _Counter:
    """Adds up while it walks through the computations."""

    def __init__(self, blocks: dict[str, list[Instruction]]):
        self._blocks = blocks
        self.kinds: Counter[str] = Counter()
        self.loops: list[Loop] = []
        self.collectives: dict[str, Exchange] = {}
        self.nbytes = 0

    def walk(self, name: str, times: int, trips: int) -> int:
        """Launches of one call of a computation, which is called `times` times in all, inside a
        loop of `trips` turns."""
        lines = self._blocks[name]
        types = {line.name: line.type for line in lines}
        total = 0
        for line in lines:
            if line.opcode == "while":
                total += self._loop(line, times)
            elif line.opcode == "conditional":
                total += self.walk(self._longest(line, trips), times, trips)
            elif line.opcode == "call":
                total += sum(self.walk(arm, times, trips) for arm in _named(line, "to_apply"))
            elif line.opcode not in FREE:
                self.kinds[kind_of(line)] += times
                self._exchange(line, types, times)
                self.nbytes += times * _touched(line, types, trips)
                total += 1
        return total

    def _exchange(self, line: Instruction, types: dict[str, str], times: int) -> None:
        """Take in a launch that may be a collective, or the start of one."""
        kind = collective_of(line.opcode)
        if line.opcode == "async-start":
            inside = (x for name in _named(line, "calls") for x in self._blocks.get(name, ()))
            kind = next(filter(None, (collective_of(x.opcode) for x in inside)), "")
        if kind:
            before, nbytes = self.collectives.get(kind, Exchange()), payload(line, types)
            self.collectives[kind] = Exchange(before.times + times, before.nbytes + times * nbytes)

    def _longest(self, line: Instruction, trips: int) -> str:
        arms = _named(line, "computation")
        return max(arms, key=lambda arm: _Counter(self._blocks).walk(arm, 1, trips))

    def _loop(self, line: Instruction, times: int) -> int:
        known = re.search(r'"known_trip_count":\{"n":"(\d+)"', line.rest)
        trips = int(known[1]) if known else 1
        place = len(self.loops)
        parts = (*_named(line, "body"), *_named(line, "condition"))
        each = sum(self.walk(part, times * trips, trips) for part in parts)
        self.loops.insert(place, Loop(line.name, trips, each))
        return trips * each


def _named(line: Instruction, attribute: str) -> list[str]:
    """The computations that an attribute names: `body=%a`, `branch_computations={%a, %b}`."""
    found = re.findall(rf"\b\w*{attribute}s?=(\{{[^}}]*\}}|%?[\w.\-]+)", line.rest)
    return [name for words in found for name in re.findall(r"[\w.\-]+", words)]


def collective_of(opcode: str) -> str:
    """The collective that an instruction is or starts; "" for any other."""
    kind = opcode.removesuffix("-start")
    return kind if kind in COLLECTIVES else ""


def payload(line: Instruction, types: dict[str, str]) -> int:
    """Bytes of the larger side of a collective: what is gathered, or what is scattered or summed.

    The start of one has its operands among its results, all but an all-reduce.
    """
    operands = _operands(line, types)
    holds = line.opcode.endswith("-start") and line.opcode != "all-reduce-start"
    return max(operands, bytes_of(line.type) - (operands if holds else 0))


def _operands(line: Instruction, types: dict[str, str], trips: int = 1) -> int:
    names = re.findall(r"%([\w.\-]+)", line.rest.partition(")")[0])
    return sum(bytes_of(types[name], trips) for name in names if name in types)


def _touched(line: Instruction, types: dict[str, str], trips: int) -> int:
    """Bytes of the operands and of the result."""
    return _operands(line, types, trips) + bytes_of(line.type, trips)
