"""Settings that may help a run, as the options that its method has."""

import shlex

from reverie.part.schedule import Scheduled, scaled
from reverie.report.read import Run


def entropy(run: Run, factor: float) -> str:
    """`factor` times the weight of the entropy, a number or a schedule."""
    weight = run.config.get("behavior.actor.entropy")
    if weight and not str(weight).startswith("horizon"):
        return f"--behavior.actor.entropy {shlex.quote(told(scaled(weight, factor)))}"
    return f"a {'larger' if factor > 1 else 'smaller'} --behavior.actor.entropy"


def told(value: Scheduled) -> str:
    """A number or a schedule in short."""
    return value if isinstance(value, str) else f"{value:g}"


def rate(run: Run, group: str, word: str) -> str:
    """A `word` (lower, larger) learning rate of a group of parameters, or of all together where
    the optimiser has one rate."""
    own = f"optim.{group}.lr"
    name = own if own in run.config else "optim.lr"
    return f"a {word} --{name} than {run.config.get(name)}"


def ratio(run: Run, word: str = "larger") -> str:
    """More updates a step, or fewer (smaller)."""
    return f"a {word} --train.ratio than {run.config.get('train.ratio')}"


def memory(run: Run) -> str:
    """A smaller state of the world model."""
    return f"a smaller --world.dynamics.deter than {run.config.get('world.dynamics.deter')}"


def seeking(run: Run) -> str:
    """An explorer, or more of it where the run has one."""
    if run.config.get("explore", "none") == "none":
        return "--explore plan2explore"
    return "more --steps for its explorer"


def longer(run: Run) -> str:
    """Actions that are repeated more often."""
    now = int(run.config.get("env.repeat", 1))
    return f"--env.repeat {4 if now < 4 else 2 * now}, which takes longer ways at random"


def smaller_unit(run: Run, size: float) -> str:
    """Rewards in units in which what is of `size` now is 1."""
    divisor = size * float(run.config.get("world.reward.divisor", 1))
    return f"--world.reward.divisor {float(f'{divisor:.1g}'):g}"
