"""Who may ask: the names under which the server is reached, where a page comes from, the token."""

import hmac
import ipaddress
import socket
from collections.abc import Iterable, Mapping
from typing import NamedTuple

TOKEN = "x-reverie-token"
"""Header in which the page hands back the token of its address."""
LARGEST = 1 << 16
"""Bytes of a request's body."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Refused(NamedTuple):
    """Why a request is not answered."""

    status: int
    sentence: str


class Guard:
    """The rules of one server.

    Args:
        host: where it listens.
        token: what a request must hold; empty: nothing.
    """

    def __init__(self, host: str, token: str = ""):
        self._token = token
        self._names = {*LOOPBACK, bracketed(host), socket.gethostname().lower()}
        self._open = not is_loopback(host)

    def refusal(self, headers: Mapping[str, str], method: str, query: Mapping[str, str]):
        """Why this request is refused; None where it is not. Names of headers are in small
        letters."""
        host = headers.get("host", "")
        if not self._is_own(host):
            return Refused(
                421, f"this server is not called {host!r}: open the address that it printed."
            )
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return Refused(403, f"requests from pages of {origin!r} are not answered.")
        site = headers.get("sec-fetch-site", "none")
        if method != "GET" and site not in ("none", "same-origin"):
            return Refused(403, "requests from pages of other sites are not answered.")
        if method == "POST" and headers.get("content-type") != "application/json":
            return Refused(415, "a request is application/json.")
        if method == "POST" and not _is_small(headers.get("content-length", "")):
            return Refused(413, f"a request says its length, at most {LARGEST:,} bytes.")
        given = query.get("token", "") if method == "GET" else headers.get(TOKEN, "")
        if self._token and not hmac.compare_digest(given.encode(), self._token.encode()):
            return Refused(403, "the token is missing or wrong: open the address that was printed.")
        return None

    def _is_own(self, host: str) -> bool:
        """Whether `host` (a header) names this server. A foreign name may lead here by a false
        entry in the DNS; an address cannot be false in that way."""
        name = host.lower()
        name = name if name.endswith("]") else name.rpartition(":")[0] or name
        return name in self._names or (self._open and _is_address(name))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def bracketed(host: str) -> str:
    """An address as it stands in a URL."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host.lower()


def in_small_letters(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by name; of one that comes twice the last."""
    return {name.lower(): value for name, value in headers}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_small(length: str) -> bool:
    return length.isascii() and length.isdigit() and int(length[:12]) <= LARGEST
