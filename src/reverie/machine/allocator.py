"""The C library's memory: settings that must be there before the process starts, and giving back.

XLA on the CPU takes the scratch memory of a program anew at every call and gives it back; with
glibc's defaults each update then faults in hundreds of megabytes page by page: a quarter of the
CPU time of an update at size 1m, measured. Huge pages and a heap that is kept make that vanish.
"""

import ctypes
import os
import platform
import signal
import sys
from pathlib import Path

TUNABLES = {
    "glibc.malloc.hugetlb": "1",
    "glibc.malloc.arena_max": "1",
    "glibc.malloc.mmap_max": "0",
    "glibc.malloc.trim_threshold": "9999999999",
}
NAME = "GLIBC_TUNABLES"


def restart_with_large_pages() -> None:
    """Start this program again, once, with the settings above; returns where that changes nothing.

    Leaves alone whatever the user set in GLIBC_TUNABLES, and systems without glibc or huge pages.
    The restarted program forgets the variable, which the C library has read by then: environment
    processes are to stay small, and a heap of huge pages is not.
    """
    ours = ":".join(f"{name}={value}" for name, value in TUNABLES.items())
    if os.environ.get(NAME) == ours:
        del os.environ[NAME]
        return
    pages = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    command = [sys.executable, *sys.orig_argv[1:]]
    if NAME in os.environ or not sys.platform.startswith("linux") or not pages.is_file():
        return
    if not os.confstr("CS_GNU_LIBC_VERSION") or "[never]" in pages.read_text():
        return
    os.environ[NAME] = ours
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # waits until `interrupt.starting`
    os.execv(sys.executable, command)


def release() -> None:
    """Return to the system what this process has freed; nothing where the C library is not glibc.

    The compiler frees nearly all it took, in pieces that the heap keeps: 614 of 1,110 MB after an
    update of size 1m was compiled, measured, and the update's scratch memory would come on top.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
