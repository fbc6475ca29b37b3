"""The device is chosen before JAX starts, or the run does not start."""

import os
import subprocess
import sys
import textwrap

import pytest

from reverie.config.run import DeviceConfig
from reverie.machine.device import environment, prepare
from reverie.part.errors import ConfigError


def python(code: str, **variables: str) -> subprocess.CompletedProcess:
    """`code` in a fresh interpreter without the test suite's choice of platform."""
    kept = {name: value for name, value in os.environ.items() if name != "JAX_PLATFORMS"}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, env={**kept, **variables}, capture_output=True, text=True)


def test_options_become_the_variables_that_jax_reads(monkeypatch):
    monkeypatch.delenv("XLA_PYTHON_CLIENT_PREALLOCATE", raising=False)
    assert environment(DeviceConfig()) == {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    assert environment(DeviceConfig(kind="gpu", preallocate=True, memory=0.45)) == {
        "JAX_PLATFORMS": "cuda,cpu",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "true",
        "XLA_CLIENT_MEM_FRACTION": "0.45",
    }


def test_variables_of_the_user_hold_where_options_are_left_alone(monkeypatch):
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "true")
    assert environment(DeviceConfig()) == {}
    chosen = environment(DeviceConfig(preallocate=True))
    assert chosen == {"XLA_PYTHON_CLIENT_PREALLOCATE": "true"}


def test_the_old_name_of_the_share_of_memory_does_not_stop_the_new_one():
    code = """
        import os
        from reverie.config.run import DeviceConfig
        from reverie.machine.device import prepare
        prepare(DeviceConfig(memory=0.5, cache=""))
        print({name: value for name, value in os.environ.items() if "MEM_FRACTION" in name})
    """
    done = python(code, XLA_PYTHON_CLIENT_MEM_FRACTION="0.9", JAX_PLATFORMS="cpu")
    assert done.stdout.strip() == "{'XLA_CLIENT_MEM_FRACTION': '0.5'}", done.stderr
    assert "device.memory: of no effect on the cpu, for GPUs alone." in done.stderr


def test_importing_the_module_does_not_import_jax():
    done = python("import sys, reverie.machine.device; sys.exit('jax' in sys.modules)")
    assert done.returncode == 0, done.stderr


def test_prepare_starts_the_device_and_fills_the_cache(tmp_path):
    code = f"""
        from reverie.config.run import DeviceConfig
        from reverie.machine.device import prepare
        assert prepare(DeviceConfig(kind="cpu", cache={str(tmp_path / "xla")!r})) == "cpu"
        import jax
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.jit(lambda x: (x @ x).sum())(jax.numpy.ones((8, 8))).block_until_ready()
    """
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "xla").iterdir())


def test_a_device_that_is_not_there_is_one_sentence():
    code = """
        from reverie.config.run import DeviceConfig
        from reverie.part.errors import ConfigError
        from reverie.machine.device import prepare
        try:
            prepare(DeviceConfig(kind="tpu", cache=""))
        except ConfigError as error:
            raise SystemExit(str(error))
    """
    done = python(code)
    if not done.returncode:
        pytest.skip("this machine has a TPU")
    assert "device.kind is 'tpu', but JAX finds no such device here" in done.stderr
    assert "--device.kind auto" in done.stderr


def test_a_platform_cannot_change_in_a_running_process():
    import jax

    jax.numpy.ones(()).block_until_ready()
    other = "gpu" if jax.default_backend() != "gpu" else "cpu"
    with pytest.raises(ConfigError, match=f"device.kind is {other!r}, but JAX"):
        prepare(DeviceConfig(kind=other, cache=""))


def test_an_unusable_cache_costs_a_warning_only(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.warns(UserWarning, match="cannot be written, so programs are compiled anew"):
        prepare(DeviceConfig(cache=str(blocker / "xla")))
