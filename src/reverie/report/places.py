"""Folders of this machine, which are no matter of a page that others read."""

import re

ROOT = r"(?:file:(?=/)(?://(?:localhost)?(?=/))?)?"
"""What may stand before the root: the address of a file."""

BARE = rf"(?<![\w.~:/\\-]){ROOT}((?:/[^/\s'\",;=()<>]+){{2,}})"
"""A path written from the root on, below the first folder; it ends at a blank."""

OPTION = r"(?P<option>(?:--[\w.-]+=)?)"
QUOTED = rf"(?P<quote>['\"]){OPTION}{ROOT}(?P<path>(?:/[^/'\"]+){{2,}})(?P=quote)"
"""One in quotation marks, of which blanks are a part; as the value of an option too."""

WHOLE = re.compile(rf"{ROOT}((?:/[^/\n]+){{2,}})")
"""A text that is one path and nothing else."""

PATH = re.compile(f"{QUOTED}|{BARE}")


def without_folders(text: str) -> str:
    """`text` with absolute paths cut down to what tells them apart: of a run folder its name, of a
    file in it both names. A name with blanks is known as one where it is quoted."""
    return PATH.sub(_cut, text)


def value_without_folders(value: str) -> str:
    """The same of a setting: what begins at the root is a path to its end."""
    whole = WHOLE.fullmatch(value)
    return _last(whole[1]) if whole else without_folders(value)


def _cut(found: re.Match[str]) -> str:
    if found["quote"]:
        return f"{found['quote']}{found['option']}{_last(found['path'])}{found['quote']}"
    return _last(found[4])


def _last(path: str) -> str:
    """The last name of a path, of a file the last two."""
    _, *parts = path.split("/")
    file = "." in parts[-1].rstrip(".") and len(parts) > 2
    return "/".join(["…", *parts[-2 if file else -1 :]])
