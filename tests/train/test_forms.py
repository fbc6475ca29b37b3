"""What the options of the device become once the platform is known."""

from dataclasses import replace

import pytest

from reverie.config.run import DeviceConfig
from reverie.nn.scan import STORED, ScanForm
from reverie.part.errors import ConfigError
from reverie.train.forms import UNROLL, resolve_device, scan_form


@pytest.fixture(autouse=True)
def no_flags(monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)


def test_defaults_are_those_of_the_platform():
    on = {name: resolve_device(DeviceConfig(), name) for name in ("cpu", "gpu", "tpu")}
    told = {k: (d.precision, d.scan, d.unroll, d.command_buffers) for k, d in on.items()}
    assert told == {
        "cpu": ("f32", "stored", 1, "none"),
        "gpu": ("bf16", "recomputed", UNROLL, "kernels"),
        "tpu": ("bf16", "recomputed", UNROLL, "none"),
    }
    assert scan_form(on["cpu"]) == STORED
    assert [resolve_device(device, name) for name, device in on.items()] == [*on.values()]


def test_what_was_chosen_stays():
    chosen = DeviceConfig(precision="f32", scan="stored", unroll=8, command_buffers="all")
    assert resolve_device(chosen, "gpu") == chosen
    assert scan_form(chosen) == ScanForm(recompute=False, unroll=8)
    assert scan_form(replace(chosen, scan="recomputed", unroll=0)) == ScanForm(True, UNROLL)


def test_command_buffers_are_left_to_the_flags_of_the_user(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_gpu_enable_command_buffer=")
    assert resolve_device(DeviceConfig(), "gpu").command_buffers == "auto"


def test_steps_of_a_trip_are_none_or_more():
    with pytest.raises(ConfigError, match=r"device\.unroll must be at least 0, found -1"):
        DeviceConfig(unroll=-1)
