"""The replay on disk: exact resume, cost of what changed, kills, damage, a full disk."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from replay_model import SPECS, fill, make_rows

from reverie.replay.errors import ReplayError
from reverie.replay.files import prune
from reverie.replay.replay import Replay


def make_replay(specs=SPECS, **kwargs):
    options = {"streams": 2, "capacity": 100, "length": 5, "seed": 3, "chunk": 20, "gigabytes": 1}
    return Replay(specs, **(options | kwargs))  # 50 slots a stream, 10 to a file


def through_json(manifest):
    return json.loads(json.dumps(manifest))


def write_some(replay, num, batch=3):
    """`num` updates as a run makes them; returns what was drawn, as bytes."""
    seen = []
    for turn in range(num):
        sequences, ticket = replay.draw(batch)
        seen.append({key: value.tobytes() for key, value in sequences.items()})
        deter = np.full((batch, 4, 4), turn, np.float32)
        replay.write(ticket, {"latent/deter": deter}, offset=1)
    return seen


def listing(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


@pytest.mark.parametrize("rows", [7, 50, 51, 133], ids=["few", "full", "wrapped", "later"])
def test_a_resumed_replay_draws_the_same_sequences(tmp_path, rows):
    original = make_replay()
    fill(original, rows)
    write_some(original, 4)
    manifest = through_json(original.save(tmp_path))
    resumed = make_replay()
    resumed.load(tmp_path, manifest)
    assert resumed.stats() == original.stats()
    for step in range(3):
        fill(original, 6, start=rows + 6 * step)
        fill(resumed, 6, start=rows + 6 * step)
        assert write_some(original, 5) == write_some(resumed, 5)
    assert resumed.stats() == original.stats()
    again = through_json(original.save(tmp_path / "a"))
    assert again == through_json(resumed.save(tmp_path / "b"))


def test_tickets_stay_valid_across_a_resume(tmp_path):
    original, resumed = make_replay(), make_replay()
    fill(original, 60)
    _, ticket = original.draw(4)
    resumed.load(tmp_path, original.save(tmp_path))
    fill(original, 20, start=60)
    fill(resumed, 20, start=60)
    values = {"latent/stoch": np.full((4, 4, 2), 77, np.uint8)}
    late = original.write(ticket, values, offset=1)
    assert late == resumed.write(ticket, values, offset=1) > 0
    assert write_some(original, 3) == write_some(resumed, 3)


def test_only_what_changed_is_written(tmp_path):
    replay = make_replay()
    fill(replay, 35)
    first = replay.save(tmp_path)
    before = listing(tmp_path)
    assert len(before) == 8  # four blocks, two groups
    assert first["files"].keys() == {"fixed", "mutable"}  # a ring writes what it always wrote
    assert first["keep"] == {"kind": "fifo", "slots": 50, "inserted": 35}
    assert replay.save(tmp_path) == first
    assert listing(tmp_path) == before

    _, ticket = replay.draw(1)  # tile 0: rows 0 … 4, block 0
    replay.write(ticket, {"latent/stoch": np.full((1, 4, 2), 9, np.uint8)}, offset=1)
    replay.save(tmp_path)
    new = listing(tmp_path).keys() - before.keys()
    assert [name[:14] for name in new] == ["mutable-000000"]

    before = listing(tmp_path)
    fill(replay, 10, start=35)
    replay.save(tmp_path)
    new = listing(tmp_path).keys() - before.keys()
    assert sorted(name[:12] for name in new if name[0] == "f") == ["fixed-000003", "fixed-000004"]
    assert {name: stamp for name, stamp in listing(tmp_path).items() if name in before} == before


def test_a_file_holds_only_used_rows(tmp_path):
    replay = make_replay(capacity=20_000, chunk=20_000)
    fill(replay, 3)
    sizes = [listed[0][2] for listed in replay.save(tmp_path)["files"].values()]
    assert sum(sizes) < 3 * 2 * 49 + 2000


def test_every_kept_manifest_loads_whatever_was_saved_later(tmp_path):
    replay, kept = make_replay(), []
    for turn in range(6):
        fill(replay, 13, start=13 * turn)
        write_some(replay, 2)
        manifest = through_json(replay.save(tmp_path))
        twin = make_replay()
        twin.load(tmp_path, manifest)
        kept = [*kept, (manifest, write_some(twin, 4))][-2:]
        prune(tmp_path, [manifest for manifest, _ in kept])
    for manifest, expected in kept:
        resumed = make_replay()
        resumed.load(tmp_path, manifest)
        assert write_some(resumed, 4) == expected
    # a run that resumed from the older one leaves the files of the newer one alone
    resumed.load(tmp_path, kept[0][0])
    fill(resumed, 9, start=500)
    resumed.save(tmp_path)
    make_replay().load(tmp_path, kept[1][0])


def test_a_replay_that_goes_on_leaves_the_manifest_it_was_loaded_from_alone(tmp_path):
    replay = make_replay(specs={**SPECS, "task": ((), "int32")})
    for t in range(30):
        replay.add({**make_rows(t, 2), "task": np.array([0, 1], np.int32)})
    write_some(replay, 4)
    manifest = replay.save(tmp_path)
    saved = through_json(manifest)
    replay.load(tmp_path, manifest)
    write_some(replay, 4)
    assert through_json(manifest) == saved


def test_prune_removes_leftovers_and_leaves_files_of_others(tmp_path):
    replay = make_replay()
    fill(replay, 20)
    old = replay.save(tmp_path)
    fill(replay, 60, start=20)
    new = replay.save(tmp_path)
    half = tmp_path / (old["files"]["fixed"][0][1] + ".tmp")
    half.write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "fixed-model.safetensors").write_text("mine")
    gone = [name for name in listing(tmp_path) if name not in json.dumps(new)]
    freed = sum((tmp_path / name).stat().st_size for name in gone) - 8
    assert prune(tmp_path, [new]) == freed > 0
    assert not half.exists()
    kept = {name for listed in new["files"].values() for _, name, _ in listed}
    assert listing(tmp_path).keys() == kept | {"notes.txt", "fixed-model.safetensors"}
    assert prune(tmp_path / "nowhere", []) == 0


def test_a_pruned_or_moved_folder_is_written_again(tmp_path):
    replay = make_replay()
    fill(replay, 30)
    first = replay.save(tmp_path)
    prune(tmp_path, [])
    for folder in (tmp_path, tmp_path / "other"):
        assert replay.save(folder) == first
        make_replay().load(folder, first)


def test_a_longer_run_may_use_a_larger_ring(tmp_path):
    small, large = make_replay(), make_replay(capacity=300)
    fill(small, 45)
    large.load(tmp_path, small.save(tmp_path))
    assert write_some(small, 3) == write_some(large, 3)
    fill(large, 70, start=45)
    again = make_replay(capacity=300)
    again.load(tmp_path, large.save(tmp_path))
    assert again.num_windows == 2 * (115 - 4)
    assert write_some(again, 3) == write_some(large, 3)


def test_a_wrapped_ring_keeps_its_size(tmp_path):
    replay = make_replay()
    fill(replay, 60)
    with pytest.raises(ReplayError, match=r"60 rows a stream in rings of 50.*capacity 100"):
        make_replay(capacity=300).load(tmp_path, replay.save(tmp_path))


@pytest.mark.parametrize("name", ["filling", "wrapped"])
def test_what_an_earlier_version_saved_still_draws_the_same(name):
    """Written at commit c9fe674, before there were units, places and scores."""
    folder = Path(__file__).parents[1] / "golden" / "replay" / name
    saved = json.loads((folder / "manifest.json").read_text())
    replay = make_replay(capacity=30, chunk=16)
    replay.load(folder, saved["manifest"])
    for expected in saved["drawn"]:
        sequences, ticket = replay.draw(3)
        found = [ticket.stream, ticket.row, sequences["obs/place"]]
        found += [sequences["latent/deter"].astype(np.float32)]
        assert [part.tolist() for part in found] == expected


def _truncate(path):
    path.write_bytes(path.read_bytes()[:-3])


def _flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_truncate, r"is truncated or foreign: it has \d+ bytes, the checkpoint expects \d+"),
        (_flip, r"is damaged: its content does not match"),
        (Path.unlink, r"cannot be read \(No such file or directory\)"),
    ],
)
@pytest.mark.parametrize("group", ["fixed", "mutable"])
def test_damage_is_named_and_leaves_an_empty_replay(tmp_path, damage, message, group):
    replay = make_replay()
    fill(replay, 30)
    manifest = replay.save(tmp_path)
    name = manifest["files"][group][1][1]
    damage(tmp_path / name)
    resumed = make_replay()
    fill(resumed, 8)
    with pytest.raises(ReplayError, match=f"{name} {message}.*older checkpoint"):
        resumed.load(tmp_path, manifest)
    assert resumed.num_windows == 0
    fill(resumed, 12)
    place = resumed.draw(50)[0]["obs/place"]
    assert place[..., 1].max() == 11


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"streams": 1}, r"saved replay has streams = 2, this run has 1"),
        ({"length": 6}, r"length = 5, this run has 6"),
        ({"online": False}, r"online = True, this run has False"),
        ({"chunk": 40}, r"block = 10, this run has 20"),
        ({"mutable": ()}, r"mutable = \['latent/deter', 'latent/stoch'\], this run has \[\]"),
    ],
)
def test_refuses_a_manifest_of_another_layout(tmp_path, options, message):
    manifest = make_replay().save(tmp_path)
    with pytest.raises(ReplayError, match=message):
        make_replay(**options).load(tmp_path, manifest)


def test_refuses_what_is_no_manifest(tmp_path):
    replay = make_replay()
    manifest = replay.save(tmp_path)
    for other in ({}, [], None, {"format": 1}):
        with pytest.raises(ReplayError, match="not the manifest of a replay"):
            replay.load(tmp_path, other)
    with pytest.raises(ReplayError, match="saved in format 0, this version reads 1"):
        replay.load(tmp_path, manifest | {"format": 0})


@pytest.mark.parametrize("call", [0, 3, 7])
def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path, monkeypatch, call):
    replay = make_replay()
    fill(replay, 25)
    old = replay.save(tmp_path)
    fill(replay, 60, start=25)
    calls = []

    def full(handle):
        calls.append(handle)
        if len(calls) > call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ReplayError, match=r"the disk is full\. Earlier checkpoints are intact"):
            replay.save(tmp_path)
    assert not list(tmp_path.glob("*.tmp"))
    make_replay().load(tmp_path, old)
    resumed = make_replay()
    resumed.load(tmp_path, replay.save(tmp_path))
    assert write_some(resumed, 3) == write_some(replay, 3)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ReplayError, match=r"cannot save the replay in .*file: File exists"):
        make_replay().save(blocked)


KILLED = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_files import fill, make_replay, prune, write_some
folder, replay, t = Path(sys.argv[1]), make_replay(), 0
latest = folder / "manifest.json"
if latest.exists():
    manifest = json.loads(latest.read_text())
    replay.load(folder / "replay", manifest)
    t = manifest["keep"]["inserted"]
while True:
    fill(replay, 8, start=t)
    t += 8
    write_some(replay, 1)
    manifest = replay.save(folder / "replay")
    (folder / "manifest.tmp").write_text(json.dumps(manifest))
    (folder / "manifest.tmp").replace(latest)
    prune(folder / "replay", [manifest])
"""


def test_a_process_killed_at_any_moment_leaves_a_loadable_replay(tmp_path):
    """The twin replays the same life without being killed: both must agree."""
    random = np.random.default_rng(0)
    for _ in range(3):
        command = [sys.executable, "-c", KILLED, str(tmp_path), str(Path(__file__).parent)]
        with subprocess.Popen(command) as process:
            start = time.monotonic()
            known = (tmp_path / "manifest.json").exists() and (tmp_path / "manifest.json").stat()
            while time.monotonic() - start < 30 and process.poll() is None:
                path = tmp_path / "manifest.json"
                if path.exists() and (not known or path.stat().st_mtime_ns != known.st_mtime_ns):
                    break
                time.sleep(0.01)
            time.sleep(random.uniform(0, 0.3))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    resumed, twin = make_replay(), make_replay()
    resumed.load(tmp_path / "replay", manifest)
    inserted = manifest["keep"]["inserted"]
    assert inserted >= 24
    for t in range(0, inserted, 8):
        fill(twin, 8, start=t)
        write_some(twin, 1)
    assert write_some(resumed, 5) == write_some(twin, 5)
