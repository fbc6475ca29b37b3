"""The copy of a run folder at a URL: complete at every instant, because a marker is written last.

`complete.json` lists every file of the copy: under which name it lies there, its size and digest.
A name that it lists is never written again before another marker has replaced it; what it does not
list is no part of the copy. An upload that is cut off leaves the copy that was there before.
"""

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reverie import files
from reverie.folder import address, digest
from reverie.folder.errors import RunError
from reverie.folder.remote_marker import FOLDERS, PARTS, Entry, Marker, marker_from

MARKER = "complete.json"
RECORD = ".remote.json"
"""In the folder here: the marker as it was last written or fetched, and what was digested."""
_OURS = re.compile(
    r"(checkpoints/(.*/)?\d{12}(-\d+)?/.*|replay/(share-\d+/)?(fixed|mutable|table)-.*"
    r"|.*\.([0-9a-f]{8}|new)~)"
)
"""What may be deleted at the URL where no marker lists it."""


class Remote:
    """A run folder at a checked URL. `marker`, `push` and `pull` raise what its file system raises
    as RunError; who calls the others says within `reached` what could not be done."""

    def __init__(self, url: str):
        self.url, self._fs = url, address.file_system(url)
        self._root = self._fs._strip_protocol(url).rstrip("/")
        protocol = url.partition("://")[0]
        self._makes_folders = protocol not in address.WHOLE_BUCKETS
        self._renames = self._makes_folders and protocol != "memory"
        self._digests: dict[str, tuple[int, int, str]] = {}
        self._settled = False  # as far as this process knows

    def path(self, name: str) -> str:
        """As the file system names a file of the folder."""
        return f"{self._root}/{name}"

    @contextlib.contextmanager
    def reached(self, what: str) -> Iterator[None]:
        """Within, what the file system raises becomes a RunError that begins with `what`."""
        try:
            yield
        except RunError:
            raise
        except Exception as error:  # whatever a file system's package raises
            raise RunError(f"{self.url} {what} ({address.told(error)}).") from error

    # -- single files there

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None where there is none."""
        self._fs.invalidate_cache()
        try:
            return self._fs.cat_file(self.path(name))
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Put a small file in place, whole or not at all."""
        self._making(lambda: self._fs.pipe_file(self.path(f"{name}.new~"), data), name)
        if self._renames:
            self._fs.mv(self.path(f"{name}.new~"), self.path(name))
        else:  # what copies, copies whole
            self._fs.cp_file(self.path(f"{name}.new~"), self.path(name))
            self._fs.rm_file(self.path(f"{name}.new~"))

    def delete(self, name: str) -> None:
        """Delete a file, where there is one."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self.path(name))

    def _making(self, put: Callable[[], Any], name: str) -> None:
        try:
            put()
        except FileNotFoundError:
            if not self._makes_folders:
                raise
            self._fs.makedirs(self.path(name).rpartition("/")[0], exist_ok=True)
            put()

    def listing(self) -> list[str]:
        """Names of all files below the folder."""
        self._fs.invalidate_cache()
        try:
            found = self._fs.find(self._root)
        except FileNotFoundError:
            return []
        inside = f"{self._root}/"
        return [path.removeprefix(inside) for path in found if path.startswith(inside)]

    def marker(self) -> Marker | None:
        """That of the copy; None where there is no complete one. Raises RunError."""
        with self.reached("cannot be read"):
            data = self.read(MARKER)
        if data is None:
            return None
        try:
            return marker_from(files.parse_json(data))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"{self.url}/{MARKER} is damaged or of another program: {error}.") from (
                error
            )

    # -- whole copies

    def push(self, folder: Path, before: Marker | None) -> Marker:
        """Copy the run folder there and replace the marker `before`; the new one.

        Raises RunError, or FileNotFoundError where a file went meanwhile; the copy that was there
        is complete still.
        """
        made, listed = before or Marker(), dict[str, Entry]()
        for name in names_in(folder):
            grown = (folder / name).read_bytes() if name in PARTS else None
            size, text = self._digested(folder, name, grown)
            old = made.files.get(name)
            if old is not None and old[1:] == (size, text):
                listed[name] = old
                continue
            at = name if old is None else f"{name}.{text[:8]}~"
            try:
                with self.reached("cannot be written"):
                    self._put(folder / name, at, grown)
            except RunError:
                (folder / name).stat()
                raise
            listed[name] = Entry(at, size, text)
        if listed != made.files:
            self._settled = False
            made = self._commit(folder, Marker(made.saved + 1, listed))
        return made if self._settled else self._settle(folder, made)

    def _put(self, source: Path, at: str, data: bytes | None) -> None:
        """A file of the disk, or what was read of one that may grow meanwhile."""
        if data is None:
            self._making(lambda: self._fs.put_file(os.fspath(source), self.path(at)), at)
        else:
            self._making(lambda: self._fs.pipe_file(self.path(at), data), at)

    def _commit(self, folder: Path, marker: Marker) -> Marker:
        with self.reached("cannot be written"):
            self.write(MARKER, json.dumps(marker.to_json()).encode())
        self.note(folder, marker)
        return marker

    def _settle(self, folder: Path, marker: Marker) -> Marker:
        """Give files their own names, which the marker before listed; delete what none lists."""
        with self.reached("cannot be written"):
            moved = [name for name, entry in marker.files.items() if entry.at != name]
            for name in moved:
                self._fs.cp_file(self.path(marker.files[name].at), self.path(name))
            if moved:
                own = {name: entry._replace(at=name) for name, entry in marker.files.items()}
                marker = self._commit(folder, Marker(marker.saved + 1, own))
            listed = {entry.at for entry in marker.files.values()}
            for name in self.listing():
                if name not in listed and _OURS.fullmatch(name):
                    self.delete(name)
        self._settled = True
        return marker

    def pull(self, folder: Path, marker: Marker, *, replay: bool = True) -> None:
        """Make `folder` what the marker lists, without its replay where nobody needs that.

        Raises RunError; a pull that was cut off is known by its missing record, and repeated.
        """
        known = self._recorded(folder)[0]
        have = {} if known is None else known.files
        wanted = {n: e for n, e in marker.files.items() if replay or not n.startswith("replay/")}
        (folder / RECORD).unlink(missing_ok=True)
        for name, entry in sorted(wanted.items(), key=lambda item: item[0] == "config.json"):
            path, old = folder / name, have.get(name)
            same = old is not None and old[1:] == entry[1:] and path.is_file()
            if not same or path.stat().st_size != entry.size:
                self._fetch(folder, name, entry)
            self._digests[name] = (entry.size, path.stat().st_mtime_ns, entry.digest)
        for name in set(names_in(folder)) - set(wanted):
            (folder / name).unlink()
        for path in sorted((folder / "checkpoints").rglob("*"), reverse=True):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        self.note(folder, marker)

    def _fetch(self, folder: Path, name: str, entry: Entry) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        partial = folder / f".partial-{os.getpid()}"  # leftovers.py removes it after a kill
        try:
            with self.reached("cannot be read"):
                self._fs.get_file(self.path(entry.at), os.fspath(partial))
            with partial.open("rb") as file:
                found = digest.of_file(file, entry.size)
            if partial.stat().st_size != entry.size or found != entry.digest:
                raise RunError(
                    f"{self.url}/{entry.at} is damaged: it is not the file of {entry.size:,} bytes "
                    f"that {MARKER} lists."
                )
            partial.replace(folder / name)
        finally:
            partial.unlink(missing_ok=True)

    # -- the record here

    def _digested(self, folder: Path, name: str, data: bytes | None) -> tuple[int, str]:
        """Size and digest of `data`, or of a file here, which is read once."""
        if data is not None:
            return len(data), digest.of(data)
        if not self._digests:
            self._digests = self._recorded(folder)[1]
        with files.open_to_read(folder / name) as file:
            found = os.fstat(file.fileno())
            size, when = found.st_size, found.st_mtime_ns
            if self._digests.get(name, (0, 0, ""))[:2] != (size, when):
                self._digests[name] = (size, when, digest.of_file(file, size))
        return size, self._digests[name][2]

    def note(self, folder: Path, marker: Marker) -> None:
        """Record in the folder here what lies there now."""
        kept = {name: list(seen) for name, seen in self._digests.items() if name in marker.files}
        data = json.dumps({"url": self.url, "marker": marker.to_json(), "seen": kept}).encode()
        files.replace(folder / RECORD, data, partial=folder / f"{RECORD}.partial")

    def _recorded(self, folder: Path) -> tuple[Marker | None, dict[str, tuple[int, int, str]]]:
        try:
            found = files.read_json(folder / RECORD, files.TREE_BYTES)
            seen = {name: (int(s), int(t), str(d)) for name, (s, t, d) in found["seen"].items()}
            return (marker_from(found["marker"]) if found["url"] == self.url else None), seen
        except (OSError, LookupError, TypeError, ValueError, AttributeError):
            return None, {}

    def recorded(self, folder: Path) -> Marker | None:
        """The marker that the folder here was last in step with; None if it never was."""
        return self._recorded(folder)[0]


def names_in(folder: Path) -> list[str]:
    """Files of a run folder that are copied, by their names in it: whole ones only, configuration
    and metrics last."""
    found = []
    for top in FOLDERS:
        for path in sorted((folder / top).rglob("*")):
            name = path.relative_to(folder)
            whole = not any(part.startswith(".") for part in name.parts)
            if whole and not path.name.endswith(".tmp") and path.is_file():
                found.append(name.as_posix())
    return [*found, *(name for name in reversed(PARTS) if (folder / name).is_file())]
