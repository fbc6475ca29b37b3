"""Small folders that look like runs, and stores that fail."""

import json
from pathlib import Path

from reverie.folder.remote import MARKER, Remote


def write_run(folder: Path, *, step: int = 100, noise: str = "") -> Path:
    """A run folder as a checkpoint of `step` leaves it; `noise` changes what every file holds."""
    for old in (folder / "checkpoints").glob("*"):
        for path in old.iterdir():
            path.unlink()
        old.rmdir()
    texts = {
        f"checkpoints/{step:012d}/arrays.safetensors": "arrays",
        f"checkpoints/{step:012d}/state.json": "state",
        f"checkpoints/{step:012d}/manifest.json": "manifest",
        f"replay/fixed-000000-{step:032x}.safetensors": "rows",
        f"replay/share-1/fixed-000000-{step:032x}.safetensors": "rows of a share",
        "replay/fixed-000001.safetensors.tmp": "half",
        "videos/eval-000000100.mp4": "film",
        "videos/.partial-x.mp4": "half",
        "metrics.jsonl": "\n".join(f'{{"step": {n}}}' for n in range(step)),
        "config.json": f"config {step}",
        ".lock": "1",
    }
    for old in (folder / "replay").rglob("fixed-*"):
        old.unlink()
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + noise)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Files by name, without those that are this machine's own."""
    names = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in names
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.suffix != ".tmp"
    }


class Flaky:
    """A file system whose calls that write fail from the `nth` on, or the `nth` alone."""

    WRITING = ("pipe_file", "put_file", "cp_file", "rm_file", "mv")

    def __init__(self, inner, nth: int, *, once: bool = False):
        self._inner, self._nth, self._once, self.calls = inner, nth, once, 0

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if name not in self.WRITING:
            return found

        def call(*args, **kwargs):
            self.calls += 1
            if self.calls == self._nth or (self.calls > self._nth and not self._once):
                raise ConnectionError("the network is down")
            return found(*args, **kwargs)

        return call


def fetched(url: str, folder: Path) -> dict[str, bytes]:
    """What another machine gets from a URL."""
    there = Remote(url)
    marker = there.marker()
    assert marker is not None
    folder.mkdir()
    there.pull(folder, marker)
    return contents(folder)


def listed(url: str) -> set[str]:
    """Names of all files at a URL, without the marker."""
    return set(Remote(url).listing()) - {MARKER}


def claim_of(url: str) -> dict | None:
    """What the claim at a URL says."""
    data = Remote(url).read("claim.json")
    return None if data is None else json.loads(data)
