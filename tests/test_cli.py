"""The command line: what each verb understands, says and returns."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest
from fake_run import bare_run

from reverie import launch, listings
from reverie.bench.options import ActOptions, EnvOptions, UpdateOptions
from reverie.cli import main
from reverie.config import flags, overview
from reverie.config.benchmarks import BENCHMARKS
from reverie.config.edit import field_types, flat, to_json
from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.folder.errors import RunError, Stopped
from reverie.launch import read
from reverie.part.errors import ConfigError
from reverie.verbs import VERBS


@pytest.fixture
def calls(monkeypatch):
    """Stand-ins for what the verbs call: the wiring is tested here, the work elsewhere."""
    seen: dict[str, tuple] = {}

    def answering(name: str, answer):
        def call(*args, **kwargs):
            seen[name] = (args, kwargs)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return call

    def stand_in(module: str, name: str, answer):
        fake = types.ModuleType(module)
        setattr(fake, name, answering(name if name != "run" else module, answer))
        monkeypatch.setitem(sys.modules, module, fake)

    stand_in("reverie.train.loop", "train", Path("runs/x"))
    stand_in("reverie.train.evaluate", "evaluate_run", {"eval/return": 1.25, "eval/episodes": 3})
    report = answering("write_report", Path("page.html"))
    monkeypatch.setattr("reverie.report.page.write_report", report)
    for kind in ("update", "act", "env"):
        stand_in(f"reverie.bench.{kind}", "run", None)
    monkeypatch.setattr("reverie.machine.cluster.join", lambda device: None)
    stand_in("reverie.machine.device", "prepare", "cpu")
    seen["fail"] = stand_in  # type: ignore[assignment]
    return seen


def test_train_composes_presets_and_flags(calls, capsys):
    words = (
        "train atari100k_pong --size 1m --steps 1e4 --world.dynamics.deter 256 --env.no-parallel "
        "--log.progress none"
    )
    assert main(words.split()) == 0
    (config,), options = calls["train"]
    overrides = {"steps": 10_000, "world.dynamics.deter": 256, "env.parallel": False}
    overrides |= {"log.progress": "none"}
    assert config == resolve("atari100k_pong", size="1m", overrides=overrides)
    assert options == {"make_env": None}
    assert calls["prepare"][0] == (config.device,)
    assert capsys.readouterr().out == "run folder: runs/x\n"


@pytest.mark.parametrize(
    ("flags", "path", "value"),
    [
        ("--env.gray", "env.gray", True),
        ("--env.gray false", "env.gray", False),
        ("--env.no_parallel", "env.parallel", False),
        ("--optim.lr=1e-3", "optim.lr", 1e-3),
        ("--train.log-every 7", "train.log_every", 7),
        ("--world.encoder.mults 1 2 3", "world.encoder.mults", (1, 2, 3)),
        ("--world.encoder.mults 1,2", "world.encoder.mults", (1, 2)),
        ("--env.camera -1", "env.camera", -1),
        ("--agent v3", "agent", "v3"),
        ("--methods patch", "world.encoder.stack", "patch"),
        ("--harmony", "world.balance", "harmony"),
        ("--harmony=false", "world.balance", "fixed"),
        ("--no-harmony", "world.balance", "fixed"),
        ("--harmony --balance harmony_jax", "world.balance.form", "jax"),
        ("--balance reward_x100", "world.reward.weight", 100.0),
        ("--harmony --world.balance.lr 1e-3", "world.balance.lr", 1e-3),
        ("--preset debug", "size", "debug"),
    ],
)
def test_flags(flags, path, value):
    config = read(["gym:X-v0", *flags.split()]).config()
    assert flat(config)[path] == value


def test_every_field_can_be_written_as_a_flag():
    config = resolve("dmc_walker_walk", size="1m")
    for path, value in flat(config).items():
        if path in ("task", "agent", "size", "pinned", "env.exclude"):
            continue
        word = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        flag = [f"--{path}={word}"]
        assert read(["dmc_walker_walk", "--size", "1m", *flag]).config() == config


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("trian x", "there is no verb 'trian'; did you mean 'train'?"),
        ("train", "the task is missing: write `reverie train TASK`"),
        ("train gym:A gym:B", "one task at a time, found gym:A and gym:B"),
        (
            "train gym:A --rssm.deter 3",
            "no option --rssm.deter any more: it is --world.dynamics.deter now.",
        ),
        ("train gym:A --deter 3", "no option --deter; did you mean '--world.dynamics.deter'?"),
        ("train gym:A --lr 3", "did you mean '--optim.lr'? Others end so too: --optim.actor.lr"),
        ("train gym:A --warmup 3", "no option --warmup; did you mean '--optim.warmup'?"),
        ("train gym:A --units 3", "--explore.units'? Others end so too: --behavior.actor.units"),
        ("train gym:A --learning-rate 3", "no option --learning-rate; did you mean '--optim.lr'?"),
        ("train gym:A --total-timesteps 3", "did you mean '--steps'?"),
        ("train gym:A --seed 0 1 2", "one number, found 0 1 2; did you mean '--seeds 0 1 2'"),
        ("train gym:A --seed 0,1", "did you mean '--seeds 0 1'"),
        ("train gym:A --seed=0 1", "did you mean '--seeds 0 1'"),
        ("train --seed 0 1 gym:A", "did you mean '--seeds 0 1'"),
        ("train gym:A --seeds 0 1 0", "--seeds names 0 twice"),
        ("train gym:A --seeds 0 x", "seeds[1] takes an integer, found 'x'"),
        ("train gym:A --seeds 0 1 --seed 3", "--seed is for one run, and --seeds for several"),
        ("train gym:A --from 5 --seeds 0 1", "--from is for one run"),
        ("train gym:A --no-together", "--together is for several seeds: give --seeds"),
        ("train gym:A --help optm", "no group of options 'optm'; did you mean 'optim'?"),
        ("train CartPole-v1", "'CartPole-v1' looks like an id of Gymnasium: write gym:CartPole-v1"),
        ("train lunar_lander", "write gym:LunarLander-v3"),
        ("train acrobot", "write gym:Acrobot-v1"),
        ("train ALE/Pong-v5", "write gym:ALE/Pong-v5"),
        ("doctor CartPole-v1", "write gym:CartPole-v1"),
        ("bench env CartPole-v1", "write gym:CartPole-v1"),
        ("continual CartPole-v1 Acrobot-v1 --sequence.steps 9", "write gym:CartPole-v1"),
        ("train gym:A --siez 3", "no option --siez; did you mean '--size'?"),
        ("train gym:A --qqqqq", "`reverie train TASK --help all` lists them"),
        ("train gym:A --steps", "--steps needs a value. Environment steps"),
        ("train gym:A --steps 1 --steps 2", "--steps is given twice"),
        ("train gym:A --steps 1.5", "steps takes an integer"),
        ("train gym:A --size 13m", "there is no size '13m'; the sizes are auto, debug, tiny, 1m"),
        ("train gym:A --env.no-gray=1", "no option --env.no-gray"),
        ("train gym:A --harmony maybe", "one task at a time, found gym:A and maybe"),
        ("train gym:A --harmony=maybe", "harmony takes true or false, found 'maybe'"),
        ("train gym:A --balance harmonie", "no balance 'harmonie'; did you mean 'harmony'?"),
        ("train gym:A --harmony --balance dwa", "'harmony' and 'dwa' both set world.balance"),
        ("train atri_pong", "did you mean 'atari'?"),
        ("tasks cartpoel_balance", "no task contains 'cartpoel_balance'"),
        ("tasks a b", "usage: reverie tasks [FILTER]; found 'a b'."),
        ("presets atari10k", "there is no preset 'atari10k'; did you mean 'atari100k'?"),
        ("bench updat", "there is no benchmark 'updat'; did you mean 'update'?"),
    ],
)
def test_usage_errors_are_one_sentence_and_exit_2(words, message, capsys):
    assert main(words.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("reverie: ")
    assert said.err.count("\n") == 1
    assert message in said.err


@pytest.mark.parametrize("words", ["eval", "report", "bench env", "bench update --siz 1m"])
def test_options_that_tyro_reads_exit_2_as_well(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words.split())
    assert stop.value.code == 2


def test_run_errors_exit_1_without_traceback(calls, capsys):
    calls["fail"]("reverie.train.loop", "train", RunError("the disk is full."))
    assert main(["train", "gym:A"]) == 1
    assert capsys.readouterr().err == "reverie: the disk is full.\n"
    assert main(["train", "gym:A", "--debug"]) == 1
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.endswith("reverie: the disk is full.\n")


def test_defects_keep_their_traceback(calls):
    calls["fail"]("reverie.train.loop", "train", ZeroDivisionError("a defect"))
    with pytest.raises(ZeroDivisionError):
        main(["train", "gym:A"])


def test_interruption_exits_130(calls, monkeypatch, capsys):
    def interrupt(words):
        raise KeyboardInterrupt

    monkeypatch.setitem(VERBS, "train", interrupt)
    assert main(["train", "gym:A"]) == 130
    assert capsys.readouterr().err == "reverie: interrupted.\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_exits_as_a_shell_expects(calls, capsys, number, code):
    calls["fail"]("reverie.train.loop", "train", Stopped(number, "at step 7 and saved"))
    assert main(["train", "gym:A"]) == code
    name = number.name
    said = f"reverie: stopped by {name} at step 7 and saved; the same command resumes.\n"
    assert capsys.readouterr().err == said


def test_eval_reads_the_run_folder(calls, tmp_path, capsys):
    config = resolve("gym:A", overrides={"device.kind": "gpu"})
    (tmp_path / "config.json").write_text(json.dumps({"config": to_json(config)}))
    words = ["eval", str(tmp_path), "--episodes", "3", "--greedy", "--device", "cpu"]
    assert main(words) == 0
    expected = {"episodes": 3, "greedy": True, "seed": 0, "envs": 1, "make_env": None}
    assert calls["evaluate_run"] == ((tmp_path,), expected)
    assert calls["prepare"][0][0].kind == "cpu"
    assert capsys.readouterr().out == "eval/return    1.25\neval/episodes  3\n"
    assert main(["eval", str(tmp_path), "--allow", "mine", "--env.timeout=9"]) == 0
    assert calls["prepare"][0][0].kind == "auto"  # the reader's device, never the folder's
    said = calls["evaluate_run"][1]
    assert (said["allow"], said["given"]) == (("mine",), {"env.timeout": "9"})


def test_eval_refuses_what_is_no_run(tmp_path, capsys):
    assert main(["eval", str(tmp_path)]) == 1
    assert "is no run folder: it holds no config.json." in capsys.readouterr().err
    (tmp_path / "config.json").write_text('{"config": {"rssm": {"detr": 3}}}')
    assert main(["eval", str(tmp_path)]) == 1
    assert "there is no configuration key 'rssm.detr'" in capsys.readouterr().err
    (tmp_path / "config.json").write_text('{"conf')
    assert main(["eval", str(tmp_path)]) == 1
    assert "is not the configuration of a run" in capsys.readouterr().err


def test_report_takes_several_runs(calls, capsys):
    assert main(["report", "runs/a", "runs/b", "--out", "x.html"]) == 0
    assert calls["write_report"][0] == ([Path("runs/a"), Path("runs/b")], Path("x.html"))
    assert main(["report", "runs/a"]) == 0
    assert calls["write_report"][0] == ([Path("runs/a")], None)
    assert capsys.readouterr().out == "report: page.html\n" * 2


def test_bench_passes_frozen_options(calls):
    main(
        [
            "bench",
            "update",
            "--size",
            "1m",
            "--obs",
            "vector",
            "--precision",
            "bf16",
            "--dry",
            "--json",
            "a",
            "--repeats",
            "3",
        ]
    )
    expected = UpdateOptions(("1m",), ("vector",), ("bf16",), "auto", dry=True, json="a", repeats=3)
    assert calls["reverie.bench.update"] == ((expected,), {})
    main(["bench", "act", "--envs", "1", "2"])
    assert calls["reverie.bench.act"] == ((ActOptions(envs=(1, 2)),), {})
    main(["bench", "env", "dmc_walker_walk", "--num", "4"])
    assert calls["reverie.bench.env"] == ((EnvOptions("dmc_walker_walk", num=4),), {})


@pytest.mark.parametrize("change", [{"size": ("3m",)}, {"repeats": 0}])
def test_bench_options_are_checked(change):
    with pytest.raises(ConfigError):
        UpdateOptions(**change)


def test_tasks_and_presets_list_what_there_is(capsys):
    assert main(["tasks", "walker"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("dmc_walker_walk ") for line in lines)
    assert all("walker" in line for line in lines)
    assert main(["presets"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("atari100k", "debug", "400m", "patch"))
    assert len(listed.splitlines()) < 50
    assert main(["presets", "methods"]) == 0
    assert "  patch " in capsys.readouterr().out
    assert main(["presets", "minigrid3"]) == 0
    assert "minigrid_doorkey_8x8" in capsys.readouterr().out
    assert main(["presets", "atari100k"]) == 0
    assert "train.ratio  256" in capsys.readouterr().out
    assert main(["presets", "v2_atari"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "size w600 (agent v2)" in shown and "train.ratio 50 " in shown
    assert shown.index("and under --agent v2") < shown.index("optim.actor.lr 4e-05")


@pytest.mark.parametrize(("columns", "longest"), [("200", 100), ("72", 72)])
def test_what_presets_says_fits_the_terminal(columns, longest, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    named = [name for rows in listings._groups().values() for row in rows.values() for name in row]
    for name in ["", *listings.GROUPS, *named, "12m", "v2/tiny"]:
        assert main(["presets", name] if name else ["presets"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line for line in lines if len(line) > longest] == [], name
    shown = BENCHMARKS["quick"].doc
    assert main(["presets", "quick"]) == 0
    assert shown in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_answers_help(verb, capsys):
    try:
        code = main([verb, "--help"])
    except SystemExit as stop:
        code = stop.code
    assert code == 0
    said = capsys.readouterr()
    assert said.out.startswith("usage: ") and said.err == ""


def test_the_first_page_of_help_is_short_and_its_flags_exist(capsys):
    assert main(["train", "gym:CartPole-v1", "--help"]) == 0
    page = capsys.readouterr().out
    lines = page.splitlines()
    assert len(lines) < 60 and max(map(len, lines)) <= 100
    steps = resolve("gym:CartPole-v1").steps
    assert "  --steps N" in page and f"environment steps of the whole run [{steps}]" in page
    own = {"from", "seeds", "loop", "preset", "methods", "harmony", "balance", "replay"}
    assert set(overview.COMMON) <= own | set(flat(Config()))
    groups = {path.partition(".")[0] for path in field_types() if "." in path}
    assert set(overview.GROUPS) - {"presets", "run"} == groups


@pytest.mark.parametrize(
    ("topic", "there", "not_there"),
    [
        ("optim", "--optim.lr FLOAT", "--env.num"),
        ("run", "--logdir TEXT", "--optim.lr"),
        ("presets", "--harmony BOOL", "--steps"),
        ("world.dynamics", "--world.dynamics.deter INT", "--world.encoder"),
    ],
)
def test_a_group_of_options_has_a_page_of_its_own(topic, there, not_there, capsys):
    assert main(["train", "gym:CartPole-v1", "--help", topic]) == 0
    page = capsys.readouterr().out
    assert there in page and not_there not in page


@pytest.mark.parametrize("topic", ["overview", "train"])
def test_an_environment_of_ones_own_has_its_help(topic, capsys):
    """The module is not looked for: nothing of it stands there."""
    assert main(["train", "nowhere:make_env", "--help", topic]) == 0
    page = capsys.readouterr().out
    assert "usage: reverie train nowhere:make_env [options]" in page
    assert "256.0" in page, "the quick settings"


def test_help_shows_the_composed_defaults_and_every_field(capsys):
    assert main(["train", "dmc_walker_walk", "--help", "all", "--seed", "7"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for path in flat(Config()):
        if path not in ("task", "pinned"):
            assert f"--{path} " in text
    assert "--train.ratio FLOAT Train ratio" in text
    assert "(default: 512.0)" in text  # the suite's preset
    assert "Width D of the deterministic state. (default: 512)" in text  # the size it will have
    assert "(default: 7)" in text


HEAVY = {"jax", "numpy", "scipy", "gymnasium", "equinox", "tyro", "rich", "matplotlib"}
"""What costs a tenth of a second or more to import."""


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (["--help"], set()),
        (["presets"], set()),
        (["tasks"], {"numpy", "gymnasium"}),
        (["train", "--help"], set()),
        (["train", "gym:A", "--help"], {"numpy", "jax", "equinox", "scipy", "gymnasium"}),
    ],
)
def test_start_up_imports_only_what_it_needs(words, needed):
    code = (
        "import sys; from reverie.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        f"sys.stderr.write(' '.join(set({sorted(HEAVY)}) & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert set(done.stderr.rsplit("\n", 1)[-1].split()) <= needed


def test_several_seeds_are_runs_one_after_another(calls, tmp_path, monkeypatch, capsys):
    """Each in a folder of its own; one that fails is told, and the next one begins."""
    seen = []

    def learn(config, make_env=None):
        seen.append((config.seed, config.logdir))
        if config.seed == 1:
            raise RunError("the disk is full.")
        row = {"step": 10, "eval/return": 10.0 * config.seed}
        return bare_run(Path(config.logdir), [row])

    monkeypatch.setattr(sys.modules["reverie.train.loop"], "train", learn)
    monkeypatch.chdir(tmp_path)
    words = ["train", "gym:A", "--seeds", "0", "1", "2", "--logdir", "mine", "--no-together"]
    assert main(words) == 1
    assert seen == [(seed, f"mine/seed-{seed}") for seed in (0, 1, 2)]
    said = capsys.readouterr()
    assert said.err == "reverie: seed 1 failed: the disk is full.\n"
    assert "seed 0: return 0 of the last evaluation" in said.out
    assert "seed 2: return 20 of the last evaluation" in said.out
    assert "return 10 ± 14.1421 (standard deviation) of 2 runs, 1 failed" in said.out
    assert "reverie compare mine/seed-0 mine/seed-2" in said.out
    seen.clear()
    monkeypatch.setattr(sys.modules["reverie.train.loop"], "train", lambda *_, **__: Path("x"))
    assert main(["train", "gym:A", "--seeds", "3,4", "--no-together"]) == 0


def test_several_seeds_learn_in_one_process(calls, tmp_path, monkeypatch, capsys):
    """How each of them ended is told as of runs one after another."""
    monkeypatch.chdir(tmp_path)
    logdir = bare_run(Path("mine/seed-0"), [{"step": 10, "eval/return": 7.0}])
    first, second = (dataclasses.replace(Config(), seed=seed) for seed in (0, 1))
    ends = [(first, logdir, None), (second, Path("mine/seed-1"), RunError("it broke."))]
    calls["fail"]("reverie.train.group.train", "train", ends)
    assert main(["train", "gym:A", "--seeds", "0", "1", "--logdir", "mine"]) == 1
    (configs, make_env), options = calls["train"]
    assert [(c.seed, c.logdir) for c in configs] == [(0, "mine/seed-0"), (1, "mine/seed-1")]
    assert make_env is None and options == {"init": None}
    said = capsys.readouterr()
    assert said.err == "reverie: seed 1 failed: it broke.\n"
    assert "seed 0: return 7 of the last evaluation" in said.out
    assert "seeds: return 7 of 1 runs, 1 failed" in said.out


def test_names_of_other_libraries_lead_to_options_that_exist():
    known = set(launch._kinds())
    assert {path for path in flags.ELSEWHERE.values() if path and path not in known} == set()
    assert "'--behavior.horizon'" in flags.unknown("gamma", known)


def test_a_signal_ends_all_seeds(calls, capsys):
    calls["fail"]("reverie.train.loop", "train", Stopped(signal.SIGINT, "at step 7 and saved"))
    assert main(["train", "gym:A", "--seeds", "0", "1", "--no-together"]) == 130
    assert capsys.readouterr().out.count("seed ") == 1
