"""Options of the replay: what is kept, what is drawn, and what a draw may depend on."""

from dataclasses import dataclass, field
from typing import Literal

from reverie.part.checks import Checker
from reverie.replay.pairs import DrawKind, Signal, check_replay
from reverie.replay.retention_pairs import check_retention

KeepRule = Literal["fifo", "reservoir", "random_replace", "coverage", "top_return", "top_surprise"]


@dataclass(frozen=True)
class ScoreConfig:
    """What a step is worth to a draw that prefers some windows to others."""

    signal: Signal = "none"
    """Score of a step: none; kl: surprise of the latent in nats, before the free nats;
    kl_clipped: after them (dyn + rep is twice that); model_loss: weighted world-model losses;
    td: magnitude of the critic's error; visits: how rarely it was trained on; return: of its
    episode; disagreement: of an ensemble; curious: visits and model_loss; xp: return, value error
    and reconstruction."""
    exponent: float = 0.8
    """Power of a step's score before windows are formed. 0: uniform."""
    aggregate: Literal["blend", "mean", "max", "sum", "anchor"] = "blend"
    """Score of a window: blend of its largest and mean step, or the score of one step (anchor)."""
    blend: float = 0.5
    """blend: share of the largest step; the rest is the mean."""
    anchor: int = -1
    """anchor: which row of the window counts, from 0 or backwards from -1 (the last)."""
    initial: Literal["mean", "constant", "max"] = "mean"
    """Score of a step before its first update: mean of the seen steps and initial_std deviations,
    initial_value, or the largest score so far."""
    initial_std: float = 1.0
    """mean: standard deviations of the seen scores above (below 0: under) their mean."""
    initial_value: float = 1.0
    """Score of a step not seen yet, where it is constant or nothing has been seen, score units."""
    visit_scale: float = 1e4
    """curious, visits: score of a step never trained on, c in c beta^visits."""
    visit_decay: float = 0.7
    """curious, visits: factor beta of each training on the step."""
    loss_power: float = 0.7
    """curious: power of the model loss."""
    offset: float = 0.01
    """curious, td, visits: added to the loss, the error or the score, so that none is 0."""
    xp_return: float = 0.1
    """xp: weight of the imagined return."""
    xp_value: float = 0.4
    """xp: weight of imagined return times value loss."""
    xp_rec: float = 0.5
    """xp: weight of the reconstruction loss."""
    importance: float = 0.0
    """Exponent beta of importance weights 1/(N P)^beta at the first update. 0 with importance_end
    0: none."""
    importance_end: float = 0.0
    """Exponent beta of importance weights from importance_updates on, linear in between."""
    importance_updates: int = 100_000
    """Updates over which beta goes from importance to importance_end."""
    sweep_every: int = 0
    """Updates between two sweeps that score stored windows anew with the current model. 0: none."""
    sweep_windows: int = 4096
    """Windows a sweep scores at most, spread over the replay; all of them if there are fewer."""

    def __post_init__(self):
        check = Checker(self, "replay.score.")
        check.at_least(0, "exponent", "initial_value", "visit_scale", "loss_power", "offset")
        check.at_least(0, "xp_return", "xp_value", "xp_rec", "sweep_every")
        check.share("blend", "visit_decay", "importance", "importance_end")
        check.at_least(1, "importance_updates", "sweep_windows")


@dataclass(frozen=True)
class ReplayConfig:
    """Station 2: what is kept and what is drawn."""

    capacity: int = 5_000_000
    """Most rows that are kept. A run shorter than this keeps everything."""
    gigabytes: float = 0.0
    """Byte budget of the replay, 10^9 bytes. 0: three quarters of the memory free at start."""
    keep: Literal[
        "fifo", "reservoir", "random_replace", "coverage", "top_return", "top_surprise", "split"
    ] = "fifo"
    """What stays when memory is full. fifo: the newest. reservoir: every unit of the run with
    equal probability. random_replace: the newcomer, in place of a random unit (published as a
    reservoir by Continual-Dreamer). coverage: what looks unlike the rest. top_return,
    top_surprise: the units with the largest return, or mean score. split: two stores, fifo and
    split_keep."""
    unit: Literal["row", "episode", "chunk", "splice"] = "row"
    """What goes as a whole. row: the oldest row; windows may cross episodes. episode: an episode.
    chunk: at most unit_rows rows of one episode. splice: unit_rows rows whatever episodes they
    belong to. Windows never leave an episode, chunk or splice."""
    unit_rows: int = 512
    """Rows of a chunk or splice."""
    page: int = 32
    """Rows of memory that an episode or chunk takes at a time; on average half a page a unit stays
    empty. A splice takes its unit_rows at once."""
    ongoing: bool = False
    """Draw from units that are still growing."""
    minlen: int = 0
    """Episodes (or the rest of one, as a chunk) with fewer agent steps than this are not kept."""
    split_share: float = 0.5
    """split: share of the memory for the fifo store; the rest is for split_keep."""
    split_keep: Literal["reservoir", "random_replace", "coverage", "top_return", "top_surprise"] = (
        "reservoir"
    )
    """split: what the other store keeps."""
    coverage_distance: Literal["euclid", "cosine"] = "euclid"
    """coverage: distance between the random features of two units."""
    draw: DrawKind = "uniform"
    """How training windows are drawn: uniform; recency: age^-age_exponent; triangular: linearly
    more for newer ones; time_balanced: evens out how often each is drawn in its life;
    proportional, rank, softmax: by their score (replay.score)."""
    mix: tuple[str, ...] = ()
    """Draws KIND:SHARE that take a share of the windows, such as uniform:0.5; replay.draw takes
    the rest."""
    mix_by: Literal["window", "batch"] = "window"
    """Toss the members of mix for every window, or for whole batches."""
    over: Literal["windows", "units"] = "windows"
    """What the law of the draw ranges over: windows, or units (episodes) and then rows inside."""
    split_draw: float = 0.5
    """split: share of the windows that come from the fifo store."""
    join: bool = False
    """over units: fill a sequence with pieces of several units, as DreamerV2; off, units shorter
    than a sequence are never drawn."""
    ends: int = 0
    """over units: so many more starts mean the last one of a unit, so that its end comes more
    often, rows. 0: every start alike."""
    age_exponent: float = 0.5
    """recency: exponent e of the weight (age + 1)^-e. 0: uniform."""
    balance: float = 0.3
    """time_balanced: strength in [0, 1]. 0: uniform."""
    rank_exponent: float = 0.7
    """rank: exponent of the weight rank^-e."""
    stratified: bool = False
    """proportional: one window from each of as many equal shares of the weight as a batch has."""
    temperature: float = 1.0
    """softmax: temperature, units of replay.scale."""
    scale: float = 0.0
    """softmax: difference of scores (of returns: reward) that counts as 1; must be set."""
    fresh: float = 0.0
    """Largest share of a batch that goes to windows with rows never drawn before. 0: none."""
    online: bool = True
    """Train first on windows that no update has seen (each row once), then on drawn ones."""
    kernels: Literal["auto", "numpy", "numba"] = "auto"
    """Loops over priorities; both give the same bits. auto: numba if installed (extra fast)."""
    score: ScoreConfig = field(default_factory=ScoreConfig)
    context: int = 1
    """Rows before the trained ones whose stored latent starts the sequence."""
    chunk: int = 1024
    """Rows a file on disk."""

    def __post_init__(self):
        check = Checker(self, "replay.")
        check.at_least(1, "capacity", "chunk", "unit_rows", "page")
        check.at_least(0, "gigabytes", "context", "minlen", "ends", "age_exponent")
        check.at_least(0, "rank_exponent", "scale")
        check.above(0, "temperature")
        check.share("balance", "fresh", "split_draw")
        check.share("split_share", zero=False, one=False)
        check_retention(self)
        check_replay(self)

    @property
    def pieces(self) -> bool:
        """Whether sequences are laid out of pieces, so that units may be shorter than they."""
        return self.join
