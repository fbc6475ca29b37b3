"""What stands in the way of a run that goes nowhere: what its numbers show, and what may help."""

from collections.abc import Callable, Iterator

import numpy as np

from reverie.report import remedies
from reverie.report.read import Run
from reverie.report.value_scale import small_advantages, value_scale
from reverie.watch.advice import EXPLAINED, SETTLED, unseen_keys

LEAST = 10
"""Training episodes from which a run is judged."""
PARTS = 5
"""The first and the last of so many parts of the episodes are compared."""
CERTAIN, RANDOM = 0.05, 0.95
"""Shares of the largest entropy at which a policy acts always alike, or by chance."""
NARROW = 0.1
"""Range of imagined returns, as a share of the smallest divisor, that an actor hardly sees."""
FORESEEN = 1.5, 1.0
"""How many times, and how many nats, fresh play surprises a model more than a replay that it knows
by heart."""
BEST_IDLE = 0.02
"""Share of its early costs that an agent keeps when it has learned to do nothing."""


def diagnose(run: Run) -> list[str]:
    """Sentences on what the metrics of `run` show to be wrong; none where it learns.

    Each says what is seen and names the settings most likely to help.
    """
    found = [sentence for look in (_idle, _unseen, _by_heart) for sentence in look(run)]
    if goes_nowhere(run):
        found += [sentence for look in _NOWHERE for sentence in look(run)]
    return found


def goes_nowhere(run: Run) -> bool:
    """Whether the returns of the last episodes are no better than those of the first.

    Better is a mean that is higher by more than twice its standard error.
    """
    returns = run.get("episode/return").value
    if len(returns) < LEAST:
        return False
    first, last = _ends(returns)
    error = np.hypot(first.std() / np.sqrt(len(first)), last.std() / np.sqrt(len(last)))
    return bool(last.mean() <= first.mean() + 2 * error)


def _no_reward(run: Run) -> Iterator[str]:
    returns = run.get("episode/return").value
    if not returns.any():
        yield (
            f"no episode of {len(returns):,} brought a reward other than 0: nothing tells the "
            f"agent what is wanted. Try {remedies.seeking(run)}, which looks for what it does not "
            f"know, or {remedies.entropy(run, 10)}, which acts more at random."
        )


def _no_end(run: Run) -> Iterator[str]:
    lengths, returns = (run.get(f"episode/{name}").value for name in ("length", "return"))
    if len(lengths) < LEAST or not returns.any() or lengths.min() < lengths.max():
        return
    if lengths[0] > 1:
        yield (
            f"all {len(lengths):,} episodes ran to their limit of {lengths[0]:,.0f} steps. If the "
            f"task is to reach an end, it was never reached: try {remedies.seeking(run)}, or "
            f"{remedies.longer(run)}."
        )


def _certain(run: Run) -> Iterator[str]:
    for action, share in _last(run, "train/rand/"):
        if share < CERTAIN:
            yield (
                f"the policy has become certain (entropy of {action!r} at {share:.1%} of the "
                f"largest) and the return did not rise: try {remedies.entropy(run, 10)}, or "
                f"{remedies.rate(run, 'actor', 'lower')}."
            )


def _by_chance(run: Run) -> Iterator[str]:
    limit = float(run.config.get("behavior.scale.limit") or 0)
    spread = run.last("train/return_high") - run.last("train/return_low")
    chance = [action for action, share in _last(run, "train/rand/") if share > RANDOM]
    if not chance or run.last("train/updates") < SETTLED:  # too few updates to judge it
        return
    narrow = "train/return_high" in run.series and spread < NARROW * limit
    seen = f"the policy still acts by chance (entropy of {chance[0]!r} near the largest)"
    if narrow:
        yield (
            f"{seen}: imagined returns differ by {spread:.2g}, and advantages are divided by at "
            f"least {limit:g}, so the bonus for entropy outweighs them: try "
            f"--behavior.scale.limit {max(spread, 0.01):.1g}, or {remedies.entropy(run, 0.1)}."
        )
    elif small := small_advantages(run):
        yield f"{seen}: {small}"
    else:
        yield (
            f"{seen}: it has found nothing that it could repeat. More updates a step "
            f"({remedies.ratio(run)}) or {remedies.seeking(run)} may help."
        )


def _few_updates(run: Run) -> Iterator[str]:
    updates = run.get("train/updates").value[-1:]
    if len(updates) and updates[0] < SETTLED:
        yield (
            f"only {updates[0]:,.0f} updates were made, too few to judge a method: go on with more "
            f"--steps, or {remedies.ratio(run)}."
        )


_NOWHERE: tuple[Callable[[Run], Iterator[str]], ...] = (
    _few_updates,
    _no_reward,
    _no_end,
    value_scale,
    _certain,
    _by_chance,
)


def _idle(run: Run) -> Iterator[str]:
    """Costs that went away, and a reward that nobody met: learned to do nothing."""
    returns = run.get("episode/return").value
    if len(returns) < LEAST or returns.max() > 0:
        return
    first, last = _ends(returns)
    if first.mean() < 0 and abs(last.mean()) < BEST_IDLE * abs(first.mean()):
        yield (
            f"the return rose from {first.mean():.3g} to {last.mean():.3g} and was never above 0: "
            "the agent has learned to avoid costs by doing nothing. If there is a reward, it was "
            f"never found: try {remedies.seeking(run)}, or {remedies.longer(run)}."
        )


def _unseen(run: Run) -> Iterator[str]:
    updates = int(run.last("train/updates"))
    shares = {f"{EXPLAINED}{key}": share for key, share in _last(run, EXPLAINED)}
    yield from unseen_keys(shares, updates).values()


def _by_heart(run: Run) -> Iterator[str]:
    """Play that surprises the model far more than what it replays (a KL of each, `heldout.py`)."""
    played, replayed = (run.last(f"model/kl_{rows}") for rows in ("played", "replayed"))
    times, nats = FORESEEN
    if run.last("train/updates") >= SETTLED and played > max(times * replayed, nats + replayed):
        yield (
            f"the model knows its replay by heart: play from which it never learned surprises it "
            f"by {played:.3g} nats a row, its replay by {replayed:.3g}. Fewer updates a step "
            f"({remedies.ratio(run, 'smaller')}) or {remedies.memory(run)} leave it less to learn "
            "by heart."
        )


def _ends(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last fifth of `values`."""
    count = max(1, len(values) // PARTS)
    return values[:count], values[-count:]


def _last(run: Run, prefix: str) -> Iterator[tuple[str, float]]:
    """Last value of every metric that begins with `prefix`, by the rest of its name."""
    for name in sorted(run.series):
        if name.startswith(prefix) and len(values := run.get(name).value):
            yield name.removeprefix(prefix), float(values[-1])
