"""The metric that a callback watches: which event shows it, and whether it ever comes."""

from reverie.callbacks.events import Start
from reverie.part.errors import ConfigError, suggest
from reverie.watch.metric_names import CATALOGUE, find


def check_metric(metric: str) -> str:
    """`metric`, the name of a number of an evaluation or of a log interval.

    Raises ConfigError for another one.
    """
    if not isinstance(metric, str) or find(metric) is None:
        patterns = [entry.pattern for entry in CATALOGUE]
        raise ConfigError(
            f"there is no metric {metric!r}; {suggest(str(metric), patterns)} "
            "docs/metrics.md lists them."
        )
    if metric.startswith("episode/"):
        raise ConfigError(
            f"{metric} is of a single episode, too noisy to go by: watch eval/return, or a mean of "
            "a log interval."
        )
    return metric


def check_watched(metric: str, start: Start, who: str) -> None:
    """Raises ConfigError where `metric` comes from evaluations and the run makes none on its
    way."""
    train = start.config.train
    if metric.startswith("eval/") and not (train.eval_every and train.eval_episodes):
        how = "makes no evaluations" if not train.eval_episodes else "is evaluated only at its end"
        raise ConfigError(
            f"{who} watches {metric}, and this run {how}: set train.eval_every (overrides="
            '{"train.eval_every": 5_000}) and train.eval_episodes.'
        )
