"""Every option of a run: one frozen dataclass a station, one docstring a field.

These are the only defaults in the code base; presets (`presets.py`) and flags (`edit.py`) return
changed copies. Checks that involve several fields stand in `__post_init__` and name the fields.
Where a number comes from a paper it is the official DreamerV3's (arXiv:2301.04104v2 and its code).
"""

from dataclasses import dataclass, field
from typing import Literal


class ConfigError(ValueError):
    """A configuration that cannot be run: the message says what was found and what to write."""


@dataclass(frozen=True)
class EnvConfig:
    """Station 1: which environments, how many, and how they are shown to the agent."""

    num: int = 1
    """Environments that step side by side while training."""
    parallel: bool = True
    """Step the environments in processes of their own (False: in this process, one by one)."""
    repeat: int = 1
    """Environment frames per action of the agent (action repeat, frame skip)."""
    size: int = 64
    """Side of square image observations that the adapter renders or resizes, pixels."""
    limit: int = 0
    """Longest episode, agent steps; longer ones are truncated. 0: the environment's own limit."""
    exclude: tuple[str, ...] = ()
    """Observation keys hidden from the agent."""
    kwargs: str = "{}"
    """JSON object of extra keyword arguments for the environment's constructor."""
    observe: Literal["proprio", "vision", "both"] = "proprio"
    """DM Control: which observations the agent sees."""
    camera: int = -1
    """DM Control: camera index. -1: 0, or 2 for the quadruped."""
    gray: bool = False
    """Atari: one luminance channel instead of RGB."""
    sticky: float = 0.0
    """Atari: probability that the emulator repeats the previous action."""
    noops: int = 30
    """Atari: at most this many no-op frames (uniformly drawn) after a reset."""
    actions: Literal["needed", "all"] = "needed"
    """Atari: the game's minimal action set or all 18 actions."""
    lives: Literal["unused", "discount", "reset"] = "unused"
    """Atari: a lost life does nothing, is terminal without reset, or ends the episode."""
    limit_is_terminal: bool = False
    """Label a truncated episode as terminal, as the reference does for Atari (its known quirk)."""
    view: Literal["partial", "full"] = "partial"
    """MiniGrid: the agent's 7x7 view or the whole grid, as pictures."""
    timeout: float = 120.0
    """Seconds after which an environment process that does not answer is restarted."""
    restarts: int = 10
    """Crashed or hung environments that are restarted before the run stops with an error."""


@dataclass(frozen=True)
class ReplayConfig:
    """Station 2: what is kept and what is drawn."""

    capacity: int = 5_000_000
    """Most rows that are kept (the oldest go first). A run shorter than this keeps everything."""
    gigabytes: float = 0.0
    """Byte budget of the replay, 10^9 bytes. 0: three quarters of the memory free at start."""
    draw: Literal["uniform"] = "uniform"
    """How training windows are drawn."""
    online: bool = True
    """Train first on windows that no update has seen (each row once), then on drawn ones."""
    context: int = 1
    """Rows before the trained ones whose stored latent starts the sequence."""
    chunk: int = 1024
    """Rows a file on disk."""


@dataclass(frozen=True)
class EncoderConfig:
    """Observation -> tokens."""

    layers: int = 3
    """Dense layers for vector keys."""
    units: int = 256
    """Width of those layers."""
    symlog: bool = True
    """Compress vector inputs by symlog."""
    depth: int = 16
    """Base channel count of the image stack."""
    mults: tuple[int, ...] = (2, 3, 4, 4)
    """Channel multiplier of each stage; every stage halves the map. Images too small for all
    stages use the first ones; the smallest map must have sides of 3 to 16."""
    kernel: int = 5
    """Side of the convolution kernels of the pooled and strided stacks."""
    stack: Literal["pooled", "strided", "patch"] = "pooled"
    """Image stack: `pooled` (official: 5x5 then 2x2 max-pool), `strided` (5x5 stride 2), or
    `patch` (4x4 patches, then space-to-depth and 3x3: a fraction of the arithmetic)."""
    outer: bool = False
    """First stage of the pooled and strided stacks works at full resolution."""


@dataclass(frozen=True)
class RSSMConfig:
    """Recurrent state-space model with a block GRU and categorical latents."""

    deter: int = 2048
    """Width D of the deterministic state."""
    hidden: int = 256
    """Width of the hidden layers of core, prior and posterior."""
    stoch: int = 32
    """Number Z of categorical latents."""
    classes: int = 16
    """Classes C of each latent."""
    blocks: int = 8
    """Blocks of the block-diagonal GRU."""
    unimix: float = 0.01
    """Share of the uniform distribution mixed into every latent."""
    free_nats: float = 1.0
    """Floor of the KL losses, nats per step."""
    core_layers: int = 1
    """Block layers before the GRU gates."""
    prior_layers: int = 2
    """Hidden layers of the prior."""
    post_layers: int = 1
    """Hidden layers of the posterior."""
    absolute: bool = False
    """Posterior from the tokens alone, without the deterministic state."""


@dataclass(frozen=True)
class DecoderConfig:
    """Latent -> reconstructed observation. The image stack mirrors the encoder's."""

    layers: int = 3
    """Dense layers for vector keys."""
    units: int = 256
    """Width of those layers."""
    depth: int = 16
    """Base channel count of the image stack."""
    blocks: int = 8
    """Blocks of the layer from the deterministic state to the first map; 0: one dense layer."""


@dataclass(frozen=True)
class HeadConfig:
    """A small network on the feature (deter, stoch)."""

    layers: int = 1
    """Hidden layers."""
    units: int = 256
    """Width of the hidden layers."""
    bins: int = 255
    """Two-hot bins, symexp-spaced (reward and critic)."""
    outscale: float = 0.0
    """Scale of the initial output kernel."""


@dataclass(frozen=True)
class ActorConfig:
    """The policy network and its objective."""

    layers: int = 3
    """Hidden layers."""
    units: int = 256
    """Width of the hidden layers."""
    outscale: float = 0.01
    """Scale of the initial output kernel."""
    minstd: float = 0.1
    """Smallest standard deviation of a continuous action (range is [-1, 1])."""
    maxstd: float = 1.0
    """Largest standard deviation of a continuous action."""
    unimix: float = 0.0
    """Share of the uniform distribution mixed into discrete actions. The official code names 0.01
    in its configuration but never applies it; 0 is what it computes."""
    entropy: float = 3e-4
    """Weight of the policy's entropy, per nat, against the scaled advantage."""


@dataclass(frozen=True)
class BehaviorConfig:
    """Station 4: learning in imagination."""

    imagine: int = 15
    """Imagined steps H from every start."""
    starts: int = 0
    """Starts per sequence: its last so many steps. 0: every trained step."""
    horizon: float = 333.0
    """Discount horizon: gamma = 1 - 1/horizon, agent steps."""
    lam: float = 0.95
    """Lambda of the returns."""
    contdisc: bool = True
    """The continue head learns gamma·(1-terminal) (True) or 1-terminal, with gamma outside."""
    slow_rate: float = 0.02
    """Share of the critic mixed into the slow critic at an update of it."""
    slow_every: int = 1
    """Updates between those."""
    slow_reg: float = 1.0
    """Weight of the pull of the critic towards the slow critic."""
    slow_target: bool = False
    """Bootstrap returns from the slow critic instead of the critic."""
    replay_grad: bool = True
    """The replay value loss also trains the representation."""
    actor_grad_start: bool = False
    """Actor and critic losses at the replayed start state also train the representation."""
    return_rate: float = 0.01
    """Update rate of the running return percentiles."""
    return_low: float = 5.0
    """Lower percentile of the return range."""
    return_high: float = 95.0
    """Upper percentile of the return range."""
    return_limit: float = 1.0
    """Smallest divisor of the advantage."""


@dataclass(frozen=True)
class LossConfig:
    """Weights of the mean losses in the total."""

    rec: float = 1.0
    """Every reconstructed observation key."""
    rew: float = 1.0
    """Reward."""
    con: float = 1.0
    """Continue flag."""
    dyn: float = 1.0
    """KL that trains the prior."""
    rep: float = 0.1
    """KL that trains the posterior."""
    policy: float = 1.0
    """Actor."""
    value: float = 1.0
    """Critic in imagination."""
    repval: float = 0.3
    """Critic on replayed sequences."""
    reward_grad: bool = True
    """The reward loss also trains the representation."""


@dataclass(frozen=True)
class OptimConfig:
    """One optimiser for everything: adaptive gradient clipping, then LaProp."""

    lr: float = 4e-5
    """Peak learning rate."""
    agc: float = 0.3
    """Largest gradient norm, as a share of the tensor's own norm. 0: no clipping."""
    eps: float = 1e-20
    """Added to the root of the second moment."""
    beta1: float = 0.9
    """Decay of the momentum."""
    beta2: float = 0.999
    """Decay of the second moment."""
    nesterov: bool = False
    """Nesterov form of the momentum."""
    decay: float = 0.0
    """Weight decay on kernels."""
    warmup: int = 1000
    """Updates over which the rate rises linearly from 0."""
    schedule: Literal["const", "linear", "cosine"] = "const"
    """Rate after the warm-up: constant, or falling to a tenth of the peak."""
    anneal: int = 0
    """Update at which a falling schedule reaches its end."""


@dataclass(frozen=True)
class TrainConfig:
    """The loop: how much is learned, watched, evaluated and saved."""

    ratio: float = 32.0
    """Train ratio: replayed rows per environment step. Updates per step = ratio / (batch·length)."""
    batch: int = 16
    """Sequences an update."""
    length: int = 64
    """Trained rows a sequence."""
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


@dataclass(frozen=True)
class LogConfig:
    """Where metrics go besides metrics.jsonl, which is always written."""

    tensorboard: bool = True
    """TensorBoard events in the run folder."""
    wandb: str = ""
    """Weights & Biases project to send metrics to; empty: none."""
    progress: Literal["auto", "live", "plain", "none"] = "auto"
    """Progress view; auto: live on a terminal, plain lines elsewhere."""


@dataclass(frozen=True)
class DeviceConfig:
    """Where and how precisely things are computed."""

    kind: Literal["auto", "cpu", "gpu", "tpu"] = "auto"
    """Device; auto: the best that JAX finds."""
    precision: Literal["auto", "f32", "bf16"] = "auto"
    """Compute dtype; parameters and reductions stay float32. auto: bf16 on gpu and tpu."""
    preallocate: bool = False
    """Let JAX take most of the GPU's memory at start (faster); off, several runs share a GPU."""
    memory: float = 0.0
    """Share of the GPU's memory JAX may take. 0: JAX's own default."""
    cache: str = "~/.cache/reverie/xla"
    """Folder of compiled programs, reused by later runs; empty: none."""


@dataclass(frozen=True)
class Config:
    """A whole run."""

    task: str = "gym:CartPole-v1"
    """Environment: suite_task or gym:ID (see `reverie tasks`)."""
    agent: Literal["v3"] = "v3"
    """Agent preset that was applied."""
    size: str = "auto"
    """Model size preset that was applied."""
    seed: int = 0
    """Root of all randomness: networks, policy, replay and environments."""
    steps: int = 1_000_000
    """Environment steps of the whole run, all environments together. As in the official V3 the
    first observation of an episode counts as one."""
    logdir: str = ""
    """Run folder; the same command with the same folder resumes. Empty: runs/TASK-AGENT-SEED."""
    env: EnvConfig = field(default_factory=EnvConfig)
    replay: ReplayConfig = field(default_factory=ReplayConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    rssm: RSSMConfig = field(default_factory=RSSMConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    reward: HeadConfig = field(default_factory=HeadConfig)
    cont: HeadConfig = field(default_factory=lambda: HeadConfig(outscale=1.0))
    actor: ActorConfig = field(default_factory=ActorConfig)
    critic: HeadConfig = field(default_factory=lambda: HeadConfig(layers=3))
    behavior: BehaviorConfig = field(default_factory=BehaviorConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    log: LogConfig = field(default_factory=LogConfig)
    device: DeviceConfig = field(default_factory=DeviceConfig)
