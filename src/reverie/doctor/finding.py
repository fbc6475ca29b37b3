"""What a check says."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "note", "problem"]
"""Fine; worth knowing; or a breach that keeps or spoils a run."""


@dataclass(frozen=True)
class Finding:
    """One sentence of one check; a problem's sentence ends with its remedy."""

    check: str
    verdict: Verdict
    text: str


def ok(check: str, text: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", text)


def note(check: str, text: str) -> Finding:
    """Worth knowing, and no breach."""
    return Finding(check, "note", text)


def problem(check: str, text: str) -> Finding:
    """A breach, with its remedy."""
    return Finding(check, "problem", text)


def failure(check: str, error: BaseException, remedy: str) -> Finding:
    """A problem that showed itself as an exception."""
    from reverie.envs.base import EnvError

    said = str(error).strip().rstrip(".") or "no message"
    if isinstance(error, EnvError):
        return problem(check, f"{said}. {remedy}".strip())
    return problem(check, f"{type(error).__name__}: {said.splitlines()[-1]}. {remedy}".strip())
