"""What a run should be told about its options before the first step."""

from collections.abc import Mapping

from reverie.config.alternative import alternative
from reverie.config.schema import Config
from reverie.config.small import too_large
from reverie.records import Specs
from reverie.signals.curious import Curious

SETTLED = 1_000
"""Updates after which the latents should tell every observation, and a method may be judged."""

EXPLAINED = "explained/"
"""What the names of metrics begin with that say how much of an observation key is encoded."""

UNSEEN = 0.1
"""Share of what varies in an observation below which it counts as not encoded."""

SHORT_LIVED = 21
"""Visits after which Curious Replay's count term falls below a usual loss term."""


def replay_advice(config: Config) -> list[str]:
    """Sentences about options that do not suit this train ratio or number of environments."""
    return [*_starvation(config), *_curious(config)]


def unseen_keys(shares: Mapping[str, float], updates: int) -> dict[str, str]:
    """By observation key a sentence on those of which the latents tell next to nothing after
    `updates`; `shares`: metrics by name, of which those under `explained/` are read."""
    if updates < SETTLED:
        return {}
    found = sorted(
        (name.removeprefix(EXPLAINED), share)
        for name, share in shares.items()
        if name.startswith(EXPLAINED) and share < UNSEEN
    )
    return {
        key: f"the observation {key!r} is hardly encoded: after {updates:,} updates the latents "
        f"tell {max(share, 0.0):.0%} of what varies in it. If it matters, raise its weight with "
        f"--world.objective.weights {key}=10; if it is noise, leave it out with --env.exclude "
        f"{key}."
        for key, share in found
    }


def sequence_advice(config: Config) -> list[str]:
    """A sentence where a sequence of tasks will have none of its metrics."""
    if not config.sequence.tasks or config.train.eval_episodes:
        return []
    return [
        "train.eval_episodes is 0: no task is evaluated, so the report will know neither "
        "performance nor forgetting nor transfer."
    ]


def settings_advice(config: Config, obs: Specs) -> list[str]:
    """A sentence where the quick settings were given by the task's name, and what it shows is
    more than they are made for."""
    found = too_large(obs)
    if config.preset != "quick" or not found or alternative(config) is None:
        return []
    return [
        f"the quick settings are made for small tasks, and this one shows {found}: "
        "--preset published takes those for larger ones."
    ]


def _starvation(config: Config) -> list[str]:
    replay, train = config.replay, config.train
    if not replay.fresh or not train.ratio > 0:
        return []
    share = fresh_share(
        batch=train.batch, length=train.length, ratio=train.ratio, streams=config.env.num
    )
    if share < replay.fresh:
        return []
    what = "nothing else is ever drawn" if replay.fresh == 1.0 else "the rest of them wait"
    return [
        f"windows with new rows need {share:.0%} of the draws at train.ratio {train.ratio:g} with "
        f"{config.env.num} environments, and replay.fresh caps them at {replay.fresh:.0%}: {what}. "
        "A larger train.ratio or fewer environments leave room for both."
    ]


def _curious(config: Config) -> list[str]:
    signal, ratio = config.replay.signal, config.train.ratio
    if not isinstance(signal, Curious):
        return []
    if signal.visit_scale < 1e3 or not 0 < ratio < 4 * SHORT_LIVED:
        return []
    return [
        f"a row is trained on about {ratio:g} times, and for about {SHORT_LIVED} of them the count "
        "term of Curious Replay outweighs its loss term: lower replay.signal.visit_scale or "
        "visit_decay to see the loss."
    ]


def fresh_share(*, batch: int, length: int, ratio: float, streams: int) -> float:
    """Share of all draws that windows with an unseen row take if they always go first.

        f = min(1, E · H(m) / B) for m ≥ 1,  min(1, T / R) for m ≤ 1,   m = B T / (R E)

    m rows arrive in every stream between two updates; clearing them takes H(m) draws (harmonic
    number) from among the windows that end with one of them. At f = 1 nothing else is ever drawn.

    Args:
        batch: sequences B an update.
        length: trained rows T of a sequence.
        ratio: train ratio R, replayed rows per environment step, above 0.
        streams: environments E.

    Source: replay-sampling.md §3.1, measured there.
    """
    new = batch * length / (ratio * streams)
    if new <= 1:
        return min(1.0, length / ratio)
    return min(1.0, streams * harmonic(new) / batch)


def harmonic(number: float) -> float:
    """1 + 1/2 + … + 1/n, linear between whole numbers."""
    whole = int(number)
    total = sum(1.0 / k for k in range(1, whole + 1))
    return total + (number - whole) / (whole + 1)
