"""One constraints file from the frozen environments of Python 3.11 and of Python 3.12.

    python -m pip freeze > old.txt            (with 3.11, everything installed and tested)
    python -m pip freeze > new.txt            (with 3.12, the same)
    python scripts/constraints.py old.txt new.txt > constraints.txt

A package whose version is the same in both has one line; one that differs has a line for each.
"""

import sys
from pathlib import Path

HEAD = """\
# What was tested: Python 3.11 and 3.12. Written by scripts/constraints.py; names no index.
"""


def pins(path: str) -> dict[str, str]:
    """Version by package; editable installs and addresses are left out."""
    lines = Path(path).read_text().splitlines()
    pairs = [line.split("==") for line in lines if "==" in line and not line.startswith("-")]
    return {name.strip().lower(): version.strip() for name, version in pairs}


def merge(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Lines of a constraints file: `old` below Python 3.12, `new` from there on."""
    lines = []
    for name in sorted(old | new):
        if old.get(name) == new.get(name):
            lines.append(f"{name}=={old[name]}")
            continue
        if name in old:
            lines.append(f'{name}=={old[name]}; python_version < "3.12"')
        if name in new:
            lines.append(f'{name}=={new[name]}; python_version >= "3.12"')
    return lines


if __name__ == "__main__":
    sys.stdout.write(HEAD + "\n".join(merge(pins(sys.argv[1]), pins(sys.argv[2]))) + "\n")
