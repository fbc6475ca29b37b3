"""The results of `run.py` as a table."""

from collections.abc import Mapping
from typing import Any

HEAD = "| part | result | compile s | seconds in all |\n|---|---|---|---|\n"


def table(found: Mapping[str, Any]) -> str:
    """Markdown: the machine, and a line a part."""
    machine = ", ".join(f"{name} {value}" for name, value in found["machine"].items())
    rows = [row(name, record) for name, record in found["parts"].items()]
    return f"{machine}\n\n{HEAD}{''.join(rows)}"


def row(name: str, record: Mapping[str, Any]) -> str:
    """One part: its result, or why there is none."""
    numbers = record.get("found", {})
    result = " ".join(filter(None, [numbers_of(numbers), state_of(record)]))
    compiling, seconds = numbers.get("compile_s", ""), record.get("seconds", "")
    return f"| {name} | {result} | {compiling} | {seconds} |\n"


def state_of(record: Mapping[str, Any]) -> str:
    """How a part ended, where there is something to say."""
    state = "" if record["state"] == "done" else record["state"]
    return " ".join(filter(None, [state, f"({record['said']})" if record.get("said") else ""]))


def numbers_of(found: Mapping[str, Any]) -> str:
    """What a reader wants to know first."""
    if "update_ms" in found:
        return f"{found['update_ms']:.2f} ms, {found['device_mb']:.0f} MB on the device"
    if "latency" in found:
        return ", ".join(f"{x['envs']} envs: {x['median_ms']:.2f} ms" for x in found["latency"])
    if "ratios" in found:
        return "; ".join(f"ratio {name}: {speeds(x)}" for name, x in found["ratios"].items())
    return ", ".join(f"{name} {value:.4g}" for name, value in found.items())


def speeds(found: Mapping[str, Any]) -> str:
    """Numbers of one train ratio, whatever they are called."""
    flat = {name: value for name, value in found.items() if isinstance(value, int | float)}
    return ", ".join(f"{name} {value:.4g}" for name, value in flat.items())
