"""Options of the run itself: the loop, where metrics go, and the device. Imports no JAX."""

from dataclasses import dataclass
from typing import Literal

from reverie.config.mesh import MeshShape, read_mesh
from reverie.part.checks import Checker


@dataclass(frozen=True)
class TrainConfig:
    """The loop: how much is learned, watched, evaluated and saved."""

    ratio: float = 32.0
    """Train ratio: replayed rows per environment step; an update replays batch·length of them."""
    batch: int = 16
    """Sequences an update."""
    length: int = 64
    """Trained rows a sequence."""
    prefill: int = 0
    """Environment steps of random actions before anything is learned; they go on until an episode
    has ended."""
    pretrain: int = 0
    """Updates right after those, before the next step."""
    loop: Literal["host", "device"] = "host"
    """Where the loop runs (short: --loop). device: environment, replay, updates and acting are one
    compiled program of many steps, for JAX-native environments; the same schedule and draws."""
    chunk: int = 256
    """Steps of every environment in one call of that program, at most. Changes no number."""
    update: Literal["joint", "ordered"] = "joint"
    """Everything learns at once from one total (V3), or the world model first, and then actor and
    critic in dreams of the model that has just learned (V2, 2023)."""
    log_every: int = 1000
    """Environment steps between two metric lines."""
    eval_every: int = 0
    """Environment steps between two evaluations. 0: one, at the end."""
    eval_episodes: int = 10
    """Episodes an evaluation. 0: none."""
    eval_envs: int = 1
    """Environments that play them side by side."""
    eval_greedy: bool = False
    """Evaluate the mode of the policy instead of samples from it."""
    report_every: int = 0
    """Environment steps between two open-loop videos. 0: one, at the end."""
    report_length: int = 32
    """Rows of an open-loop video: the first half is observed, the rest dreamed."""
    video_every: int = 0
    """Environment steps between two recorded training episodes. 0: evaluation episodes only."""
    save_every: float = 300.0
    """Seconds between two checkpoints. Saving never changes a number of the run."""
    keep: int = 2
    """Complete checkpoints that stay on disk."""

    def __post_init__(self):
        check = Checker(self, "train.")
        check.at_least(0, "ratio", "eval_every", "eval_episodes", "report_every", "video_every")
        check.at_least(1, "batch", "chunk", "log_every", "eval_envs", "keep")
        check.at_least(2, "length", "report_length")
        check.at_least(0, "save_every", "prefill", "pretrain")


@dataclass(frozen=True)
class LogConfig:
    """Where metrics go besides metrics.jsonl, which is always written."""

    tensorboard: bool = True
    """TensorBoard events in the run folder."""
    wandb: str = ""
    """Weights & Biases project to send metrics to; empty: none."""
    progress: Literal["auto", "live", "plain", "none"] = "auto"
    """Progress view; auto: live on a terminal, plain lines elsewhere."""

    def __post_init__(self):
        Checker(self, "log.")


_UNUSED = {
    "processes": "device.coordinator is HOST:PORT; slurm and env say it themselves",
    "process": "device.coordinator is HOST:PORT; slurm and env say it themselves",
    "wait": "device.coordinator is given: one process waits for nobody",
}
"""Options that must be as nobody has changed them, unless ..."""

_SHARED = "given where device.coordinator is, such as data=8: how the devices of all are shared"


def _below(processes: int) -> str:
    return f"between 0 and {processes - 1} (device.processes is {processes})"


@dataclass(frozen=True)
class DeviceConfig:
    """Where and how precisely things are computed."""

    kind: Literal["auto", "cpu", "gpu", "tpu"] = "auto"
    """Device; auto: the best that JAX finds."""
    precision: Literal["auto", "f32", "bf16"] = "auto"
    """Compute dtype; parameters and reductions stay float32. auto: bf16 on gpu and tpu."""
    scan: Literal["auto", "stored", "recomputed"] = "auto"
    """What gradients need of every observed and imagined step: stored on the way, or recomputed
    for all steps at once, which launches less than half the kernels. The same function. auto:
    recomputed on gpu and tpu."""
    unroll: int = 0
    """Steps of these scans that one trip of a loop does: fewer, larger trips, compiled for longer.
    The same function. 0: 4 where they are recomputed, else 1."""
    command_buffers: Literal["auto", "none", "kernels", "all"] = "auto"
    """What a GPU starts as one command buffer (CUDA graph): nothing, kernels that follow each other
    (XLA's own choice), or whole loops and convolutions too. auto: kernels on gpu."""
    deterministic: bool = False
    """Let a GPU add in a fixed order and choose its kernels without timing them: the same numbers
    in every run, slower. A CPU does so anyway."""
    preallocate: bool = False
    """Let JAX take most of the GPU's memory at start (faster); off, several runs share a GPU."""
    memory: float = 0.0
    """Share of the GPU's memory JAX may take. 0: JAX's own default."""
    cache: str = "~/.cache/reverie/xla"
    """Folder of compiled programs, reused by later runs; empty: none."""
    mesh: str = ""
    """Devices that one learner is spread over: data=N shares out the batch, model=M every large
    weight, as in data=4 or data=2,model=2. Empty: one device."""

    coordinator: str = ""
    """Where several processes that learn one run on one mesh meet: HOST:PORT of the first of them;
    slurm: as the job step says; env: as JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and
    JAX_PROCESS_ID say. Empty: one process."""
    processes: int = 1
    """How many they are, with HOST:PORT."""
    process: int = 0
    """Which of them this is, with HOST:PORT. 0 writes the run folder, which all must see."""
    wait: float = 300.0
    """Seconds until they must have met."""

    def __post_init__(self):
        check = Checker(self, "device.")
        check.share("memory")
        check.at_least(0, "unroll")
        check.at_least(1, "processes")
        check.above(0, "wait")
        for name in self._unused():
            default = getattr(DeviceConfig, name)
            untouched = getattr(self, name) == default
            check.require(untouched, name, f"{default:g} unless {_UNUSED[name]}")
        check.require(0 <= self.process < self.processes, "process", _below(self.processes))
        read_mesh(self.mesh)
        check.require(not self.coordinator or self.mesh != "", "mesh", _SHARED)

    def _unused(self) -> tuple[str, ...]:
        """Options of a meeting that `coordinator` leaves no use for."""
        match self.coordinator:
            case "":
                return ("processes", "process", "wait")
            case "slurm" | "env":
                return ("processes", "process")
            case _:
                return ()

    @property
    def mesh_shape(self) -> MeshShape | None:
        """`mesh` as numbers; None for one device."""
        return read_mesh(self.mesh)
