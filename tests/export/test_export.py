"""`reverie export`: what the files compute where there is no Reverie, and what they say."""

import hashlib
import importlib
from pathlib import Path

import jax
import numpy as np
import pytest
from gymnasium import spaces
from made_runs import made_run
from recorded import DONE, SEED, SEEN, part, row_of, run_alone, told_of, write_given

import reverie
from reverie.cli import main
from reverie.export import graph
from reverie.train.learner import EVAL, purpose_key

STEPS, AGAIN = 100, 60
"""Steps that are compared, and the one at which a second episode begins."""


def record(run, folder, space, *, greedy):
    """What Agent does over two episodes, and what a program must be given to do the same."""
    agent = reverie.load(run)
    space.seed(5)
    carry, wanted, rows = None, [], []
    inputs = told_of(folder, "onnx")["inputs"]
    for step in range(STEPS):
        carry = None if step == AGAIN else carry
        seen = space.sample()
        rows.append(row_of(agent, inputs, seen, carry))
        action, carry = agent.act(seen, carry, greedy=greedy, seed=SEED)
        wanted.append(action)
    write_given(folder, "policy", rows)
    return wanted


CASES = {
    "sampled": ("v3", SEEN, DONE, (), {}),
    "greedy": ("v3-2023", spaces.Box(0, 1, (4, 12, 14, 1), np.float32), DONE, ("--greedy",), {}),
}
SLOW = {
    "v2": ("v2", SEEN, DONE, (), {}),
    "gauss": ("v3", SEEN, DONE, (), {"world.dynamics.latent": "gaussian"}),
    "resnet": ("v3", SEEN, DONE, (), {"world.encoder.stack": "resnet"}),
    "patch": ("v3", SEEN, DONE, ("--greedy",), {"world.encoder.stack": "patch"}),
    "classes": ("v2", spaces.Discrete(5), spaces.Discrete(3, start=9), (), {}),
}


def kinds_of(flags):
    """Both formats where actions are drawn; one says enough of the rest."""
    return ("onnx",) if "--greedy" in flags else ("stablehlo", "onnx")


def exported(base, cases):
    """Folders of the programs of each case, with what Agent did and what the programs did."""
    found, programs = {}, []
    for name, (agent, seen, done, flags, changes) in cases.items():
        run = made_run(base / name, seen, done, agent=agent, changes=changes)
        for kind in kinds_of(flags):
            assert main(["export", str(run), "--to", kind, *flags]) == 0
            programs.append((run / "export", "policy", kind))
        found[name] = run, record(run, run / "export", seen, greedy="--greedy" in flags)
    run_alone(*programs)
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory, cache):
    return exported(tmp_path_factory.mktemp("export"), CASES)


def check_same(run, wanted):
    """The programs did what Agent did, in what the environment takes."""
    space = reverie.load(run).own.action_space
    kinds = [path.name.split(".")[1] for path in run.glob("export/policy.*.taken.npz")]
    assert "onnx" in kinds
    for kind in kinds:
        ports = [p for p in told_of(run / "export", kind)["outputs"] if p["role"] == "action"]
        given = dict(np.load(run / "export" / f"policy.{kind}.taken.npz"))
        taken = {name: rows for name, rows in given.items() if name.startswith("action/")}
        assert (
            len(taken) == len(ports) == len(list(space.spaces) if hasattr(space, "spaces") else [0])
        )
        for port in ports:
            leaf, found = part(space, port["path"]), taken[port["name"]]
            there = np.stack([np.asarray(part(action, port["path"])) for action in wanted])
            np.testing.assert_allclose(found, there, rtol=1e-5, atol=1e-5, err_msg=port["name"])
            assert found.std() > 0, "an action that never changes tells nothing"
            for row in found:
                assert leaf.contains(row.astype(leaf.dtype) if row.ndim else leaf.dtype.type(row))


@pytest.mark.parametrize("name", CASES)
def test_without_reverie_the_files_do_what_the_agent_does(made, name):
    check_same(*made[name])


@pytest.mark.slow
def test_so_they_do_for_other_agents_and_parts(tmp_path_factory, cache):
    for run, wanted in exported(tmp_path_factory.mktemp("more"), SLOW).values():
        check_same(run, wanted)


def test_a_file_says_what_goes_in_and_comes_out(made):
    folder = made["sampled"][0] / "export"
    told, other = told_of(folder, "onnx"), told_of(folder, "stablehlo")
    assert (told["inputs"], told["outputs"]) == (other["inputs"], other["outputs"])
    data = (folder / told["file"]).read_bytes()
    assert (told["bytes"], told["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert (told["task"], told["step"], told["terms"]) == ("custom:made", 1000, "env")
    ports = {port["name"]: port for port in told["inputs"] + told["outputs"]}
    shown = {n: [p["shape"], p["dtype"], p["low"], p["high"]] for n, p in ports.items()}
    assert shown["observation/camera"] == [[3, 16, 20], "uint8", 0, 255]
    assert shown["observation/gear"] == [[], "int32", 2, 5]
    assert shown["observation/joints"] == [[3], "float32", [-2.0, 0.0, -1e3], [2.0, 9.0, 1e3]]
    assert shown["observation/keys_1"] == [[2], "int32", [-1, 5], [0, 7]]
    assert ports["observation/keys_1"]["path"] == ["keys", 1]
    assert shown["action/arm"] == [[3], "float32", [5.0, -3.0, -1.0], [10.0, 1.0, 1.0]]
    assert shown["action/go"] == [[2], "int32", [0, -7], [2, -4]]
    assert shown["action/lamp"][1:] == ["int8", 0, 1]
    low, high = ports["action/grip"]["low"], ports["action/grip"]["high"]
    assert all(0 <= a - b < 1e-5 for a, b in zip(low, [0.1, -30.0], strict=True))
    assert all(0 <= b - a < 1e-5 for a, b in zip(high, [0.7, 2.1], strict=True))
    assert shown["reset"][:2] == [[], "bool"] and "observation/said" not in ports
    assert "uniform" in ports["noise/latent"]["note"]
    assert "normal" in ports["noise/action/arm"]["note"]
    greedy = told_of(made["greedy"][0] / "export", "onnx")
    assert (greedy["policy"], told["policy"]) == ("mode", "sample")
    assert not any(port["name"].startswith("noise/action") for port in greedy["inputs"])


def test_a_file_names_no_folder_of_the_machine(made):
    for run, _ in made.values():
        for path in (run / "export").glob("policy.*"):
            data = path.read_bytes()
            assert str(Path(reverie.__file__).parent).encode() not in data
            assert str(run.parent).encode() not in data


def test_without_spaces_the_files_speak_the_agent_s_terms(tmp_path, cache, capsys):
    import onnxruntime

    seen = spaces.Dict({"joints": SEEN["joints"], "gear": SEEN["gear"]})
    run = made_run(tmp_path / "run", seen, DONE, kept=False)
    assert main(["export", str(run), "--to", "onnx"]) == 0
    assert "what the agent itself sees and does" in capsys.readouterr().err
    told, agent = told_of(run / "export", "onnx"), reverie.load(run)
    assert told["terms"] == "agent"
    obs = {"joints": np.float32([1, 2, 3]), "gear": np.int32(3)}
    wanted, _ = agent.act(obs, terms="agent")
    noise = agent.acting.noise(jax.random.fold_in(purpose_key(0, EVAL), 0), 1)
    given = {port["name"]: np.zeros(port["shape"], port["dtype"]) for port in told["inputs"]}
    given |= {"reset": np.asarray(True), "noise/latent": np.asarray(noise.post[0])}
    given |= {f"noise/action/{name}": np.asarray(x[0]) for name, x in noise.action.items()}
    given |= {f"observation/{name}": np.asarray(value) for name, value in obs.items()}
    names = [port["name"] for port in told["outputs"]]
    session = onnxruntime.InferenceSession(str(run / "export" / "policy.onnx"))
    found = dict(zip(names, session.run(names, given), strict=True))
    for name, value in wanted.items():
        np.testing.assert_allclose(found[f"action/{name}"], np.clip(value, -1, 9), atol=1e-5)


def refusal(capsys, *words, code=1):
    assert main(["export", *map(str, words)]) == code
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_what_cannot_be_exported_costs_one_sentence(tmp_path, made, monkeypatch, capsys):
    run = made["sampled"][0]
    assert "holds no config.json" in refusal(capsys, tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "config.json").write_bytes((run / "config.json").read_bytes())
    assert "holds no complete checkpoint" in refusal(capsys, empty)
    assert "those that it holds: newest (1000)" in refusal(capsys, run, "--checkpoint", 9)
    assert "newest, best or the step" in refusal(capsys, run, "--checkpoint", "bets", code=2)
    (empty / "config.json").write_text('{"config": {"taks": 1}}')
    assert "not the configuration of a run of this version" in refusal(capsys, empty)
    (tmp_path / "file").write_text("")
    assert "name another folder with --out" in refusal(capsys, run, "--out", tmp_path / "file")
    monkeypatch.delitem(graph.OPERATIONS, "tanh")
    assert "computes tanh" in (said := refusal(capsys, run, "--to", "onnx")) and "stablehlo" in said
    real = importlib.import_module

    def without(name, *rest):
        if name == "onnx":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    assert "pip install 'reverie[export]'" in refusal(capsys, run, "--to", "onnx")
    with pytest.raises(SystemExit):
        main(["export", str(run), "--to", "onx"])
