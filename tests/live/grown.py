"""Runs that grow while a test looks."""

import json

from fake_run import make_run

from reverie.live import feed


class Growing:
    """A run folder and the lines that it has not written yet."""

    def __init__(self, folder, steps=6_000, **how):
        self.folder = make_run(folder, steps=steps, media=False, **how)
        self.file = folder / "metrics.jsonl"
        self.lines = self.file.read_bytes().splitlines(keepends=True)
        self.file.write_bytes(b"")

    def write(self, first, end):
        """Append these of the lines."""
        with self.file.open("ab") as file:
            file.write(b"".join(self.lines[first:end]))

    def log(self, **row):
        """Append a line of one's own."""
        with self.file.open("a") as file:
            file.write(json.dumps(row) + "\n")


def feed_of(*folders):
    return feed.Feed(folders, lambda number, name: f"/media/{number}/{name}")
