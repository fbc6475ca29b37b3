"""Shared agents on the Hub: up by one commit, down file by file with every digest checked.

Only files that a shared agent has (`folder/shared.py`) are written, deleted or fetched, whatever
else a repository holds; nothing of them is run, and none says where it goes.
"""

import contextlib
import errno
import importlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reverie.folder import manifest, shared
from reverie.folder.digest import Damage
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError
from reverie.share.contents import Bundle, check_free, write
from reverie.watch.text import visible

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def push(made: Bundle, repo: str, *, private: bool = False) -> str:
    """Upload the files as one commit; the repository is made if there is none. Its address.

    Files of an agent that was pushed there before and that this one lacks are deleted.

    Raises RunError without a token, network or the right to write.
    """
    hub = _library()
    with tempfile.TemporaryDirectory(prefix="reverie-push-") as place, _told(repo):
        folder = Path(place) / "agent"
        write(made, folder)
        api = hub.HfApi()
        where = api.create_repo(repo, private=private, exist_ok=True)
        api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            commit_message="An agent of Reverie",
            delete_patterns=list(shared.NAMES),
        )
        return str(where)


def pull(repo: str, folder: Path, *, revision: str = "main") -> list[str]:
    """Fetch a shared agent into the new or empty `folder`; the names of its files.

    Raises RunError where there is no such repository, it holds no agent, a file is damaged, or the
    network or the disk refuses; the folder is not made then.
    """
    check_free(folder)
    hub = _library()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=folder.parent) as place:
            names = _fetch(hub, repo, revision, Path(place) / "fetched")
            whole = Path(place) / "agent"
            whole.mkdir()
            for name in names:
                shutil.move(Path(place) / "fetched" / name, whole / name)
            _check(whole, names, repo)
            if folder.is_dir():
                folder.rmdir()
            whole.rename(folder)
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written ({error.strerror or error}): name another folder."
        ) from error
    return names


def check_name(repo: str) -> str:
    """`repo` itself. Raises ConfigError where it is no OWNER/NAME."""
    if not _NAME.fullmatch(repo):
        raise ConfigError(f"a repository is called OWNER/NAME, found {repo!r}.")
    return repo


def check_token() -> None:
    """Raises RunError where no token of the Hub is known here."""
    if not _library().get_token():
        raise RunError(
            "pushing needs a token of the Hub with the right to write: log in with `hf auth "
            "login`, or set HF_TOKEN; `--to DIR` writes the same files without one."
        )


def _library() -> Any:
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise RunError(
            "sharing needs huggingface_hub, which is not installed: pip install 'reverie[hub]'."
        ) from error


def _fetch(hub: Any, repo: str, revision: str, place: Path) -> list[str]:
    """Download the files of one commit; their names."""
    with _told(repo):
        found = hub.HfApi().repo_info(repo, revision=revision)
        there = {sibling.rfilename for sibling in found.siblings or ()}
        lacking = [name for name in shared.NEEDED if name not in there]
        if lacking:
            raise RunError(
                f"the repository {repo} holds no agent that Reverie shared: it has no "
                f"{', no '.join(lacking)}."
            )
        names = [name for name in shared.NAMES if name in there]
        for name in names:
            hub.hf_hub_download(repo, name, revision=found.sha, local_dir=place)
    return names


def _check(folder: Path, names: list[str], repo: str) -> None:
    """Raises RunError where a file does not hold what was pushed."""
    try:
        listed = manifest.read(folder)
        assert listed is not None, "it was among those needed"
        for name in sorted({*names, *listed["files"]} - {manifest.NAME}):
            if name not in names:
                raise Damage(f"{visible(str(name))} is missing")
            manifest.check(folder, listed, name)
    except (Damage, ValueError, TypeError, KeyError) as error:
        raise RunError(
            f"what {repo} holds is damaged ({error}): ask its owner to push it again."
        ) from error


@contextlib.contextmanager
def _told(repo: str) -> Iterator[None]:
    """Whatever the Hub or the network refuses becomes a RunError of one sentence."""
    errors = importlib.import_module("huggingface_hub.errors")
    try:
        yield
    except (OSError, RuntimeError, ValueError, errors.HTTPError) as error:
        raise RunError(_sentence(errors, error, repo)) from error


def _sentence(errors: Any, error: BaseException, repo: str) -> str:
    """What to say of an error that the Hub's library raised."""
    match error:
        case RuntimeError(__cause__=Exception() as cause):  # of a large file
            return _sentence(errors, cause, repo)
        case errors.RevisionNotFoundError():
            return f"the repository {repo} has no such revision."
        case errors.GatedRepoError() | errors.RepositoryNotFoundError():
            return (
                f"there is no repository {repo}, or your token may not read it: check the name, "
                "and log in with `hf auth login` if it is private."
            )
        case errors.HfHubHTTPError():
            return _refusal(error, repo)
        case errors.OfflineModeIsEnabled() | errors.LocalEntryNotFoundError() | errors.HTTPError():
            return _UNREACHED.format(what=_short(error))
        case OSError(filename=None, errno=code) if code not in _DISK:
            return _UNREACHED.format(what=_short(error))
        case OSError():
            place = "the disk" if error.filename is None else visible(str(error.filename))
            return (
                f"{place} cannot be written ({error.strerror or _short(error)}): the library of "
                "the Hub keeps files there for a while; TMPDIR and HF_HOME say where."
            )
    return f"the library of the Hub fails at {repo} ({_short(error)})."


_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
"""What a disk answers, and never the network."""

_UNREACHED = (
    "the Hub cannot be reached ({what}): check the network, and HF_ENDPOINT and HF_HUB_OFFLINE "
    "where they are set; nothing was changed here."
)


def _refusal(error: Any, repo: str) -> str:
    code = error.response.status_code
    if code in (401, 403):
        return (
            f"the Hub refuses your token for {repo} ({code}): log in with `hf auth login` with a "
            "token that may write there."
        )
    return f"the Hub refuses {repo} ({code}: {_short(error)})."


def _short(error: BaseException) -> str:
    lines = visible(str(error)).strip().splitlines() or [type(error).__name__]
    return lines[0][:160].rstrip(".:")
