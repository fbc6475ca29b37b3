"""What a run should be told about its options before the first step."""

from reverie.config.schema import Config
from reverie.replay.starvation import fresh_share

SHORT_LIVED = 21
"""Visits after which Curious Replay's count term falls below a usual loss term."""


def replay_advice(config: Config) -> list[str]:
    """Sentences about options that do not suit this train ratio or number of environments."""
    return [*_starvation(config), *_curious(config)]


def sequence_advice(config: Config) -> list[str]:
    """A sentence where a sequence of tasks will have none of its metrics."""
    if not config.sequence.tasks or config.train.eval_episodes:
        return []
    return [
        "train.eval_episodes is 0: no task is evaluated, so the report will know neither "
        "performance nor forgetting nor transfer."
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
    score, ratio = config.replay.score, config.train.ratio
    if score.signal != "curious" or score.visit_scale < 1e3 or not 0 < ratio < 4 * SHORT_LIVED:
        return []
    return [
        f"a row is trained on about {ratio:g} times, and for about {SHORT_LIVED} of them the count "
        "term of Curious Replay outweighs its loss term: lower replay.score.visit_scale or "
        "visit_decay to see the loss."
    ]
