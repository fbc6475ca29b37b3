"""What the options of `device` mean for an update, once the platform is known."""

import dataclasses

from reverie.config.run import DeviceConfig
from reverie.machine import xla_flags
from reverie.nn.scan import ScanForm

UNROLL = 4
"""Steps that a trip of a recomputed scan does by default: fewer conditions, slices and copies, for
a program that takes longer to compile."""


def resolve_device(device: DeviceConfig, platform: str) -> DeviceConfig:
    """`device` without what the platform decides: precision, scan, its unrolling, and command
    buffers, which stay `auto` where the variable XLA_FLAGS decides them."""
    cpu = platform == "cpu"
    chosen = {"precision": "f32" if cpu else "bf16", "scan": "stored" if cpu else "recomputed"}
    if xla_flags.BUFFERS not in xla_flags.inherited():
        chosen["command_buffers"] = "kernels" if platform == "gpu" else "none"
    chosen = {name: value for name, value in chosen.items() if getattr(device, name) == "auto"}
    device = dataclasses.replace(device, **chosen)
    return dataclasses.replace(device, unroll=scan_form(device).unroll)


def scan_form(device: DeviceConfig) -> ScanForm:
    """The form of scans over observed and imagined time."""
    recompute = device.scan == "recomputed"
    return ScanForm(recompute, device.unroll or (UNROLL if recompute else 1))
