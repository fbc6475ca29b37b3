"""What a page may ask for: requests by name, answered by JSON values. No web in here."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from reverie.dream import calibration, drift, what_if, wire
from reverie.dream.branch import Observed
from reverie.dream.errors import DreamError, check_whole
from reverie.dream.inspector import Inspector
from reverie.dream.session import ACTORS, Session
from reverie.part.errors import suggest
from reverie.records import Spec, component_names
from reverie.web.errors import Gone

MOST_SESSIONS = 8
"""Pages that are open side by side; where one more opens, the one that was idle longest goes."""
MOST_ROWS = 64
"""Rows of an episode that are sent at a time."""
OBSERVED = 300
"""Rows of the episode in an exported page."""

HERE: dict[str, Any] = {
    **{"keys": {}, "replay": [], "evaluations": 0, "tasks": []},
    **{"no_replay": "", "no_reality": ""},
}
"""What of the facts concerns this machine or a live page, and is no matter of an exported one."""

Body = Mapping[str, Any]
Answer = TypeVar("Answer")


class Desk:
    """Answers one request after the other, for all sessions."""

    def __init__(self, inspector: Inspector, title: Mapping[str, Any]):
        self._inspector, self._title = inspector, dict(title)
        self._lock = threading.Lock()
        self._served: str | None = None  # the session that is answered now
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._studies: dict[str, dict[str, Any]] = {}
        self._answers: dict[str, Callable[[Session, Body], dict[str, Any]]] = {
            "open": self._open,
            "rows": self._rows,
            "branch": self._branch,
            "act": self._act,
            "drop": self._drop,
            "what_if": self._what_if,
            "drift": self._drift,
            "calibration": self._calibration,
            "frozen": self._frozen,
        }

    def ask(self, name: str, body: Any) -> dict[str, Any]:
        """The answer to one request.

        Raises DreamError, with one sentence, for what cannot be answered; nothing changes then.
        """
        if not isinstance(body, Mapping):
            raise DreamError(f"a request is a JSON object, found {type(body).__name__}.")
        if name == "busy":
            return {"other": self._served not in (None, body.get("session"))}
        if name == "hello":
            with self._lock:
                return self._hello()
        if name not in self._answers:
            known = ("busy", "hello", *self._answers)
            raise DreamError(f"there is no request {name!r}; {suggest(name, known)}")
        answer = self._answers[name]
        return self.hold(body.get("session"), lambda session: answer(session, body))

    def hold(self, name: Any, work: Callable[[Session], Answer]) -> Answer:
        """What `work` makes of the session `name`, while nothing else is answered. Raises Gone."""
        with self._lock:
            session, self._served = self._find(name), name
            try:
                return work(session)
            finally:
                self._served = None

    def session(self, name: str) -> Session:
        """A session by its name. Raises Gone."""
        with self._lock:
            return self._find(name)

    def close(self) -> None:
        """End all environments."""
        with self._lock:
            for session in self._sessions.values():
                session.close()

    def _hello(self) -> dict[str, Any]:
        name = secrets.token_urlsafe(12)
        self._sessions[name] = Session(self._inspector)
        self._studies[name] = {}
        while len(self._sessions) > MOST_SESSIONS:
            old, session = self._sessions.popitem(last=False)
            session.close()
            del self._studies[old]
        return {"session": name, **self.facts()}

    def facts(self) -> dict[str, Any]:
        """What a page shows before an episode is chosen."""
        found, controls = self._inspector, self._inspector.controls
        return {
            "title": self._title,
            "observations": {k: _described(k, v) for k, v in found.observations.items()},
            "choices": [part._asdict() for part in controls.choices],
            "slides": [part._asdict() for part in controls.slides],
            "keys": controls.keys,
            "actors": list(ACTORS),
            "decodes": found.decodes,
            "disagrees": found.disagrees,
            "replay": found.library.names(),
            "first": found.library.first(),
            "no_replay": found.library.missing,
            "evaluations": found.world.evaluations,
            "tasks": list(found.world.tasks),
            "no_reality": found.world.missing,
        }

    def _find(self, name: Any) -> Session:
        if not isinstance(name, str) or name not in self._sessions:
            raise Gone(
                "this page's session is gone: the server was started anew, or "
                f"{MOST_SESSIONS} other pages were opened since. Reload the page."
            )
        self._sessions.move_to_end(name)
        return self._sessions[name]

    def _open(self, session: Session, body: Body) -> dict[str, Any]:
        more = {"task": _text(body, "task", ""), "greedy": _flag(body, "greedy")}
        seen = session.open(_text(body, "kind", "replay"), body.get("number", 0), **more)
        self._studies[body["session"]] = {}
        return self._episode(seen)

    def _episode(self, seen: Observed) -> dict[str, Any]:
        return wire.episode(seen, self._inspector.observations, self._inspector.controls)

    def _rows(self, session: Session, body: Body) -> dict[str, Any]:
        seen = session.seen()
        first = session.row_number(body.get("first", 0), seen.episode.rows, "the episode")
        count = check_whole("count", body.get("count", MOST_ROWS), 1, MOST_ROWS)
        last = min(first + count, seen.episode.rows)
        return {"rows": [self._wired(seen.row(at), at) for at in range(first, last)]}

    def _branch(self, session: Session, body: Body) -> dict[str, Any]:
        reality = _flag(body, "reality")
        how = {"seed": body.get("seed", 0), "reality": reality}
        made = session.branch(body.get("at", 0), body.get("parent"), **how)
        return wire.branch(made) | {"row": self._wired(made.rows[0], 0)}

    def _act(self, session: Session, body: Body) -> dict[str, Any]:
        number: Any = body.get("branch")
        how = {"action": body.get("action"), "steps": body.get("steps", 1)}
        rows, first = session.act(number, _text(body, "who", "sampled"), **how)
        wired = [self._wired(row, at) for at, row in enumerate(rows, start=first)]
        return wire.branch(session.find(number)) | {"new": wired}

    def _drop(self, session: Session, body: Body) -> dict[str, Any]:
        number: Any = body.get("branch")
        session.drop(number)
        return {"branches": list(session.branches)}

    def _what_if(self, session: Session, body: Body) -> dict[str, Any]:
        components = body.get("components", [])
        if not isinstance(components, list):
            raise DreamError(f"components is {components!r}, expected a list of names.")
        how = {"steps": body.get("steps", 1), "components": tuple(components)}
        row, number = body.get("row", 0), body.get("branch")
        options, note = what_if.counterfactuals(session, row, number, **how)
        best = int(np.argmax([option.value for option in options]))
        wired = [wire.option(option, self._inspector.observations) for option in options]
        found = {"options": wired, "note": note, "best": best, "row": row, "branch": number, **how}
        return self._noted(body, "what_if", found)

    def _drift(self, session: Session, body: Body) -> dict[str, Any]:
        how = {key: body[key] for key in ("horizon", "samples") if key in body}
        where = {"row": body.get("row", 0), "branch": body.get("branch")}
        found = wire.drift(drift.drift(session, *where.values(), **how)) | where
        return self._noted(body, "drift", found)

    def _calibration(self, session: Session, body: Body) -> dict[str, Any]:
        bins = calibration.calibration(session)
        found = {key: [part._asdict() for part in parts] for key, parts in bins.items()}
        return self._noted(body, "calibration", found)

    def _noted(self, body: Body, name: str, found: dict[str, Any]) -> dict[str, Any]:
        self._studies[body["session"]][name] = found
        return found

    def _frozen(self, session: Session, body: Body) -> dict[str, Any]:
        """All that an exported page shows."""
        seen = session.seen()
        begins = [branch.origin for branch in session.branches.values()] or [0]
        first = max(0, min(begins) - OBSERVED // 3)
        rows = range(first, min(first + OBSERVED, seen.episode.rows))
        branches = [
            wire.branch(branch)
            | {"all": [self._wired(row, at) for at, row in enumerate(branch.rows)]}
            for branch in session.branches.values()
        ]
        return {
            "facts": self.facts() | HERE,
            "episode": self._episode(seen),
            "rows": [self._wired(seen.row(at), at) for at in rows],
            "branches": branches,
            "studies": self._studies[body["session"]],
        }

    def _wired(self, row: Any, at: int) -> dict[str, Any]:
        return wire.row(row, at, self._inspector.observations, self._inspector.controls)


def _described(key: str, spec: Spec) -> dict[str, Any]:
    names = [] if spec.kind == "image" else component_names(key, spec.size)
    return {"kind": spec.kind, "names": names}


def _text(body: Body, name: str, default: str) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise DreamError(f"{name} is {value!r}, expected a text.")
    return value


def _flag(body: Body, name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise DreamError(f"{name} is {value!r}, expected true or false.")
    return value
