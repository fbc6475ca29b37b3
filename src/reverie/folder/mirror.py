"""A run that is worked on here and copied to a URL while it goes on."""

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from reverie.envs.waiting import result_of
from reverie.folder import address, remote, run_folder
from reverie.folder.errors import RunError
from reverie.folder.fresh import taken_back
from reverie.folder.remote import Marker, Remote
from reverie.folder.remote_claim import NAME, Claim

WAITS = (1.0, 4.0, 15.0)
"""Seconds before each further try of an upload that failed."""

log = logging.getLogger("reverie.folder")


class Mirror:
    """The copy of the run folder `folder` at `url`. Uploads run in a thread of their own; one that
    fails is told once and tried again with the next checkpoint, and the run goes on."""

    def __init__(self, url: str, folder: Path):
        self.url, self._folder = url, folder
        self._remote = Remote(url)
        self.claim = Claim(self._remote)
        self._marker: Marker | None = None
        self._pool = ThreadPoolExecutor(1, "reverie-upload")
        self._pushing: Future | None = None
        self._over, self._trouble, self._told = threading.Event(), "", False

    def begin(self) -> list[str]:
        """Claim the URL and fetch the run that it holds, unless the folder here made that copy;
        sentences about it. Raises RunError."""
        self.claim.take()
        self._marker = self._remote.marker()
        where = f"the run is worked on in {self._folder} and copied to {self.url}"
        known = self._remote.recorded(self._folder)
        if self._marker is None:
            return [*self._check_free(known), f"{where} at every checkpoint."]
        if known is not None and known == self._marker:
            return [f"{where} at every checkpoint."]
        older = (self._folder / "config.json").is_file()
        self._remote.pull(self._folder, self._marker)
        again = " in place of an older state" if older else ""
        return [f"the run was fetched from {self.url}{again}; {where} at every checkpoint."]

    def _check_free(self, known: Marker | None) -> list[str]:
        with self._remote.reached("cannot be read"):
            found = [name for name in self._remote.listing() if not name.startswith(NAME)]
        here = (self._folder / "config.json").is_file()
        if found and not here:
            raise RunError(
                f"{self.url} holds {found[0]} but no {remote.MARKER}: no upload was completed "
                "there, or it is no run folder. Delete what is there, or choose another --logdir."
            )
        if known is not None and here and not found:
            return [
                f"{self.url} holds nothing, but {self._folder} holds its run, which goes on and is "
                "copied there again; delete that folder for a new run."
            ]
        return []

    def saved(self) -> list[str]:
        """A checkpoint is complete: begin to copy it, unless a copy is still under way, which the
        next checkpoint then follows. Sentences about copies before.

        Raises RunError where another process has taken the URL over.
        """
        if self._pushing is not None and not self._pushing.done():
            return []
        if self.claim.lost:
            raise RunError(self.claim.lost)
        said = self._sentences()
        self._pushing = self._pool.submit(self._push)
        return said

    def _sentences(self) -> list[str]:
        if not self._trouble:
            said = [f"{self.url} is reached again."] if self._told else []
            self._told = False
            return said
        if self._told:
            return []
        self._told = True
        return [
            f"{self._trouble} The run goes on, all of it is in {self._folder}, and every "
            "checkpoint tries again."
        ]

    def _push(self) -> None:
        """Copy what is here, with a few tries; what is wrong is kept for `saved`."""
        for wait in (*WAITS, 0.0):
            try:
                self.claim.check()
                self._marker = self._remote.push(self._folder, self._marker)
                self._trouble = ""
                return
            except FileNotFoundError:  # a newer checkpoint has replaced it: take that
                self._trouble = "" if wait else f"{self._folder} changes faster than it is copied."
            except (OSError, RunError) as error:
                self._trouble = str(error)
                if self.claim.lost or self._over.wait(wait):
                    return

    def finish(self) -> None:
        """Copy what is left. Raises RunError where that fails."""
        try:
            self._over.set()
            if self._pushing is not None:
                result_of(self._pushing, f"the copy to {self.url}")
            self._over.clear()
            if (self._folder / "config.json").is_file():
                result_of(self._pool.submit(self._push), f"the copy to {self.url}")
        finally:
            self.abandon()
        if self._trouble:
            raise RunError(
                f"{self._trouble} The run is whole in {self._folder}: the same command copies it "
                "when that is put right."
            )

    def abandon(self) -> None:
        """Let others write there."""
        self._pool.shutdown()
        self.claim.release()


@contextlib.contextmanager
def mirrored(logdir: str, folder: Path) -> Iterator[tuple[Mirror | None, list[str]]]:
    """The mirror of a run whose --logdir is a URL, and sentences about it; None for a path.

    Raises RunError, but nothing over what is raised within.
    """
    if not address.is_url(logdir):
        yield None, []
        return
    mirror = Mirror(address.checked(logdir), folder)
    try:
        said = mirror.begin()
    except BaseException:
        mirror.abandon()
        raise
    try:
        yield mirror, said
    except BaseException:
        try:
            mirror.finish()
        except RunError as error:
            if not mirror.claim.lost:
                log.warning("%s", error)
        raise
    mirror.finish()


@contextlib.contextmanager
def held(logdir: str, folder: Path) -> Iterator[tuple[Mirror | None, list[str]]]:
    """The same within the lock of the run folder, which a start that fails leaves as it was."""
    with taken_back(folder), run_folder.claim(folder) as lock, mirrored(logdir, folder) as found:
        yield found[0], [*lock.notices, *found[1]]


def deliver(logdir: str, folder: Path) -> None:
    """Copy what was added to a finished run (its page), where `logdir` is a URL. Raises
    RunError."""
    with mirrored(logdir, folder):
        pass


def run_path(run: str | os.PathLike, *, replay: bool = False) -> Path:
    """A run folder to be read: a path as it is, `~` the user's home; a URL fetched, with its replay
    where it is needed.

    Raises RunError where the URL holds no complete run, ConfigError where it is none.
    """
    if not address.is_url(run):
        return Path(run).expanduser()
    url = address.checked(os.fspath(run))
    there, marker = Remote(url), None
    folder = address.working_folder(url, "whole" if replay else "read")
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        before, marker = marker, there.marker()
        if marker is None:
            raise RunError(
                f"{url} holds no complete run: there is no {remote.MARKER}, which is written last."
            )
        try:
            if there.recorded(folder) != marker:
                there.pull(folder, marker, replay=replay)
            return folder
        except RunError:
            if before == marker:  # or another process has saved meanwhile
                raise
