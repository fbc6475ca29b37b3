"""Run folders that a URL names, as fsspec understands it, and where on this machine they lie."""

import importlib
import os
import re
from pathlib import Path
from typing import Any

from reverie.folder import digest
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError, suggest

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(://|::)")
_CUT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/(?!/)")
EXTRAS = {"s3": "s3", "s3a": "s3"}
"""Extras of Reverie that bring what a protocol needs."""
WHOLE_BUCKETS = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "r2")
"""Protocols without folders, whose buckets nobody should make in passing."""


def is_url(text: str | os.PathLike) -> bool:
    """Whether a run folder is named by a URL. Raises ConfigError for one that pathlib has cut."""
    text = os.fspath(text)
    cut = _CUT.match(text)
    if cut and cut[1].lower() in (*WHOLE_BUCKETS, "memory", "file", "local"):
        raise ConfigError(
            f"{text!r} has lost a slash, as a URL does that becomes a Path: give the URL as text, "
            f"{cut[1]}://..."
        )
    return "://" in text and _URL.match(text) is not None


def checked(url: str) -> str:
    """`url` without trailing slashes, its protocol in small letters.

    Raises ConfigError where it names no folder, is a chain of protocols or holds a secret.
    """
    found = _URL.match(url)
    if found is None or found[2] == "::" or "::" in url:
        raise ConfigError(f"{hidden(url)!r} is no plain URL: expected PROTOCOL://PLACE/FOLDER.")
    protocol, rest = found[1].lower(), url[found.end() :]
    if ":" in rest.partition("/")[0].rpartition("@")[0] or re.search("[?#]", rest):
        raise ConfigError(
            f"{hidden(url)!r} holds more than a place, and a run folder's name is written down: "
            "keep passwords and keys where fsspec and the provider's own programs look for them "
            "(variables, ~/.config/fsspec, a profile)."
        )
    if not rest.strip("/"):
        raise ConfigError(f"{url!r} names no folder: expected {protocol}://PLACE/FOLDER.")
    rest = rest.rstrip("/")
    if protocol in ("file", "local"):
        rest = str(Path(rest).expanduser().absolute())
    return f"{protocol}://{rest}"


def hidden(url: str) -> str:
    """`url` without what may be secret: the user's part, and what follows a question mark."""
    return re.sub(r"[?#].*", "?...", re.sub(r"://[^/]*@", "://...@", url))


def below(logdir: str, name: str) -> str:
    """The folder `name` in the folder `logdir`, a path or a URL."""
    return f"{checked(logdir)}/{name}" if is_url(logdir) else str(Path(logdir) / name)


def local_path(text: str | os.PathLike, what: str) -> Path:
    """The path that `what` takes, where `~` is the user's home. Raises ConfigError for a URL."""
    if is_url(text):
        raise ConfigError(
            f"{what} takes a path on this machine, found {hidden(os.fspath(text))!r}; URLs can be "
            "given as --logdir of a run, and where a run folder is read."
        )
    return Path(text).expanduser()


def working_folder(url: str, use: str = "train") -> Path:
    """Where on this machine the run folder of a checked `url` is worked on (`use` "train"),
    or lies to be read ("read": without its replay; "whole": with it)."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    kept = Path(cache).expanduser().absolute() / "reverie" / "remote"
    name = re.sub(r"[^\w.-]", "_", url.rpartition("/")[2]) or "run"
    return kept / f"{digest.of(url.encode())[:12]}-{use}" / name


def file_system(url: str) -> Any:
    """fsspec's file system for a checked `url`.

    Raises ConfigError for an unknown protocol, RunError where a package is missing.
    """
    protocol = url.partition("://")[0]
    try:
        fsspec: Any = importlib.import_module("fsspec")
    except ImportError as error:
        raise RunError(f"{url} needs the package fsspec: pip install 'reverie[remote]'.") from error
    known = fsspec.available_protocols()
    if protocol not in known:
        raise ConfigError(f"there is no protocol {protocol!r} ({url}); {suggest(protocol, known)}")
    options = {"auto_mkdir": True} if protocol in ("file", "local") else {}
    try:
        return fsspec.filesystem(protocol, use_listings_cache=False, **options)
    except ImportError as error:
        extra = EXTRAS.get(protocol)
        how = f"pip install 'reverie[{extra}]'" if extra else " ".join(str(error).split())
        raise RunError(f"{url} needs a package that is not installed: {how}.") from error
    except Exception as error:  # whatever a file system's package raises
        raise RunError(f"{url} cannot be opened ({told(error)}).") from error


def told(error: BaseException) -> str:
    """What a file system's package raised, on one short line."""
    line = " ".join(f"{type(error).__name__}: {error}".split())
    return line if len(line) <= 200 else f"{line[:196]} ..."
