"""`python -m reverie` is `reverie`."""

import os
import sys

READERS = ("eval", "report", "compare")
"""Verbs that read run folders of others, perhaps from inside one."""

if __name__ == "__main__":
    if not sys.flags.safe_path and sys.argv[1:2] and sys.argv[1] in READERS:
        # The current folder, which -m puts first, may be the stranger's: it comes last.
        sys.path[:] = [*sys.path[1:], sys.path[0]]
    try:
        from reverie.cli import main

        code = main()
    except KeyboardInterrupt:  # before `main` could take it
        os.write(2, b"reverie: interrupted.\n")
        code = 130
    raise SystemExit(code)
