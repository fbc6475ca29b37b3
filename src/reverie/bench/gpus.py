"""GPUs that programs are compiled for without having one: what XLA's compiler must know of each.

The figures are those of the makers' data sheets (dense products, no sparsity) and of CUDA's table
of compute capabilities. They decide which kernels the compiler chooses, not what they compute.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """One device."""

    title: str
    capability: tuple[int, int]
    """CUDA compute capability: major, minor."""
    cores: int
    """Multiprocessors."""
    lanes: int
    """Single-precision units of a multiprocessor."""
    threads: int
    """Threads that a multiprocessor holds."""
    shared: int
    """Shared memory of a multiprocessor, bytes."""
    cache: int
    """Second-level cache, bytes."""
    memory: int
    """Device memory, bytes."""
    bandwidth: float
    """Bytes a second from and to that memory."""
    clock: float
    """GHz, boosted."""
    flops: dict[str, float]
    """FLOP/s of matrix products by precision."""


KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

GPUS = {
    "h200": Gpu(
        "NVIDIA H200 141GB HBM3e",
        capability=(9, 0),
        cores=132,
        lanes=128,
        threads=2048,
        shared=228 * KIB,
        cache=50 * MIB,
        memory=141 * GIB,
        bandwidth=4.8e12,
        clock=1.98,
        flops={"bf16": 989e12, "f32": 67e12},
    ),
    "a100": Gpu(
        "NVIDIA A100 80GB SXM",
        capability=(8, 0),
        cores=108,
        lanes=64,
        threads=2048,
        shared=164 * KIB,
        cache=40 * MIB,
        memory=80 * GIB,
        bandwidth=2.039e12,
        clock=1.41,
        flops={"bf16": 312e12, "f32": 19.5e12},
    ),
    "l4": Gpu(
        "NVIDIA L4",
        capability=(8, 9),
        cores=58,
        lanes=128,
        threads=1536,
        shared=100 * KIB,
        cache=48 * MIB,
        memory=24 * GIB,
        bandwidth=3e11,
        clock=2.04,
        flops={"bf16": 121e12, "f32": 30.3e12},
    ),
    "rtx4090": Gpu(
        "NVIDIA GeForce RTX 4090",
        capability=(8, 9),
        cores=128,
        lanes=128,
        threads=1536,
        shared=100 * KIB,
        cache=72 * MIB,
        memory=24 * GIB,
        bandwidth=1.008e12,
        clock=2.52,
        flops={"bf16": 165.2e12, "f32": 82.6e12},
    ),
}
"""By the name that the command takes."""

LAUNCH = 1.9e-6
"""Seconds that a launch costs: 22.04 ms of the official code's 11,437 launches on a GB200, as
claimed in pytorch/rl#4216. An estimate for every device."""

FORM = """\
gpu_device_info {{
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: 49152
  shared_memory_per_core: {gpu.shared}
  threads_per_core_limit: {gpu.threads}
  core_count: {gpu.cores}
  fpus_per_core: {gpu.lanes}
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  memory_bandwidth: {bandwidth}
  l2_cache_size: {gpu.cache}
  clock_rate_ghz: {gpu.clock}
  device_memory_size: {gpu.memory}
  shared_memory_per_block_optin: {optin}
  cuda_compute_capability {{ major: {gpu.capability[0]} minor: {gpu.capability[1]} }}
  registers_per_core_limit: 65536
  registers_per_block_limit: 65536
}}
platform_name: "CUDA"
dnn_version_info {{ major: 9 minor: 10 patch: 0 }}
device_description_str: "{gpu.title}"
"""


def described(gpu: Gpu) -> str:
    """The device in the form that XLA's compiler reads (a text protocol buffer)."""
    return FORM.format(gpu=gpu, bandwidth=int(gpu.bandwidth), optin=gpu.shared - KIB)


def least_seconds(
    gpu: Gpu, *, launches: int, flops: float, nbytes: float, precision: str
) -> dict[str, float]:
    """Estimates of what a call takes at least, each for itself: the largest bounds it."""
    return {
        "launches": launches * LAUNCH,
        "arithmetic": flops / gpu.flops[precision],
        "memory": nbytes / gpu.bandwidth,
    }
