"""Variables that a process inherits and JAX obeys: a wrong one is named in one sentence.

JAX itself ends with a bare assertion, a traceback or, for XLA_FLAGS, the death of the process.
"""

import importlib
import os
import re
import sys
import warnings

from reverie.part.errors import ConfigError

REFUSED = {"JAX_NUMPY_DTYPE_PROMOTION": "standard", "JAX_NUMPY_RANK_PROMOTION": "allow"}
"""Variables that forbid what the optimiser does, with the only value it can work under."""

TRUE = ("y", "yes", "t", "true", "on", "1")
"""What JAX takes for true in a variable."""


def check_variables() -> None:
    """Raises ConfigError for a variable under which no run can work. Call it before JAX starts."""
    for name, needed in REFUSED.items():
        if os.environ.get(name, needed) not in (needed, "warn"):
            raise ConfigError(
                f"the variable {name} is {os.environ[name]!r}, under which the optimiser cannot "
                f"work: unset it, or set it to {needed}."
            )
    _check_compiling()
    if "XLA_FLAGS" in os.environ and "jax" not in sys.modules:
        _check_xla_flags(os.environ["XLA_FLAGS"])


def start_jax() -> None:
    """Imports JAX. Raises ConfigError, naming the variable, where one that was inherited makes
    that fail, or no run can work under it."""
    check_variables()
    import_jax()


def import_jax() -> None:
    """Imports JAX. Raises ConfigError where an inherited variable makes that fail.

    What XLA notes of meetings and devices is left out, unless the user asked for it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    try:
        importlib.import_module("jax")
    except Exception as error:
        raise ConfigError(blame(error)) from error


def _check_compiling() -> None:
    """Without compiled programs a first update takes longer than anybody waits, in silence."""
    jax = sys.modules.get("jax")
    told = os.environ.get("JAX_DISABLE_JIT", "")
    if told.lower() in TRUE:
        raise ConfigError(
            f"the variable JAX_DISABLE_JIT is {told!r}, under which nothing is compiled and a run "
            "would take days: unset it."
        )
    if jax is not None and jax.config.jax_disable_jit:
        raise ConfigError(
            "JAX is told to compile nothing in this process (jax_disable_jit), under which a run "
            "would take days: leave jax.disable_jit(), or set it to False."
        )


def _check_xla_flags(flags: str) -> None:
    """XLA ends the process over a flag that it does not know, so a copy of it is asked first."""
    from jaxlib import xla_client

    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fork beside threads, in which nothing but this runs
        child = os.fork()
    if child == 0:
        os.dup2(write, 2)
        xla_client.CompileOptions()
        os._exit(0)
    os.close(write)
    with os.fdopen(read, errors="replace") as file:
        said = file.read()
    if os.waitpid(child, 0)[1]:
        found = re.findall(r"^F\d.*?\] (.+)$", said, re.MULTILINE)
        reason = found[-1].partition(" (We assumed")[0] if found else "XLA does not say why"
        raise ConfigError(
            f"the variable XLA_FLAGS is {flags!r}, which XLA refuses ({reason}): correct it, or "
            "unset it."
        )


def blame(error: Exception) -> str:
    """What is wrong with JAX's start, with the variable that `error` speaks of, as a sentence."""
    lines = str(error).strip().splitlines()
    text = lines[0].partition(" (set ")[0].rstrip(".") if lines else type(error).__name__
    named = [word.upper() for word in re.findall(r"\b(?:jax|JAX|XLA)_\w+", str(error))]
    variables = [name for name in named if name in os.environ] or _set_variables()
    told = " and ".join(f"{name}={os.environ[name]}" for name in variables)
    if not told:
        return f"JAX cannot start here ({text})."
    which = "the variable" if len(variables) == 1 else "these variables"
    return f"JAX cannot start here ({text}): correct or unset {which} {told}."


def _set_variables() -> list[str]:
    """The set variables that decide how JAX starts; the platform's alone where it is set."""
    if os.environ.get("JAX_PLATFORMS"):
        return ["JAX_PLATFORMS"]
    prefixes = ("JAX_", "XLA_", "CUDA_VISIBLE_DEVICES", "LIBTPU_", "TPU_")
    return [name for name in sorted(os.environ) if name.startswith(prefixes)]
