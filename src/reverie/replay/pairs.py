"""Which options of the replay go together, and why the others do not [replay-sampling.md §5.3]."""

import typing
from typing import TYPE_CHECKING, Literal

from reverie.part.errors import ConfigError, suggest

if TYPE_CHECKING:
    from reverie.replay.options import ReplayConfig

Signal = Literal[
    "none",
    "kl",
    "kl_clipped",
    "model_loss",
    "td",
    "visits",
    "return",
    "disagreement",
    "curious",
    "xp",
]
DrawKind = Literal[
    "uniform", "recency", "triangular", "time_balanced", "proportional", "rank", "softmax"
]

SCORED = ("proportional", "rank", "softmax")
"""Draws that read scores."""

KNOWN_PROBABILITY = ("uniform", "proportional", "softmax")
"""Draws that know the probability of each window, as importance weights need it."""


def members_of(config: "ReplayConfig") -> list[tuple[DrawKind, float]]:
    """The draws of a mixture with their shares, `replay.draw` with the rest; shares sum to 1.

    Raises ConfigError for a member that is not KIND:SHARE, and for shares above 1 together.
    """
    members: list[tuple[DrawKind, float]] = []
    for text in config.mix:
        kind, colon, share = text.partition(":")
        kinds = typing.get_args(DrawKind)
        if kind not in kinds:
            raise ConfigError(f"replay.mix names the draw {kind!r}; {suggest(kind, kinds)}")
        members.append((typing.cast(DrawKind, kind), _share(text, share if colon else "")))
    rest = 1.0 - sum(share for _, share in members)
    if rest < -1e-9:
        raise ConfigError(
            f"the shares of replay.mix sum to {1.0 - rest:g}; at most 1, since replay.draw takes "
            "the rest."
        )
    return [*members, (config.draw, max(0.0, rest))]


def _share(text: str, share: str) -> float:
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise ConfigError(
            f"replay.mix takes KIND:SHARE with a share in [0, 1], such as uniform:0.5; found "
            f"{text!r}."
        )
    return value


def judged(config: "ReplayConfig") -> bool:
    """Whether retention reads scores."""
    kept = config.split_keep if config.keep == "split" else config.keep
    return kept == "top_surprise"


def check_replay(config: "ReplayConfig") -> None:
    """Raises ConfigError for a pair of options that would not do what its names say."""
    kinds = {kind for kind, share in members_of(config) if share > 0}
    _check_signal(config, kinds)
    _check_softmax(config, kinds)
    _check_units(config, kinds)
    _check_split(config, kinds)
    _check_importance(config, kinds)


def _check_signal(config: "ReplayConfig", kinds: set[str]) -> None:
    signal, score = config.score.signal, config.score
    scored = sorted(kinds & set(SCORED))
    if scored and signal == "none":
        raise ConfigError(
            f"replay.draw {scored[0]!r} draws by scores and replay.score.signal is 'none': name a "
            "signal, for example --replay.score.signal kl."
        )
    if judged(config) and signal in ("none", "return"):
        raise ConfigError(
            "what surprises most is told by scores of steps (replay.keep or split_keep "
            f"'top_surprise'), and replay.score.signal is {signal!r}: set --replay.score.signal "
            "kl; by return, keep top_return."
        )
    if signal != "none" and not scored and not judged(config):
        raise ConfigError(
            f"replay.score.signal {signal!r} is computed and no draw reads it (replay.draw is "
            f"{config.draw!r}): set --replay.draw proportional, or --replay.score.signal none."
        )
    if signal == "return" and kinds & {"proportional", "rank"}:
        raise ConfigError(
            "replay.score.signal 'return' may be negative, and a weight may not: use --replay.draw "
            "softmax with --replay.over units."
        )
    if signal == "return" and config.over != "units":
        raise ConfigError(
            "replay.score.signal 'return' is known for whole episodes: set --replay.over units."
        )
    if score.initial == "mean" and signal == "return":
        raise ConfigError(
            "replay.score.initial 'mean' is that of trained steps, and a return needs no training: "
            "set --replay.score.initial constant."
        )
    if score.sweep_every and signal not in ("kl", "kl_clipped"):
        raise ConfigError(
            "replay.score.sweep_every computes the KL anew, and replay.score.signal is "
            f"{signal!r}: set it to kl, or sweep_every to 0."
        )


def _check_softmax(config: "ReplayConfig", kinds: set[str]) -> None:
    if "softmax" in kinds and config.scale <= 0:
        raise ConfigError(
            "replay.draw 'softmax' needs replay.scale: with scores 20 units apart the largest "
            "takes all draws. Set it to the size of a usual difference (published: 1, for returns "
            "within [-0.1, 1])."
        )


def _check_units(config: "ReplayConfig", kinds: set[str]) -> None:
    if config.over == "units" and config.unit == "row":
        raise ConfigError(
            "replay.over 'units' needs units, and replay.unit 'row' has none: set --replay.unit "
            "episode."
        )
    if config.over == "windows":
        if config.join or config.ends:
            raise ConfigError(
                "replay.join and replay.ends lay pieces of units: set --replay.over units."
            )
        return
    if wrong := sorted(kinds & {"proportional", "rank"}):
        raise ConfigError(
            f"replay.draw {wrong[0]!r} weighs windows, and replay.over is 'units': use uniform, "
            "recency, triangular or softmax there, or --replay.over windows."
        )
    if config.join and config.fresh:
        raise ConfigError(
            "replay.fresh draws whole windows, and replay.join lays sequences of pieces: leave one "
            "of them out."
        )
    if "softmax" in kinds and config.score.signal != "return":
        raise ConfigError(
            f"replay.draw 'softmax' over units reads the return, and replay.score.signal is "
            f"{config.score.signal!r}: set it to return, or --replay.over windows."
        )


def _check_split(config: "ReplayConfig", kinds: set[str]) -> None:
    if config.keep != "split":
        return
    if wrong := sorted(kinds & set(SCORED)):
        raise ConfigError(
            f"replay.draw {wrong[0]!r} has one law for the whole store, which would undo the "
            "shares of replay.keep 'split' (replay.split_draw): use uniform, recency, triangular "
            "or time_balanced there, or another replay.keep."
        )
    if config.over == "units":
        raise ConfigError(
            "replay.over 'units' draws from all units alike, and replay.keep 'split' draws from "
            "two stores by share: set --replay.over windows."
        )


def _check_importance(config: "ReplayConfig", kinds: set[str]) -> None:
    score = config.score
    if not (score.importance or score.importance_end):
        return
    if wrong := sorted(kinds - set(KNOWN_PROBABILITY)):
        raise ConfigError(
            f"importance weights need the probability of every window, and replay.draw "
            f"{wrong[0]!r} does not know it: use {', '.join(KNOWN_PROBABILITY)}."
        )
    if config.over == "units":
        raise ConfigError(
            "importance weights need the probability of every window, and replay.over 'units' does "
            "not know it: set --replay.over windows."
        )
