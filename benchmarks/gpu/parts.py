"""The parts of `run.py`: commands of Reverie, each with a limit, the most wanted first."""

from pathlib import Path
from typing import NamedTuple

LOOPS = Path(__file__).parents[1] / "loops" / "measure.py"

SLOW = 900
"""Seconds for a part on a CPU that has other work."""

CASES = (("12m", "image"), ("1m", "vector"), ("50m", "image"))

VARIANTS = {
    "whole loops in command buffers": ("device.command_buffers=all",),
    "no command buffers": ("device.command_buffers=none",),
    "one step a trip": ("device.unroll=1",),
    "eight steps a trip": ("device.unroll=8",),
    "stored scans": ("device.scan=stored",),
    "deterministic": ("device.deterministic=true",),
    "memory taken at start": ("device.preallocate=true",),
}
"""Options beside the defaults of the device, by what a reader calls them."""


class Part(NamedTuple):
    """One command. FILE among its words is its JSON, FOLDER its run folder."""

    name: str
    words: tuple[str, ...]  # after the interpreter
    limit: float  # seconds
    needs: tuple[str, ...] = ()  # modules, and files with a slash
    stop: bool = False  # it is stopped at its limit, as Ctrl-C does, and then says what it found


class Choice(NamedTuple):
    """What is run: on which device, and whether only to see that everything works."""

    device: str
    small: bool

    @property
    def common(self) -> tuple[str, ...]:
        precision = "f32" if self.device == "cpu" else "bf16"
        return "--device", self.device, "--precision", precision

    @property
    def pace(self) -> tuple[str, ...]:
        """What makes an update small enough for a CPU that only tries."""
        return ("train.batch=2", "train.length=4", "behavior.imagine=2") if self.small else ()


def parts(choice: Choice) -> list[Part]:
    """All parts, the most wanted first."""
    cases = (("debug", "image"), ("debug", "vector")) if choice.small else CASES
    named = [update(choice, *case, "defaults") for case in cases]
    others = [
        update(choice, *case, name, *options)
        for case in cases
        for name, options in VARIANTS.items()
    ]
    together = update(choice, *cases[1], "defaults", seeds=8)
    product = [together, loops(choice), acting(choice, cases[0]), pong(choice)]
    return [*named[:2], *others[:2], *product, *named[2:], *others[2:]]


def update(choice: Choice, size: str, obs: str, name: str, *options: str, seeds: int = 1) -> Part:
    """One learning update, compiled anew."""
    changes = (*choice.pace, *options)
    words = ("bench", "update", "--size", size, "--obs", obs, *choice.common, "--json", "FILE")
    words = (*words, "--repeats", "2" if choice.small else "9")
    words += ("--seeds", str(seeds)) if seeds > 1 else ()
    words += ("--set", *changes) if changes else ()
    together = f", {seeds} seeds at once" if seeds > 1 else ""
    limit = SLOW if choice.small else 180
    return Part(f"update {size} {obs}{together}, {name}", ("-m", "reverie", *words), limit)


def acting(choice: Choice, case: tuple[str, str]) -> Part:
    """From observations to actions."""
    words = ("bench", "act", "--size", case[0], "--obs", case[1], *choice.common)
    words = (*words, "--envs", "1", "16", "64", "--json", "FILE")
    limit = SLOW if choice.small else 90
    return Part(f"acting {case[0]} {case[1]}", ("-m", "reverie", *words), limit)


def loops(choice: Choice) -> Part:
    """Steps a second with the loop on the host and on the device."""
    words = ("--rounds", "1" if choice.small else "3", "--seconds", "1" if choice.small else "3")
    needs, limit = ("gymnax", str(LOOPS)), SLOW if choice.small else 120
    return Part("loop on host and device", (str(LOOPS), *words, "--out", "FILE"), limit, needs)


def pong(choice: Choice) -> Part:
    """Some minutes of Atari100k, environment and replay included."""
    size, limit = ("debug", SLOW) if choice.small else ("12m", 150)
    precision = "f32" if choice.device == "cpu" else "bf16"
    words = ("train", "atari100k_pong", "--size", size, "--logdir", "FOLDER", "--seed", "0")
    words = (*words, "--device.kind", choice.device, "--device.precision", precision)
    words = (*words, "--log.progress", "none", "--log.no-tensorboard")
    few = {"steps": "600", "train.eval-episodes": "0", "train.ratio": "1", "train.log-every": "100"}
    for key, value in few.items() if choice.small else ():
        words += (f"--{key}", value)
    for change in choice.pace:
        key, _, value = change.partition("=")
        words += (f"--{key}", value)
    return Part("Atari100k Pong", ("-m", "reverie", *words), limit, ("ale_py",), stop=True)
