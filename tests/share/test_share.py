"""Agents handed to others: the folder, the Hub (a stub of it on loopback), and what refuses."""

import errno
import json
import os
import shutil
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from hub_stub import TOKEN, Hub
from made_runs import made_run

import reverie
from reverie.cli import main
from reverie.folder import manifest, shared
from reverie.share.results import results_of
from reverie.train import checkpoint, chosen, warm_start, weights

hub_library = pytest.importorskip("huggingface_hub")
pytestmark = pytest.mark.filterwarnings(  # of its library for HTTP, where it sends large files
    "ignore:Use 'content=:DeprecationWarning"
)

SEEN = spaces.Dict(
    {"camera": spaces.Box(0, 255, (3, 16, 20), np.uint8), "speed": spaces.Box(-np.inf, 3, (2,))}
)
DONE = spaces.Box(np.float32([-2, 0]), np.float32([1, 9]))
FILM = b"\0\0\0\x20ftypisom" + bytes(100)


def filled_run(folder, seed=0):
    """A run with a checkpoint, ten evaluations and two films."""
    edits = {"seed": seed, "device.cache": "/nowhere/of/mine", "log.wandb": "secret"}
    run = made_run(folder, SEEN, DONE, changes=edits)
    head = json.loads((run / "config.json").read_text())
    head["command"] = ["/nowhere/bin/reverie", "train", "custom:made", "--logdir", str(folder)]
    head["command"] += ["--seed", str(seed), "--preset", "/nowhere/fast.toml"]
    del head["digest"]
    (run / "config.json").write_text(json.dumps(head))
    rows = [
        {"step": 100 * k, "eval/return": 10.0 * k + seed, "eval/return_std": 2.5}
        for k in range(1, 11)
    ]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run / "videos").mkdir()
    (run / "videos" / "eval-000001000.mp4").write_bytes(FILM)
    (run / "videos" / "openloop_camera-000001000.mp4").write_bytes(FILM + b"dream")
    (run / "videos" / "openloop_camera-000000100.mp4").write_bytes(FILM + b"older")
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory, cache):
    return filled_run(tmp_path_factory.mktemp("share") / "run")


@pytest.fixture(scope="module")
def folder(run):
    """The run as a shared folder."""
    where = run.parent / "agent"
    assert main(["push", str(run), "--to", str(where), "--license", "mit"]) == 0
    return where


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub on loopback, and the token that it knows."""
    server = Hub()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.address)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        server.address + "/{repo_id}/resolve/{revision}/{filename}",
    )
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    yield server
    server.shutdown()
    server.server_close()


def acted(agent):
    """Ten actions of an agent, and what it remembers."""
    SEEN.seed(1)
    carry, actions = None, []
    for _ in range(10):
        action, carry = agent.act(SEEN.sample(), carry, seed=4)
        actions.append(action)
    return np.stack(actions)


def without_films(run, place):
    """A copy of a run that has nothing but its weights to share."""
    bare = place / "bare"
    shutil.copytree(run, bare)
    (bare / "metrics.jsonl").unlink()
    shutil.rmtree(bare / "videos")
    return bare


def refusal(capsys, *words, code=1):
    capsys.readouterr()
    assert main([str(word) for word in words]) == code
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines and lines[-1].startswith("reverie")
    return lines[-1]


def test_the_folder_acts_as_the_run_does(run, folder):
    agent, other = reverie.load(folder), reverie.load(run)
    np.testing.assert_array_equal(acted(agent), acted(other))
    assert (
        (agent.step, agent.parameters) == (other.step, other.parameters) == (1000, other.parameters)
    )
    assert agent.own.observation_space["camera"] == SEEN["camera"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(shared.NAMES)
    assert (folder / "replay.mp4").read_bytes() == FILM
    assert (folder / "dream.mp4").read_bytes() == FILM + b"dream"


def test_only_weights_travel_and_all_of_them(run, folder):
    state = checkpoint.load(chosen.choose(run))["learner"]["state"]
    there = weights.read(folder / shared.MODEL)["learner"]["state"]
    assert set(there) == {name for name in state if not name.startswith("opt_state")}
    assert any(name.startswith("opt_state") for name in state)
    for name, array in there.items():
        np.testing.assert_array_equal(array, state[name])
    begun = warm_start._arrays(warm_start._checkpoint(folder))  # what --init takes
    assert set(begun) == set(there)


def test_nothing_tells_of_the_machine(run, folder):
    for path in folder.iterdir():
        data = path.read_bytes()
        assert (
            b"/nowhere" not in data
            and b"secret" not in data
            and str(run.parent).encode() not in data
        )
    assert reverie.saved_config(folder).seed == 0
    head = json.loads((folder / "config.json").read_text())
    assert head["command"] == [
        "reverie",
        "train",
        "custom:made",
        "--seed",
        "0",
        "--preset",
        "fast.toml",
    ]


def test_a_card_and_results_over_seeds(run, tmp_path):
    other = filled_run(tmp_path / "other", seed=4)
    where = tmp_path / "agent"
    assert main(["push", str(run), "--to", str(where), "--seed_run", str(other)]) == 0
    told = json.loads((where / "results.json").read_text())
    assert [row["seed"] for row in told["seeds"]] == [0, 4]
    scores = [row["score"] for row in told["seeds"]]
    assert scores[1] - scores[0] == pytest.approx(4) and 80 < scores[0] <= 100
    assert told["mean"] == pytest.approx(np.mean(scores))
    assert told["std"] == pytest.approx(np.std(scores, ddof=1))
    assert told["seeds"][1]["curve"][-1] == [1000, 104.0]
    card = (where / "README.md").read_text()
    yaml = pytest.importorskip("yaml")
    head = yaml.safe_load(card.split("---")[1])
    (entry,) = head["model-index"]
    (metric,) = entry["results"][0]["metrics"]
    assert metric["value"] == f"{told['mean']:.2f} +/- {told['std']:.2f}"
    assert (head["license"], head["library_name"]) == ("unknown", "reverie")
    for word in ("custom:made", "curve.svg", "replay.mp4", "reverie train", "jax", "| 4 |"):
        assert word in card
    assert (where / "curve.svg").read_text().startswith("<svg")
    assert "deviation over seeds" in card


def test_one_seed_has_the_spread_of_its_episodes(folder):
    told = json.loads((folder / "results.json").read_text())
    assert (told["std"], told["std_over"]) == (2.5, "episodes of the last evaluation")
    assert 'license: "mit"' in (folder / "README.md").read_text()


def test_a_run_without_evaluations_has_the_spread_of_its_training_episodes(run, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(run / "config.json", bare)
    rows = [{"step": 100 * k, "episode/return": float(k % 3)} for k in range(1, 31)]
    (bare / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = results_of([bare]).tree
    assert (told["metric"], told["mean"]) == ("episode/return", 1.0)
    assert told["std"] == pytest.approx(np.std([1, 2, 0]))
    assert told["std_over"] == "training episodes of the last 10% of the steps"


def test_there_and_back_by_the_hub(run, folder, hub, tmp_path, capsys):
    assert main(["push", str(run), "someone/agent", "--license", "mit"]) == 0
    assert f"{hub.address}/someone/agent" in capsys.readouterr().out
    there = hub.repos["someone/agent"]
    assert set(shared.NAMES) <= set(there)
    there["weights.pkl"] = b"never fetched"
    there["../outside.txt"] = b"never fetched"
    assert main(["pull", "someone/agent", str(tmp_path / "mine")]) == 0
    pulled = tmp_path / "mine"
    assert {path.name for path in pulled.iterdir()} == set(shared.NAMES)
    assert not [path for path in hub.asked if "pkl" in path or "outside" in path]
    assert not list(tmp_path.glob(".pull-*")) and not (tmp_path / "outside.txt").exists()
    for name in (shared.MODEL, shared.CONFIG, shared.RESULTS, shared.REPLAY):
        assert (pulled / name).read_bytes() == (folder / name).read_bytes()
    np.testing.assert_array_equal(acted(reverie.load(pulled)), acted(reverie.load(run)))


def test_a_second_push_leaves_nothing_of_the_first(run, hub, tmp_path):
    assert main(["push", str(run), "someone/agent"]) == 0
    there = hub.repos["someone/agent"]
    assert {"replay.mp4", "dream.mp4", "curve.svg"} <= set(there)
    own = {"notes.md": b"mine", "films/replay.mp4": b"mine too", ".gitattributes": b"mine"}
    there.update(own)
    bare = without_films(run, tmp_path)
    assert main(["push", str(bare), "someone/agent"]) == 0
    there = hub.repos["someone/agent"]
    assert {name: there.get(name) for name in own} == own
    assert set(there) - set(own) == set(shared.NAMES) - {"replay.mp4", "dream.mp4", "curve.svg"}
    first, second = hub.commits
    gone = {path for kind, path in second if kind == "deletedFile"}
    assert gone == {"replay.mp4", "dream.mp4", "curve.svg"}
    assert {kind for kind, _ in first} == {"file", "lfsFile"}
    assert main(["pull", "someone/agent", str(tmp_path / "mine")]) == 0
    assert reverie.load(tmp_path / "mine").step == 1000


def test_large_files_go_by_their_own_way(run, folder, hub, tmp_path):
    longer = tmp_path / "longer"
    shutil.copytree(run, longer)
    film = FILM + np.random.default_rng(0).bytes(10_000_001)
    (longer / "videos" / "eval-000001000.mp4").write_bytes(film)
    assert main(["push", str(longer), "someone/agent"]) == 0
    (commit,) = hub.commits
    by_lfs = {path for kind, path in commit if kind == "lfsFile"}
    assert by_lfs == {shared.MODEL, "replay.mp4", "dream.mp4"}
    assert len(hub.verified) == 3 and film in hub.storage.values()
    assert main(["pull", "someone/agent", str(tmp_path / "mine")]) == 0
    assert len([path for path in hub.asked if path.startswith("/storage/")]) == 6
    assert (tmp_path / "mine" / "replay.mp4").read_bytes() == film
    weights_there = (tmp_path / "mine" / shared.MODEL).read_bytes()
    assert weights_there == (folder / shared.MODEL).read_bytes()
    np.testing.assert_array_equal(acted(reverie.load(tmp_path / "mine")), acted(reverie.load(run)))


def test_a_storage_that_takes_nothing_costs_one_sentence(run, hub, capsys):
    hub.full = True
    said = refusal(capsys, "push", run, "someone/agent")
    assert "the Hub refuses your token for someone/agent (403)" in said
    assert hub.repos["someone/agent"] == {} and hub.commits == []


class Yard(gymnasium.Env):
    """The environment of these spaces; three steps."""

    observation_space, action_space = SEEN, DONE

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 3
        return SEEN.sample(), {}

    def step(self, action):
        assert DONE.contains(action)
        self.left -= 1
        return SEEN.sample(), 1.0, self.left == 0, False, {}


def test_what_a_shared_folder_can_do_and_what_not(folder, tmp_path, capsys):
    numbers = reverie.evaluate(folder, episodes=2, make_env=Yard, overrides={"env.parallel": False})
    assert numbers["eval/return"] == 3.0
    assert "no metrics of a run" in refusal(capsys, "report", folder)
    assert "holds no replay" in refusal(capsys, "dream", folder, "--port", 0)
    assert "give another --logdir" in refusal(
        capsys, "train", "gym:CartPole-v1", "--logdir", folder, "--log.progress", "none"
    )
    assert "shared agent already" in refusal(capsys, "push", folder, "--to", tmp_path / "x")
    with pytest.raises(reverie.RunError, match="one set of weights, of step 1000"):
        reverie.load(folder, checkpoint=7)
    assert reverie.load(folder, checkpoint=1000).step == 1000
    assert {path.name for path in folder.iterdir()} == set(shared.NAMES)
    assert main(["export", str(folder), "--to", "onnx", "--out", str(tmp_path / "out")]) == 0


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def damage_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def damage_pickle(path):
    path.write_bytes(b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR.")


@pytest.mark.parametrize("damage", [damage_cut, damage_byte, damage_pickle])
@pytest.mark.parametrize("name", [shared.MODEL, manifest.NAME])
def test_damage_is_found(folder, tmp_path, damage, name):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    damage(copy / name)
    with pytest.raises(reverie.RunError, match=r"cannot be read .*pull it again"):
        reverie.load(copy)


def test_a_missing_manifest_or_a_link_is_found(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / shared.MODEL).unlink()
    (copy / shared.MODEL).symlink_to(folder / shared.MODEL)
    with pytest.raises(reverie.RunError, match="a link"):
        reverie.load(copy)
    shutil.copy(folder / shared.MODEL, tmp_path / "m")
    (copy / shared.MODEL).unlink()
    (tmp_path / "m").rename(copy / shared.MODEL)
    (copy / manifest.NAME).unlink()
    with pytest.raises(reverie.RunError, match=r"manifest.json is missing.*pull it again"):
        reverie.load(copy)


@pytest.mark.parametrize("name", [shared.MODEL, shared.RESULTS, shared.CONFIG, shared.CARD])
def test_a_damaged_file_does_not_arrive(folder, hub, tmp_path, capsys, name):
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    files[name] = files[name][:-3] + b"abc"
    hub.repos["someone/agent"] = files
    said = refusal(capsys, "pull", "someone/agent", tmp_path / "mine")
    assert f"{name} is damaged" in said and not (tmp_path / "mine").exists()


def test_what_the_hub_refuses_costs_one_sentence(run, folder, hub, tmp_path, capsys, monkeypatch):
    mine = tmp_path / "mine"
    assert "there is no repository" in refusal(capsys, "pull", "someone/nothing", mine)
    hub.repos["someone/else"] = {"config.json": b"{}", "pytorch_model.bin": b""}
    assert "no model.safetensors, no manifest.json" in refusal(capsys, "pull", "someone/else", mine)
    hub.repos["someone/agent"] = {path.name: path.read_bytes() for path in folder.iterdir()}
    said = refusal(capsys, "pull", "someone/agent", mine, "--revision", "v9")
    assert "no such revision" in said
    assert "OWNER/NAME" in refusal(capsys, "pull", "agent", mine, code=2)
    assert "refuses your token" in refusal(capsys, "push", run, "stranger/agent")
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    assert "refuses your token" in refusal(capsys, "push", run, "someone/agent")
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    assert "needs a token" in refusal(capsys, "push", run, "someone/agent")
    assert "OWNER/NAME" in refusal(capsys, "push", run, "agent", code=2)
    assert "say where to push" in refusal(capsys, "push", run, code=2)
    assert "not an empty folder" in refusal(capsys, "pull", "someone/agent", tmp_path.parent)
    assert not mine.exists()


def test_no_network_costs_one_sentence(run, hub, tmp_path, capsys):
    hub.shutdown()
    hub.server_close()
    for words in (["pull", "someone/agent", tmp_path / "mine"], ["push", run, "someone/agent"]):
        assert "the Hub cannot be reached" in refusal(capsys, *words)
    assert not (tmp_path / "mine").exists()
    words = [sys.executable, "-m", "reverie", "pull", "someone/agent", str(tmp_path / "mine")]
    variables = {**os.environ, "HF_ENDPOINT": hub.address}
    ran = subprocess.run(words, env=variables, capture_output=True, text=True)
    (line,) = ran.stderr.strip().splitlines()
    assert ran.returncode == 1 and "the Hub cannot be reached" in line


@pytest.mark.parametrize("named", [True, False])
def test_a_full_disk_is_not_taken_for_the_network(named, run, hub, tmp_path, capsys, monkeypatch):
    def full(*args, **kwargs):
        full_disk = (errno.ENOSPC, "No space left on device")
        raise OSError(*full_disk, "/somewhere/blob") if named else OSError(*full_disk)

    monkeypatch.setattr("huggingface_hub.HfApi.upload_folder", full)
    monkeypatch.setattr("huggingface_hub.HfApi.repo_info", full)
    for words in (["pull", "someone/agent", tmp_path / "mine"], ["push", run, "someone/agent"]):
        said = refusal(capsys, *words)
        assert "cannot be written (No space left on device)" in said
        assert ("/somewhere/blob" in said) == named and "reached" not in said
    assert not (tmp_path / "mine").exists()


def test_a_run_without_results_or_films_says_so(run, tmp_path, capsys):
    bare = without_films(run, tmp_path)
    assert main(["push", str(bare), "--to", str(tmp_path / "agent")]) == 0
    said = capsys.readouterr().err
    assert "no results" in said and "no replay.mp4" in said and "no dream.mp4" in said
    assert "pull" not in (card := (tmp_path / "agent" / "README.md").read_text())
    assert "1,000 environment steps" in card and "--env MODULE:FUNCTION" in card
    assert "model-index" not in (tmp_path / "agent" / "README.md").read_text()
    assert reverie.load(tmp_path / "agent").step == 1000


def test_a_run_of_another_version_is_not_shared(run, hub, tmp_path, capsys):
    other = tmp_path / "other"
    shutil.copytree(run, other)
    head = json.loads((run / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(head | {"config": {"taks": 1}}))
    for where in (("--to", tmp_path / "agent"), ("someone/agent",)):
        said = refusal(capsys, "push", other, *where)
        assert "not the configuration of a run of this version" in said and "'taks'" in said
    assert not (tmp_path / "agent").exists() and hub.repos == {}


def test_runs_that_are_not_seeds_of_one_are_refused(run, tmp_path, capsys):
    other = filled_run(tmp_path / "other", seed=0)
    where = ("--to", tmp_path / "agent")
    assert "the same seed" in refusal(capsys, "push", run, *where, "--seed_run", other)
    assert "holds no config.json" in refusal(capsys, "push", tmp_path, *where)
    assert not (tmp_path / "agent").exists()
