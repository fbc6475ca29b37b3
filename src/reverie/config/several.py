"""Several seeds of one configuration: the flags that ask for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from reverie.part.errors import ConfigError
from reverie.part.values import coerce

FLAGS = {
    "seeds": "Several seeds, `--seeds 0 1 2`: each in a run folder of its own (below --logdir, "
    "where it is given); those that are there are resumed.",
    "together": "Learn the seeds of --seeds in one process, with one compiled update for all of "
    "them; --no-together: one run after another.",
}
"""Flags of `reverie train`, with their meaning."""


def seeds_of(found: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for, taken out of the flags `found`; `own`: what was read of them before.

    Raises ConfigError where a seed comes twice, or an option is for one run or for several alone.
    """
    if "together" in found and "seeds" not in found:
        raise ConfigError("--together is for several seeds: give --seeds 0 1 2, or leave it out.")
    if "seeds" not in found:
        return {}
    seeds = coerce(found.pop("seeds"), tuple[int, ...], "seeds")
    check_distinct(seeds)
    for name, flag in (("seed", "--seed"), ("from_step", "--from")):
        if name in {**found, **own}:
            raise ConfigError(f"{flag} is for one run, and --seeds for several; keep one of them.")
    together = coerce(found.pop("together", True), bool, "together")
    return {"seeds": seeds, "together": together}


def check_distinct(seeds: Sequence[int]) -> None:
    """Raises ConfigError where a seed comes twice."""
    for seed in seeds:
        if seeds.count(seed) > 1:
            raise ConfigError(f"--seeds names {seed} twice; keep one of them.")


def check_single(name: str, value: Any, queue: list[str]) -> None:
    """Raises ConfigError where `--seed` is followed by more numbers than one."""
    if name != "seed" or not isinstance(value, str):
        return
    numbers = value.replace(",", " ").split()
    while queue and queue[0].replace(",", "").isdecimal():
        numbers += queue.pop(0).replace(",", " ").split()
    if len(numbers) > 1:
        given = " ".join(numbers)
        raise ConfigError(
            f"--seed takes one number, found {given}; did you mean '--seeds {given}', a run for "
            "each?"
        )
