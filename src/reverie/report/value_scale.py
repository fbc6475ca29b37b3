"""Whether the values of a run's critic are of the size that its rewards allow."""

from collections.abc import Iterator

import numpy as np

from reverie.part.schedule import extremes
from reverie.report import remedies
from reverie.report.read import Run

BEYOND = 3.0
"""Times the largest return that a critic's mean may reach: the bound is rough where rewards of both
signs cancel in the returns."""
APART = 0.5
"""Share of the imagined returns by which a critic's mean may miss them."""
BEGUN = 400
"""Updates after the warm-up from which a critic is judged: those of runs that learn were within a
fifth of their returns by then."""
LOUD = 10
"""Times the weight of the entropy that advantages should be."""
SMALL = 1.0
"""Values below which nothing is said: the smallest divisor of advantages, and what a plain critic
says before it has learned."""


def value_scale(run: Run) -> Iterator[str]:
    """A sentence where values run away from the rewards, or do not follow them."""
    value, target = run.last("train/val"), run.last("train/tar")
    size, most = max(abs(value), abs(target)), largest_return(run)
    begun = BEGUN + run.config.get("optim.warmup", 0)
    if size <= SMALL or run.last("train/updates") < begun:
        return
    if abs(value) > BEYOND * max(most, SMALL):
        yield (
            f"the critic expects returns of magnitude {abs(value):.3g}, and the episodes allow "
            f"{most:.3g} at most: its values feed on themselves. Try "
            f"{remedies.rate(run, 'critic', 'lower')}, or a shorter --behavior.horizon than "
            f"{run.config.get('behavior.horizon')}."
        )
    elif abs(target - value) > APART * size:
        yield (
            f"the critic says {value:.3g} of dreams that bring {target:.3g}: it does not follow "
            "the size of the returns, and advantages are wrong by as much. Try "
            f"{_following(run, size)}."
        )


def largest_return(run: Run) -> float:
    """The largest magnitude of a discounted return that the episodes of `run` allow, in the units
    that are learned from; infinity where these are not known.

        max over episodes of |R| · max(1, h / L)

    An episode of L steps is at least worth its return R to the first of them; where a limit cuts
    it, its rate R / L goes on over the discount horizon h.
    """
    config, horizon = run.config, run.config.get("behavior.horizon")
    added = config.get("bonus", "none") != "none" or config.get("explore", "none") != "none"
    returns, lengths = (run.get(f"episode/{name}").value for name in ("return", "length"))
    if horizon is None or added or config.get("behavior.reward_momentum", 1.0) < 1:
        return np.inf
    if len(returns) != len(lengths):
        return np.inf
    if config.get("world.reward.transform", "identity") != "identity":
        return horizon  # no step is worth more than 1
    found = np.abs(returns) * np.maximum(1.0, horizon / np.maximum(lengths, 1))
    return float(found.max(initial=0.0)) / float(config.get("world.reward.divisor", 1.0))


def small_advantages(run: Run) -> str:
    """What is seen, and settings, where no advantage can outweigh the bonus for entropy; else ''.

    With a bonus w a nat the best policy is softmax(A / w) of the advantages A: by chance where they
    are smaller than w.
    """
    given, size = run.config.get("behavior.actor.entropy", 0.0), run.last("train/adv_mag")
    weight = min(extremes(given, "behavior.actor.entropy"))
    if not 0 < size < weight:
        return ""
    bonus = remedies.told(given)
    return (
        f"advantages are of magnitude {size:.2g}, and the bonus for entropy weighs {bonus} a nat: "
        f"try {remedies.smaller_unit(run, size / weight / LOUD)}, or "
        f"{remedies.entropy(run, 1 / LOUD)}."
    )


def _following(run: Run, size: float) -> str:
    """What lets a critic follow returns of `size`: a plain one needs them near 1."""
    if run.config.get("behavior.critic.dist") == "gauss":
        return f"{remedies.smaller_unit(run, size)}, or --behavior.critic.dist twohot"
    return f"{remedies.rate(run, 'critic', 'larger')}, or {remedies.ratio(run)}"
