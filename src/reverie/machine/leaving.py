"""The end of the process: the compiler cannot be stopped, and nobody waits for what it makes."""

import os
import sys
import threading

COMPILING = "compiling"
"""What the names of threads begin with that wait for the compiler."""


def now(code: int) -> int:
    """`code`, for the interpreter to end with; ends the process here where a thread compiles."""
    if any(thread.name.startswith(COMPILING) for thread in threading.enumerate()):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)
    return code
