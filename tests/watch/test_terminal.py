"""Output to terminals that cannot take it, signals and variables around a start, and arguments from
Python: processes that end before anything is compiled."""

import os
import signal
import subprocess
import sys
import time

import gymnasium
import pytest

import reverie
from reverie.machine import inherited
from reverie.report.read import ReportError
from reverie.watch.terminal import Output


def reverie_in(words, variables=None, **how):
    """The command in a process of its own."""
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 120, **how}
    env = {**os.environ, "GLIBC_TUNABLES": "", **(variables or {})}
    return subprocess.run([sys.executable, "-m", "reverie", *words], env=env, **how)


@pytest.mark.parametrize("code", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_without_all_characters_shows_the_others(code):
    # `presets curious` has characters outside all of these
    ended = reverie_in(["presets", "curious"], {"PYTHONIOENCODING": code, "PYTHONUTF8": "0"})
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert len(ended.stdout.decode(code).splitlines()) > 2


def test_an_error_about_odd_characters_is_a_sentence_on_an_ascii_terminal():
    ended = reverie_in(["train", "gym:Läufe"], {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert ended.returncode in (1, 2)
    assert b"Traceback" not in ended.stderr and ended.stderr.startswith(b"reverie: ")


@pytest.mark.parametrize("words", ["presets", "tasks", "--help"])
@pytest.mark.parametrize("ending", ["| head -1", ">&-", "> /dev/full"])
def test_nobody_who_reads_is_no_traceback(words, ending):
    command = f"{sys.executable} -m reverie {words} {ending}"
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=120
    )
    assert b"Traceback" not in ended.stderr and b"Exception ignored" not in ended.stderr
    assert ended.returncode == 0
    assert ended.stderr == b"" or ending == "> /dev/full"


def test_output_goes_nowhere_once_its_file_is_closed(tmp_path):
    file = (tmp_path / "out").open("w", encoding="ascii")
    out = Output(file)
    assert out.write("é\n") == 2
    file.close()
    out.write("more")
    out.flush()
    assert (tmp_path / "out").read_text() == "?\n"
    assert Output(None).write("x") == 1 and not Output(None).isatty()


def test_a_signal_while_modules_are_imported_is_one_line_and_130(tmp_path):
    """`sitecustomize` says when the first module of Reverie is looked for, and waits there."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys, time\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'reverie.cli':\n"
        "            os.write(1, b'here'); time.sleep(60)\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, "-m", "reverie", "presets"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdout is not None and process.stdout.read(4) == b"here"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, b"reverie: interrupted.\n")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("JAX_PLATFORMS", "cuda", b"JAX_PLATFORMS is 'cuda'"),
        ("JAX_PLATFORMS", "abacus", b"JAX_PLATFORMS is 'abacus'"),
        ("JAX_ENABLE_X64", "maybe", b"JAX_ENABLE_X64=maybe"),
        ("JAX_DISABLE_JIT", "1", b"JAX_DISABLE_JIT is '1'"),
        ("JAX_NUMPY_RANK_PROMOTION", "raise", b"JAX_NUMPY_RANK_PROMOTION is 'raise'"),
        ("XLA_FLAGS", "--xla_no_such_flag=1", b"XLA_FLAGS is '--xla_no_such_flag=1'"),
    ],
)
def test_an_inherited_variable_is_named(name, value, told, tmp_path):
    words = ["train", "gym:CartPole-v1", "--size=debug", f"--logdir={tmp_path}"]
    variables = {"JAX_PLATFORMS": "", "XLA_FLAGS": "", name: value}
    ended = reverie_in([*words, "--device.kind=auto"], variables)
    assert ended.returncode in (1, 2)
    assert told in ended.stderr
    assert b"Traceback" not in ended.stderr and len(ended.stderr.strip().splitlines()) == 1


def test_jax_that_compiles_nothing_is_refused_from_python_too():
    import jax

    with jax.disable_jit(), pytest.raises(reverie.ConfigError, match="disable_jit"):
        inherited.check_variables()
    inherited.check_variables()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda run: reverie.evaluate(run, episodes=0), "episodes must be at least 1, found 0"),
        (lambda run: reverie.evaluate(run, episodes=-3), "episodes must be at least 1"),
        (lambda run: reverie.evaluate(run, envs=0), "envs must be at least 1"),
        (lambda run: reverie.evaluate(run, seed=2**63), "seed must be at most 4294967295"),
        (lambda run: reverie.evaluate(run, seed=-1), "seed must be at least 0"),
        (lambda run: reverie.evaluate(run, episodes="many"), "episodes"),
        (lambda run: reverie.evaluate(run, greedy="yes please"), "greedy"),
        (lambda run: reverie.evaluate(3), "run takes a run folder"),
        (lambda run: reverie.load(3), "logdir takes a folder's path, found 3"),
        (lambda run: reverie.train("gym:CartPole-v1", seed=2**63), "seed must be at most"),
        (lambda run: reverie.train("gym:CartPole-v1", seed=-1), "seed must be at least 0"),
        (lambda run: reverie.train("gym:CartPole-v1", steps=0), "steps"),
        (lambda run: reverie.train("gym:CartPole-v1", steps="1e3.5"), "steps"),
        (lambda run: reverie.train("gym:CartPole-v1", overrides=["seed"]), "takes a dictionary"),
        (lambda run: reverie.train("gym:CartPole-v1", overrides={"train.sed": 1}), "train.sed|sed"),
        (lambda run: reverie.check_env("gym:CartPole-v1", steps=-1), "steps"),
    ],
)
def test_arguments_from_python_are_told_as_those_of_the_command(call, told, tmp_path):
    with pytest.raises((reverie.ConfigError, reverie.RunError), match=told) as error:
        call(tmp_path)
    assert "\n" not in str(error.value)


def test_a_report_takes_one_folder_as_it_takes_several(tmp_path):
    for runs in (str(tmp_path / "none"), [str(tmp_path / "none")], tmp_path / "none"):
        with pytest.raises(ReportError, match="none is not a run folder") as error:
            reverie.write_report(runs)
        assert str(tmp_path / "none") in str(error.value)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: gymnasium.make_vec("CartPole-v1", num_envs=2), "and set env.num to how many"),
        (lambda: None, "returned None .does it lack a return"),
        (lambda: (gymnasium.make("CartPole-v1"),), "returned a tuple, expected one"),
        (lambda: gymnasium.Env, "returned Env, which is not an environment yet"),
        (lambda: 3, "returned a builtins.int, expected a gymnasium.Env"),
    ],
)
def test_a_function_that_makes_no_environment_gets_the_remedy_for_what_it_made(made, told):
    from reverie.envs.make import make
    from reverie.envs.options import EnvConfig

    with pytest.raises(reverie.EnvError, match=told):
        make(made, EnvConfig())


@pytest.mark.parametrize("task", ["gym:Ant-v5", "dmc_cartpole_balance"])
def test_a_wrong_word_in_mujocos_variable_is_named(task):
    pytest.importorskip("mujoco")
    pytest.importorskip("dm_control")
    code = (
        "from reverie.config.schema import EnvConfig\n"
        "from reverie.envs.make import make\n"
        "make('gym:CartPole-v1', EnvConfig(), render=True)\n"
        f"make({task!r}, EnvConfig(), render=True)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, env={**os.environ, "MUJOCO_GL": "elg"}, timeout=120,
    )  # fmt: skip
    last = ended.stderr.strip().splitlines()[-1]
    assert "The variable MUJOCO_GL is 'elg'" in last and "Did you mean 'egl'?" in last
