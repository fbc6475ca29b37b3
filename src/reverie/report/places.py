"""Folders of this machine, which are no matter of a page that others read."""

import re

PATH = re.compile(r"(?<![\w.~:/\\-])(?:/[^/\s'\",;=()<>]+){2,}")
"""A path written from the root on, below the first folder."""


def without_folders(text: str) -> str:
    """`text` with absolute paths cut down to what tells them apart: of a run folder its name, of a
    file in it both names."""
    return PATH.sub(_cut, text)


def _cut(found: re.Match[str]) -> str:
    _, *parts = found.group().split("/")
    file = "." in parts[-1].rstrip(".") and len(parts) > 2
    return "/".join(["…", *parts[-2 if file else -1 :]])
