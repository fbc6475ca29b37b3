"""Options of the device that are flags of XLA: what is added, who wins, and what a GPU runs."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from reverie.config.run import DeviceConfig
from reverie.machine import xla_flags
from reverie.machine.xla_flags import BUFFERS, DETERMINISTIC, wanted
from reverie.part.errors import ConfigError


@pytest.fixture(autouse=True)
def no_flags(monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)


def python(code: str, flags: str = "") -> subprocess.CompletedProcess:
    """`code` in a fresh interpreter."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    environment = {**os.environ, "XLA_FLAGS": flags}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_defaults_tell_xla_nothing():
    assert wanted(DeviceConfig()) == ("", "", (), ())
    assert wanted(DeviceConfig(command_buffers="kernels")) == ("", "", (), ())


def test_flags_of_options_follow_those_of_the_user(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=there")
    found = wanted(DeviceConfig(command_buffers="none", deterministic=True))
    assert found.variable == f"--xla_dump_to=there --{BUFFERS}= --{DETERMINISTIC}=true"
    assert found.options == ("device.command_buffers none", "device.deterministic")
    assert not found.conflicts


@pytest.mark.parametrize(
    ("flags", "options", "told"),
    [
        (f"--{BUFFERS}=FUSION", {"command_buffers": "none"}, "wins over device.command_buffers"),
        (f"--{BUFFERS}=", {"command_buffers": "kernels"}, "device.command_buffers kernels: leave"),
        (f"--{BUFFERS}=''", {"command_buffers": "all"}, f"says --{BUFFERS}=, which wins over"),
        (f"--{DETERMINISTIC}=false", {"deterministic": True}, "wins over device.deterministic"),
        (f"--{BUFFERS}=''", {"command_buffers": "none"}, ""),
        (f"--{BUFFERS}=+WHILE", {"command_buffers": "all"}, ""),
        (f"--{DETERMINISTIC}", {"deterministic": True}, ""),
        (f"--{BUFFERS}= --{DETERMINISTIC}=true", {}, ""),
    ],
)
def test_flags_of_the_user_win(flags, options, told, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", flags)
    found = wanted(DeviceConfig(**options))
    assert (found.variable, found.options) == (flags, ())
    assert len(found.conflicts) == bool(told) and told in "".join(found.conflicts)


def test_flags_may_stand_in_a_file(monkeypatch, tmp_path):
    file = tmp_path / "flags"
    file.write_text(f"--{BUFFERS}=FUSION\n--xla_dump_to=there\n")
    monkeypatch.setenv("XLA_FLAGS", str(file))
    assert xla_flags.inherited() == {BUFFERS: "FUSION", "xla_dump_to": "there"}
    found = wanted(DeviceConfig(command_buffers="none", deterministic=True))
    assert found.options == ("device.deterministic",) and len(found.conflicts) == 1
    assert found.variable.split()[-1] == f"--{DETERMINISTIC}=true"


def test_this_version_is_asked_what_it_can_put_into_command_buffers(monkeypatch):
    value = xla_flags.left_out()
    assert "+WHILE" in value and xla_flags.options_of(f"--{BUFFERS}={value}")
    assert xla_flags.options_of(f"--{BUFFERS}=NOTHING_LIKE_IT") is None

    def knows(*names):
        def answer(flags):
            return "" if set(flags.partition("=")[2].split(",")) - set(names) else "0a"

        monkeypatch.setattr(xla_flags, "options_of", lambda flags: answer(flags) or None)

    knows("+CONVOLUTION", "+WHILE")
    assert xla_flags.left_out() == "+WHILE,+CONVOLUTION"
    knows()
    with pytest.raises(ConfigError, match=r"device.command_buffers all is nothing that XLA knows"):
        xla_flags.left_out()
    with pytest.raises(ConfigError, match=r"device.deterministic true is nothing that XLA knows"):
        wanted(DeviceConfig(deterministic=True))


def test_flags_reach_xla_and_a_cpu_says_that_they_are_for_gpus():
    done = python("""
        import warnings
        from reverie.config.run import DeviceConfig
        from reverie.machine import device, xla_flags
        warnings.simplefilter("error")
        try:
            device.prepare(DeviceConfig(deterministic=True, command_buffers="none", cache=""))
        except UserWarning as told:
            print(told)
        print(xla_flags.inherited(), xla_flags.in_force())
        import os
        os.environ["XLA_FLAGS"] += " --xla_gpu_graph_min_graph_size=7"
        print(xla_flags.in_force())
    """)
    assert done.returncode == 0, done.stderr
    told, flags, late = done.stdout.splitlines()
    assert told == "device.deterministic: of no effect on the cpu, for GPUs alone."
    assert flags == str({BUFFERS: "", DETERMINISTIC: "true"}) + " True"
    assert late == "False"


def test_a_flag_that_comes_too_late_is_refused_where_it_matters(monkeypatch):
    import jax

    from reverie.machine import device

    jax.numpy.ones(()).block_until_ready()
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    asked = DeviceConfig(deterministic=True, cache="")
    with pytest.raises(ConfigError, match=r"device.deterministic comes too late: XLA has read"):
        device.prepare(asked)
    assert DETERMINISTIC not in os.environ.get("XLA_FLAGS", "")
    device.prepare(DeviceConfig(cache=""))


PROGRAM = """
    import jax, jax.numpy as jnp
    from reverie.bench import gpus
    from reverie.bench.launches import compiled_for

    def step(_, x):
        return jnp.sort(jnp.tanh(x @ x.T) @ x)

    def function(x, index):
        x = jax.lax.fori_loop(0, 8, step, jnp.zeros((9, 64)).at[index].add(x))
        return step(0, step(0, x))

    driver = 'driver_version: "13.0.0" runtime_version: "13.0.0" registers_per_core_limit'
    gpus.FORM = gpus.FORM.replace("registers_per_core_limit", driver)
    shapes = (jax.ShapeDtypeStruct((64, 64), "float32"), jax.ShapeDtypeStruct((64,), "int32"))
    compiled_for(gpus.GPUS["h200"], function, shapes)
"""


def launched(device: DeviceConfig, folder: Path) -> list[str]:
    """What an H200 runs of a small program as `device` says, indented by what holds it."""
    done = python(PROGRAM, f"{wanted(device).variable} --xla_dump_to={folder}")
    assert done.returncode == 0, done.stderr
    name = "*jit_function.thunk_sequence"
    file = [*folder.glob(f"{name}_after_thunk_passes.txt"), *folder.glob(f"{name}.txt")][0]
    found = re.findall(r"^( *)\d+: (k\w+) +\[.*?\] (\w*)", file.read_text(), re.MULTILINE)
    return [f"{indent}{kind} {name}" for indent, kind, name in found]


@pytest.mark.slow
def test_options_change_what_a_gpu_runs(tmp_path):
    """Compiles for an H200, which takes seconds each: needs `reverie[cuda]`, but no GPU."""
    pytest.importorskip("jax_cuda13_plugin")

    def of(**options):
        return launched(DeviceConfig(**options), tmp_path / "-".join(map(str, options.values())))

    plain, kernels, everything = of(command_buffers="none"), of(), of(command_buffers="all")
    assert "kWhile" in "".join(plain) and "CommandBuffer" not in "".join(plain)
    held = [line.strip() for line in kernels if line.startswith("    ")]
    assert "".join(kernels).count("CommandBuffer") == 2 and len(held) > len(plain) / 2
    assert "kWhile " in kernels
    assert [line for line in everything if not line.startswith(" ")] == ["kCommandBuffer "]
    assert "    kWhile " in everything
    ordered = of(command_buffers="none", deterministic=True)
    assert "".join(ordered).count("sort") == 1 + "".join(plain).count("sort")
