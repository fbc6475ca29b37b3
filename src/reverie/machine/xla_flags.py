"""Flags of XLA that options of `device` stand for, beside those that the user has set.

XLA reads the variable XLA_FLAGS once, when the first program is made ready, and ends the process
over a flag or a value that its version does not know: a fresh interpreter is asked beforehand.
"""

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from reverie.config.run import DeviceConfig
from reverie.part.errors import ConfigError

NAME = "XLA_FLAGS"
BUFFERS = "xla_gpu_enable_command_buffer"
DETERMINISTIC = "xla_gpu_deterministic_ops"

LEFT_OUT = ("WHILE", "CONVOLUTION", "DYNAMIC_SLICE_FUSION", "DYNAMIC_SLICE_COPY_FUSION")
"""Commands that XLA, of one version or another, does not put into command buffers by itself."""

ASK = "from jaxlib import xla_client as x; print(x.CompileOptions().SerializeAsString().hex())"
WAIT = 60.0
"""Seconds that the asked interpreter may take."""


class Request(NamedTuple):
    """What an option asks of one flag."""

    option: str  # with its value
    name: str
    value: Callable[[], str] | None  # None: nothing, XLA does it by itself
    agrees: Callable[[str], bool]  # whether a value of the user's says the same


class Wanted(NamedTuple):
    """What XLA is to be told."""

    before: str  # XLA_FLAGS as it is
    variable: str  # the whole of it, as it is to be
    options: tuple[str, ...]  # those that added a flag to it
    conflicts: tuple[str, ...]  # sentences: where the user's own flags win


def inherited() -> dict[str, str]:
    """Name -> value of the flags in XLA_FLAGS, or in the file that it names."""
    words = (word.lstrip("-").partition("=") for word in _text().split())
    return {name: value.strip("'\"") if equals else "true" for name, equals, value in words}


def wanted(device: DeviceConfig) -> Wanted:
    """The user's flags with those that `device` adds.

    Raises ConfigError where this version of XLA knows none of what an option needs.
    """
    there, flags, options, conflicts = inherited(), [], [], []
    for option, name, value, agrees in _requests(device):
        if name not in there and value is not None:
            flags.append(f"--{name}={value()}")
            options.append(option)
        elif name in there and not agrees(there[name]):
            conflicts.append(
                f"the variable XLA_FLAGS says --{name}={there[name]}, which wins over {option}: "
                "leave one of them out."
            )
    variable = " ".join([_text(), *flags]).strip()
    return Wanted(os.environ.get(NAME, ""), variable, tuple(options), tuple(conflicts))


def put(variable: str) -> None:
    """Makes this the variable XLA_FLAGS; "" removes it."""
    if variable:
        os.environ[NAME] = variable
    else:
        os.environ.pop(NAME, None)


def _requests(device: DeviceConfig) -> list[Request]:
    option = f"device.command_buffers {device.command_buffers}"
    buffers = {
        "none": [Request(option, BUFFERS, lambda: "", lambda said: said == "")],
        "kernels": [Request(option, BUFFERS, None, lambda said: False)],
        "all": [Request(option, BUFFERS, left_out, lambda said: "WHILE" in said)],
    }
    yes = ("true", "True", "1")
    exact = Request("device.deterministic", DETERMINISTIC, same_twice, lambda said: said in yes)
    return buffers.get(device.command_buffers, []) + ([exact] if device.deterministic else [])


def left_out() -> str:
    """The value that adds to XLA's own command buffers all that this version can put there.

    Raises ConfigError where it knows no such thing.
    """
    known = LEFT_OUT
    if options_of(f"--{BUFFERS}={_added(known)}") is None:
        known = [name for name in LEFT_OUT if options_of(f"--{BUFFERS}={_added([name])}")]
    if not known:
        raise ConfigError(_unknown("device.command_buffers all", "kernels"))
    return _added(known)


def _added(names: Sequence[str]) -> str:
    return ",".join(f"+{name}" for name in names)


def same_twice() -> str:
    """The value of the flag of deterministic operations.

    Raises ConfigError where this version does not know it.
    """
    if options_of(f"--{DETERMINISTIC}=true") is None:
        raise ConfigError(_unknown("device.deterministic true", "false"))
    return "true"


def _unknown(option: str, instead: str) -> str:
    version = importlib.metadata.version("jaxlib")
    return f"{option} is nothing that XLA knows in jaxlib {version}: take {instead!r}."


def options_of(flags: str) -> str | None:
    """What XLA makes of `flags`, as hexadecimal digits; None where it refuses them."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", ASK],
            env={**os.environ, NAME: flags},
            capture_output=True,
            text=True,
            timeout=WAIT,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def in_force() -> bool:
    """Whether XLA has read XLA_FLAGS as it is now; it reads it here if it has not yet."""
    from jaxlib import xla_client

    here = xla_client.CompileOptions().SerializeAsString().hex()
    return here == options_of(os.environ.get(NAME, ""))


def _text() -> str:
    text = os.environ.get(NAME, "").strip()
    if not text or text.startswith("-"):
        return text
    try:
        return Path(text).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""  # XLA passes over a file that it cannot read
