"""Who owns a run folder, and what killed processes left in it."""

import errno
import fcntl
import os
import shutil
from pathlib import Path

import pytest

from reverie.folder import leftovers, run_folder
from reverie.folder.errors import RunError


def test_the_lock_is_the_folder_s(tmp_path):
    run = tmp_path / "run"
    with run_folder.claim(run):
        with pytest.raises(RunError, match=rf"another process \({os.getpid()}\) is running in"):
            run_folder.claim(run)
        (run / ".lock").unlink()
        with pytest.raises(RunError, match=r"another process is running in .*: wait for it"):
            run_folder.claim(run)
        (run / ".lock").write_text("not a number")
        with pytest.raises(RunError, match="another process is running in"):
            run_folder.claim(run)
    run_folder.claim(run).close()


def test_a_process_of_version_0_1_is_noticed(tmp_path):
    """It locks the file alone."""
    with (tmp_path / ".lock").open("a+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(b"123")
        lock.flush()
        with pytest.raises(RunError, match=r"another process \(123\) is running in"):
            run_folder.claim(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_file_system_without_locks_is_told_and_used(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with run_folder.claim(tmp_path) as lock:
        (notice,) = lock.notices
    assert f"cannot lock files ({os.strerror(number)}): the run goes on" in notice
    assert "\n" not in notice


def test_a_file_system_that_locks_files_but_no_folders(tmp_path, monkeypatch):
    """As NFS does; the file alone keeps others out."""
    real = fcntl.flock

    def files_only(handle, operation):
        if Path(f"/proc/self/fd/{handle}").is_dir():
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        real(handle, operation)

    monkeypatch.setattr(fcntl, "flock", files_only)
    with run_folder.claim(tmp_path) as lock:
        assert lock.notices == []
        with pytest.raises(RunError, match="another process"):
            run_folder.claim(tmp_path)


def test_a_lock_that_is_a_link_is_not_written(tmp_path):
    private = tmp_path / "private"
    private.write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to(private)
    with pytest.raises(RunError, match="cannot be written"):
        run_folder.claim(tmp_path / "run")
    assert private.read_text() == "mine"


HALF = (
    "config.partial",
    ".partial-diverged.json",
    "videos/.partial-a1b2.mp4",
    "videos/.partial-a1b2.png",
    "checkpoints/.partial-000000000009-77/arrays.safetensors",
    "replay/fixed-000000-0123456789abcdef0123456789abcdef.safetensors.tmp",
)
KEPT = (
    "config.json",
    "notes.partial.txt",
    "videos/eval-000000009.mp4",
    "checkpoints/000000000009/state.json",
    "checkpoints/.aside-000000000010/state.json",
    "replay/mine.tmp",
)


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")


def test_what_a_kill_left_half_written_goes_and_nothing_else(tmp_path):
    for name in (*HALF, *KEPT):
        write(tmp_path / name)
    leftovers.remove(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(KEPT)
    leftovers.remove(tmp_path / "none")


def test_links_are_not_followed(tmp_path):
    run, other = tmp_path / "run", tmp_path / "other"
    for name in HALF:
        write(other / name)
    run.mkdir()
    (run / "videos").symlink_to(other / "videos")
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / ".partial-1").symlink_to(other)
    leftovers.remove(run)
    assert all((other / name).is_file() for name in HALF)
    assert not (run / "checkpoints" / ".partial-1").is_symlink()
    shutil.rmtree(other)
