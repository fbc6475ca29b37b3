"""Folders of this machine, which are no matter of a page that others read."""

import re

FOLDERS = re.compile(r"(?<![\w.~:/\\-])(?:/[^/\s'\",;=()<>]+)+/(?=[^/\s'\",;=()<>])")
"""The folders that lead to a file, written from the root on."""


def without_folders(text: str) -> str:
    """`text` with absolute paths cut down to their last part: of a run folder its name."""
    return FOLDERS.sub("…/", text)
