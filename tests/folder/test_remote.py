"""The copy of a run folder at a URL is complete at every instant, whatever fails."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from remote_parts import Flaky, claim_of, contents, fetched, listed, write_run

from reverie.folder import address, leftovers, mirror, remote_claim
from reverie.folder.errors import RunError
from reverie.folder.mirror import Mirror, mirrored, run_path
from reverie.folder.remote import MARKER, Remote
from reverie.folder.remote_claim import Claim
from reverie.part.errors import ConfigError

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(scope="module")
def bucket():
    """An S3 server on this machine (moto), known to s3fs by variables as a provider's is.

    s3fs and moto need older packages than the pinned ones: install them beside, in an environment
    of their own.
    """
    pytest.importorskip("s3fs")
    boto3, served = pytest.importorskip("boto3"), pytest.importorskip("moto.server")
    server = served.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
            patch.setenv(name, "us-east-1")
        boto3.client("s3").create_bucket(Bucket="bucket")
        yield fsspec.filesystem("s3")
    server.stop()


@pytest.fixture(params=["memory", "file", pytest.param("s3", marks=pytest.mark.slow)])
def url(request, tmp_path, monkeypatch):
    """A place that holds nothing, in the stores that fsspec itself has, and on an S3 server; the
    cache is the test's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(mirror, "WAITS", (0.0, 0.0))
    if request.param == "s3":
        store = request.getfixturevalue("bucket")
        yield "s3://bucket/deep/run"
        store.invalidate_cache()
        if store.exists("bucket/deep"):
            store.rm("bucket/deep", recursive=True)
        return
    if request.param == "file":
        yield f"file://{tmp_path}/bucket/run"
        return
    yield "memory://bucket/run"
    fsspec.filesystem("memory").rm("/bucket", recursive=True)


def test_a_copy_holds_what_is_whole_and_comes_back(url, tmp_path):
    run = write_run(tmp_path / "run")
    marker = Remote(url).push(run, None)
    assert listed(url) == set(contents(run))
    assert marker == Remote(url).marker()
    assert fetched(url, tmp_path / "back") == contents(run)
    write_run(run, step=200)
    Remote(url).push(run, marker)
    assert listed(url) == set(contents(run))
    assert fetched(url, tmp_path / "again") == contents(run)


def test_folders_of_checkpoints_that_went_go_too(url, tmp_path):
    run, back = write_run(tmp_path / "run"), tmp_path / "back"
    best = run / "checkpoints/best" / f"{100:012d}"
    best.mkdir(parents=True)
    (best / "state.json").write_text("state")
    there = Remote(url)
    marker = there.push(run, None)
    back.mkdir()
    there.pull(back, marker)
    best.rename(best.with_name(f"{200:012d}"))
    there.pull(back, there.push(run, marker))
    assert contents(back) == contents(run)
    assert [path.name for path in (back / "checkpoints/best").iterdir()] == [f"{200:012d}"]


def test_what_changed_alone_is_copied(url, tmp_path):
    run = write_run(tmp_path / "run")
    there = Remote(url)
    marker = there.push(run, None)
    there._fs = flaky = Flaky(there._fs, 1000)
    assert there.push(run, marker) == marker
    assert flaky.calls == 0
    back = tmp_path / "back"
    back.mkdir()
    there.pull(back, marker)
    other = Remote(url)
    other._fs = Flaky(other._fs, 1)
    assert other.push(back, marker) == marker  # nothing of what was fetched is written


def test_an_upload_that_is_cut_off_anywhere_leaves_the_copy_before(url, tmp_path):
    run, count = write_run(tmp_path / "run"), 0
    before = Remote(url).push(run, None)
    want = [contents(run)]
    write_run(run, step=200, noise="2")
    (run / f"checkpoints/{200:012d}").rename(run / f"checkpoints/{100:012d}")  # a name used again
    want.append(contents(run))
    while True:
        count += 1
        there = Remote(url)
        there._fs = Flaky(there._fs, count)
        try:
            there.push(run, before)
            break
        except RunError as error:
            assert str(error).startswith(f"{url} cannot be written (ConnectionError")
        found = fetched(url, tmp_path / f"back-{count}")
        assert found == want[0] or found == want[1]
        before = Remote(url).marker()
    assert count > 10
    Remote(url).push(run, Remote(url).marker())
    assert listed(url) == set(want[1])


def test_files_of_others_stay(url, tmp_path):
    there = Remote(url)
    there._making(lambda: there._fs.pipe_file(there.path("notes.txt"), b"mine"), "notes.txt")
    there._making(lambda: there._fs.pipe_file(there.path("replay/x.csv"), b"mine"), "replay/x.csv")
    beside = Remote(f"{url}2")
    marker = beside.push(write_run(tmp_path / "run"), None)
    there.push(write_run(tmp_path / "run", step=200), None)
    assert {"notes.txt", "replay/x.csv"} <= listed(url)
    assert listed(beside.url) == set(marker.files)
    assert not any("run2" in name or name.startswith("2") for name in listed(url))


def test_damage_there_is_found(url, tmp_path):
    there = Remote(url)
    marker = there.push(write_run(tmp_path / "run"), None)
    there._fs.pipe_file(there.path("metrics.jsonl"), b"x" * marker.files["metrics.jsonl"].size)
    (tmp_path / "back").mkdir()
    with pytest.raises(RunError, match=r"metrics.jsonl is damaged: .* that complete.json lists"):
        there.pull(tmp_path / "back", marker)
    assert not (tmp_path / "back" / "config.json").exists()
    for tree in ({}, {"version": 9}, {"version": 1, "saved": 1, "files": {"../x": ["x", 1, ""]}}):
        there._fs.pipe_file(there.path(MARKER), json.dumps(tree).encode())
        with pytest.raises(RunError, match=r"complete.json is damaged or of another program"):
            there.marker()


# -- one process at a time


def test_a_second_process_is_refused_and_a_dead_one_is_not_waited_for(url, monkeypatch):
    monkeypatch.setattr(remote_claim, "BEAT", 0.05)
    first = Claim(Remote(url))
    first.take()
    seen = claim_of(url)
    with pytest.raises(RunError, match=rf"another process \({os.getpid()} on .*, last seen"):
        Claim(Remote(url)).take()
    time.sleep(0.3)
    assert claim_of(url)["seconds"] > seen["seconds"]
    first.release()
    assert claim_of(url) is None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for change in ({"process": ended.pid}, {"host": "elsewhere", "seconds": time.time() - 601}):
        Remote(url).write("claim.json", json.dumps(seen | change).encode())
        claim = Claim(Remote(url))
        claim.take()
        claim.release()
    Remote(url).write("claim.json", json.dumps(seen | {"host": "elsewhere"}).encode())
    with pytest.raises(RunError, match="ends 10 minutes after it was last seen"):
        Claim(Remote(url)).take()


def test_a_run_whose_url_was_taken_over_stops(url, tmp_path):
    run = write_run(tmp_path / "run")
    with pytest.raises(RunError, match="another process"), mirrored(url, run) as (copy, _):
        other = claim_of(url) | {"token": "another"}
        Remote(url).write("claim.json", json.dumps(other).encode())
        copy.saved()
        copy._pushing.result()
        copy.saved()
    assert claim_of(url) == other
    assert Remote(url).marker() is None


# -- a run that goes on


def test_a_network_that_fails_for_a_while_loses_nothing(url, tmp_path):
    run = write_run(tmp_path / "run")
    with mirrored(url, run) as (copy, said):
        assert said == [f"the run is worked on in {run} and copied to {url} at every checkpoint."]
        healthy = copy._remote._fs
        copy._remote._fs = Flaky(healthy, 1)
        told = []
        for step in (100, 200, 300):
            write_run(run, step=step)
            told += copy.saved()
            copy._pushing.result()
        assert len(told) == 1
        assert "the network is down). The run goes on, all of it is in" in told[0]
        copy._remote._fs = healthy
        for step in (400, 500):
            write_run(run, step=step)
            told += copy.saved()
            copy._pushing.result()
        assert told[1:] == [f"{url} is reached again."]
        write_run(run, step=600)
    assert fetched(url, tmp_path / "back") == contents(run)
    assert claim_of(url) is None


def test_an_end_without_a_network_names_the_folder_that_is_whole(url, tmp_path):
    run = write_run(tmp_path / "run")
    with (
        pytest.raises(RunError, match=rf"The run is whole in {run}: the same command copies it"),
        mirrored(url, run) as (copy, _),
    ):
        copy._remote._fs = Flaky(copy._remote._fs, 1)
    with pytest.raises(ZeroDivisionError), mirrored(url, run) as (copy, _):
        copy._remote._fs = Flaky(copy._remote._fs, 1)
        raise ZeroDivisionError


def test_another_machine_goes_on_and_the_first_one_notices(url, tmp_path):
    here, there = write_run(tmp_path / "here"), tmp_path / "there"
    with mirrored(url, here):
        pass
    with mirrored(url, there) as (_, said):
        assert said[0].startswith(f"the run was fetched from {url}; the run is worked on in")
        assert contents(there) == contents(here)
        write_run(there, step=300)
    with mirrored(url, here) as (_, said):
        assert "fetched" in said[0] and "in place of an older state" in said[0]
        assert contents(here) == contents(there)
    with mirrored(url, there) as (_, said):
        assert said[0].startswith("the run is worked on in")


def test_a_fetch_that_was_cut_off_is_repeated(url, tmp_path, monkeypatch):
    run, back = write_run(tmp_path / "run"), tmp_path / "back"
    with mirrored(url, run):
        pass
    real, left = Remote._fetch, iter(range(4))

    def fetch(there, folder, name, entry):
        if next(left, None) is None:
            raise KeyboardInterrupt
        real(there, folder, name, entry)

    with monkeypatch.context() as patch:
        patch.setattr(Remote, "_fetch", fetch)
        with pytest.raises(KeyboardInterrupt), mirrored(url, back):
            pass
    assert not (back / "config.json").exists() and claim_of(url) is None
    with mirrored(url, back):
        assert contents(back) == contents(run)


def test_what_a_killed_fetch_left_goes_with_other_leftovers(url, tmp_path, monkeypatch):
    run, back, halves = write_run(tmp_path / "run"), tmp_path / "back", list[Path]()
    there = Remote(url)
    marker, real = there.push(run, None), there._fs.get_file

    def get_file(at, local):
        halves.append(Path(local))
        real(at, local)

    monkeypatch.setattr(there._fs, "get_file", get_file)
    back.mkdir()
    there.pull(back, marker)
    for path in halves:  # as they are where the process was killed
        path.write_text("half")
    leftovers.remove(back)
    assert halves and not any(path.exists() for path in halves)
    assert contents(back) == contents(run)


def test_a_place_that_holds_something_else_is_left_alone(url, tmp_path):
    there = Remote(url)
    there._making(lambda: there._fs.pipe_file(there.path("thesis.tex"), b"x"), "thesis.tex")
    with pytest.raises(RunError, match=r"holds thesis\.tex but no complete\.json"):
        Mirror(url, tmp_path / "run").begin()
    assert there._fs.cat_file(there.path("thesis.tex")) == b"x"


def test_a_place_that_was_emptied_is_filled_again(url, tmp_path):
    run = write_run(tmp_path / "run")
    with mirrored(url, run):
        pass
    there = Remote(url)
    there._fs.rm(there._root, recursive=True)
    with mirrored(url, run) as (_, said):
        assert "holds nothing, but" in said[0]
    assert fetched(url, tmp_path / "back") == contents(run)


def test_reading_fetches_once_and_without_the_replay(url, tmp_path):
    run = write_run(tmp_path / "run")
    with mirrored(url + "/", run):
        pass
    read = run_path(url + "//")
    assert set(contents(run)) - set(contents(read)) == {
        f"replay/fixed-000000-{100:032x}.safetensors",
        f"replay/share-1/fixed-000000-{100:032x}.safetensors",
    }
    assert contents(run_path(url, replay=True)) == contents(run)
    when = (read / "config.json").stat().st_mtime_ns
    assert run_path(url) == read and (read / "config.json").stat().st_mtime_ns == when
    assert read.name == "run"
    with pytest.raises(RunError, match=r"holds no complete run: there is no complete\.json"):
        run_path(f"{url}/nothing")


# -- what is given


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("s4://bucket/run", r"there is no protocol 's4' .*; did you mean 's3'\?"),
        ("memroy://bucket/run", r"did you mean 'memory'\?"),
        ("memory://", r"names no folder: expected memory://PLACE/FOLDER"),
        ("s3:///", "names no folder"),
        ("zip::s3://bucket/run", "is no plain URL"),
        ("s3:/bucket/run", "has lost a slash"),
        ("ftp://me:hunter2@host/run", "keep passwords and keys where"),
        ("https://host/run?token=hunter2", "keep passwords and keys where"),
    ],
)
def test_urls_that_are_none(given, told):
    with pytest.raises(ConfigError, match=told) as raised:
        run_path(given)
    assert "hunter2" not in str(raised.value)


def test_packages_that_are_missing(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "fsspec", None)
        with pytest.raises(RunError, match=r"needs the package fsspec: pip install 'reverie\[remo"):
            run_path("memory://bucket/run")
    monkeypatch.setattr("fsspec.filesystem", missing)
    with pytest.raises(RunError, match=r"pip install 'reverie\[s3\]'"):
        run_path("s3://bucket/run")
    with pytest.raises(RunError, match=r"that is not installed: Install gcs to access gs"):
        run_path("gs://bucket/run")


def missing(protocol, **_):
    """What fsspec says of a protocol whose package is not there."""
    raise ImportError(f"Install {protocol}fs to access {protocol}".replace("gsfs", "gcs"))


@pytest.mark.slow
def test_a_bucket_that_nobody_made(bucket):
    with pytest.raises(RunError, match=r"s3://nobodys/run cannot be written \(FileNotFoundError"):
        Claim(Remote("s3://nobodys/run")).take()
    assert not bucket.exists("nobodys")


def test_one_place_has_one_name():
    assert address.checked("MEMORY://bucket/run///") == "memory://bucket/run"
    assert address.checked("sftp://me@host/run") == "sftp://me@host/run"
    assert address.below("memory://bucket/run/", "seed-1") == "memory://bucket/run/seed-1"
    assert not any(map(address.is_url, ("runs/a:b", "~/x", "a::b", "C:/x")))
    with pytest.raises(ConfigError, match=r"--out takes a path on this machine, found 's3://b/x'"):
        address.local_path("s3://b/x", "--out")
