"""Planned bytes, the budget's sentences, and memory that is committed only when used."""

import re
from pathlib import Path

import numpy as np
import pytest

from reverie.replay.errors import ReplayError
from reverie.replay.rows import make_columns
from reverie.replay.store import Store, available_bytes, check_budget, planned_bytes

COLUMNS = make_columns(
    {"obs/image": ((64, 64, 3), "uint8"), "is_first": ((), "bool"), "is_last": ((), "bool")}
)


def check(slots, gigabytes, available, streams=16):
    check_budget(COLUMNS, streams=streams, slots=slots, gigabytes=gigabytes, free=available)


def test_plan():
    assert planned_bytes(COLUMNS, streams=16, slots=1000) == 16 * 1000 * 12290


@pytest.mark.parametrize(
    ("gigabytes", "available", "message"),
    [
        (0, 10**8, r"take 0.20 GB \(16000 rows of 12290 bytes\); allowed are 0.07 GB, 75% of .*"
                   r"\(0.10 GB\): set --replay.capacity 6096\."),
        (0, 25 * 10**7, r"allowed are 0.19 GB.*capacity \d+ or --replay.gigabytes 0.2"),
        (0.1, 10**9, r"allowed are 0.10 GB, as set by --replay.gigabytes: .* or --replay.gig"),
        (0.1, None, r"allowed are 0.10 GB"),
        (9, 10**8, r"allowed are 0.10 GB, all of .* 9 is more\): set --replay.cap.* \d+\."),
        (0, 0, r"use smaller observations\."),
        (0, None, r"free memory cannot be read on this system: set --replay.gigabytes"),
        (-1, 10**9, r"must be 0 \(automatic\) or more, got -1"),
    ],
)  # fmt: skip
def test_says_what_to_set(gigabytes, available, message):
    with pytest.raises(ReplayError, match=message):
        check(1000, gigabytes, available)


@pytest.mark.parametrize("gigabytes", [0, 0.05])
def test_the_suggested_capacity_is_the_largest_that_fits(gigabytes):
    with pytest.raises(ReplayError) as caught:
        check(1000, gigabytes, 10**8)
    capacity = int(re.search(r"capacity (\d+)", str(caught.value))[1])
    check(capacity // 16, gigabytes, 10**8)
    with pytest.raises(ReplayError):
        check(capacity // 16 + 1, gigabytes, 10**8)


def test_the_suggested_gigabytes_suffice():
    with pytest.raises(ReplayError) as caught:
        check(1000, 0, 25 * 10**7)
    check(1000, float(re.search(r"gigabytes ([\d.]+\d)", str(caught.value))[1]), 25 * 10**7)


def test_available_memory_is_plausible():
    total = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024
    assert 10**6 < available_bytes() <= total


def test_memory_is_committed_as_rows_arrive():
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    before = resident()
    store = Store(COLUMNS, streams=4, slots=20_000, block=256, mutable=())  # 1 GB planned
    assert resident() - before < 50e6
    rows = {key: np.ones((4, *c.shape), c.dtype) for key, c in COLUMNS.items()}
    for slot in range(500):
        store.put(np.arange(4) * 20_000 + slot, rows)
    assert 20e6 < resident() - before < 100e6
