"""Choices that would not do what their names say are refused: what is missing, and the remedy."""

import pytest

from reverie.config.presets import resolve
from reverie.part.edits import apply
from reverie.part.errors import ConfigError
from reverie.replay.options import ReplayConfig

EPISODES = {"unit": "episode", "draw": "episodes"}
SPLIT = {"unit": "episode", "keep": "split", "draw": "stores"}
SCORED = {"draw": "proportional", "signal": "kl"}


def refused(edits, message):
    with pytest.raises(ConfigError, match=message):
        apply(ReplayConfig(), edits)


@pytest.mark.parametrize("draw", ["proportional", "rank", "softmax"])
def test_a_draw_by_scores_needs_a_signal(draw):
    edits = {"draw": draw} | ({"draw.scale": 1.0} if draw == "softmax" else {})
    for signal in ("none", "return"):
        refused(
            {**edits, "signal": signal},
            f"replay.draw '{draw}' needs scores of steps, which nothing chosen here offers: add "
            "--replay.signal kl, or choose another replay.draw",
        )
    refused({**edits, "signal": "return", "unit": "episode"}, "add --replay.signal kl")
    mixed = {"draw": "mixture", "draw.first": draw}
    mixed |= {f"draw.first.{k.partition('.')[2]}": v for k, v in edits.items() if k != "draw"}
    refused(mixed, f"replay.draw.first '{draw}' needs scores of steps")
    assert apply(ReplayConfig(), {**edits, "signal": "kl"})
    assert apply(ReplayConfig(), {**mixed, "signal": "kl"})


@pytest.mark.parametrize("signal", ["none", "return"])
def test_surprise_needs_scores_of_steps(signal):
    keep = {"unit": "splice", "keep": "top_surprise", "signal": signal}
    refused(keep, "replay.keep 'top_surprise' needs scores of steps.* add --replay.signal kl")
    keep = {**SPLIT, "keep.other": "top_surprise", "signal": signal}
    refused(keep, "replay.keep.other 'top_surprise' needs scores of steps")


@pytest.mark.parametrize("signal", ["kl", "td", "visits", "curious", "return"])
def test_a_signal_that_nothing_reads_is_refused(signal):
    for more in ({}, {"draw": "recency"}, EPISODES, SPLIT):
        message = f"replay.signal '{signal}' is computed and nothing reads it"
        refused({**more, "signal": signal}, f"{message}.*or --replay.signal none")


def test_returns_are_read_by_a_law_of_units_alone():
    law = {**EPISODES, "draw.law": "returns", "draw.law.scale": 1.0}
    refused(law, "replay.draw.law 'returns' needs the returns of episodes.*--replay.signal return")
    refused({**law, "signal": "kl"}, "needs the returns of episodes")
    mixed = {**EPISODES, "draw.law": "mixture", "draw.law.first": "returns"}
    refused({**mixed, "draw.law.first.scale": 1.0}, "replay.draw.law.first 'returns' needs")
    assert apply(ReplayConfig(), {**law, "signal": "return"})


def test_a_softmax_needs_its_scale():
    message = r"'softmax' needs replay.draw.scale: set it to the size of a usual difference"
    refused({"draw": "softmax", "signal": "kl"}, message)
    inside = {"draw": "mixture", "draw.first": "softmax", "signal": "kl"}
    refused(inside, message)
    law = {**EPISODES, "draw.law": "returns", "signal": "return"}
    refused(law, r"'returns' needs replay.draw.law.scale: set it")
    refused({"draw": "softmax", "draw.temperature": 0.0}, "temperature must be greater than 0")


def test_units_are_needed_where_units_are_chosen_or_removed():
    what = "needs units that come and go as a whole.*add --replay.unit episode"
    refused({"draw": "episodes"}, f"replay.draw 'episodes' {what}")
    for keep in ("reservoir", "random_replace", "coverage", "top_return"):
        refused({"keep": keep}, f"replay.keep '{keep}' {what}")
    refused({"keep": "split", "draw": "stores"}, f"replay.keep 'split' {what}")


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({"unit.ongoing": True}, "replay|unit is 'row', which has no option 'ongoing'"),
        ({"unit.minlen": 3}, "unit is 'row', which has no option 'minlen'"),
        ({"unit": "splice", "unit.minlen": 3}, "'unit.minlen'|no option 'minlen'"),
        ({"unit": "chunk", "unit.rows": 9, "unit.minlen": 9}, "would drop every chunk of"),
        ({"unit": "episode", "unit.page": 0}, r"replay.unit.page must be at least 1, found 0"),
        ({"unit": "splice", "unit.rows": 0}, r"replay.unit.rows must be at least 1"),
        ({**SPLIT, "keep.share": 1.0}, r"replay.keep.share must be in \(0, 1\), found 1"),
        ({**SPLIT, "keep.other": "fifo"}, "must be another rule than that of the first store"),
        ({**SPLIT, "keep.other": "split"}, "and fill its store alone, found Split"),
        ({"draw.join": True}, "'draw.join'|no option 'join'"),
        ({"draw.ends": 5}, "'draw.ends'|no option 'ends'"),
    ],
)
def test_options_that_belong_to_another_choice_or_out_of_range(edits, message):
    refused(edits, message)


def test_a_split_memory_says_what_each_store_gets():
    for draw in ("uniform", "recency", "triangular", "episodes"):
        refused(
            {**SPLIT, "draw": draw}, "replay.keep 'split' keeps two stores.*--replay.draw stores"
        )
    refused({**SPLIT, **SCORED}, "keeps two stores")
    for inner in ("proportional", "rank", "episodes", "stores"):
        message = f"replay.draw.inner '{inner}' has one law for the whole memory"
        refused({**SPLIT, "draw.inner": inner, "signal": "kl"}, message)
    mixed = {**SPLIT, "draw.inner": "mixture", "draw.inner.second": "proportional"}
    refused(mixed, "replay.draw.inner.second 'proportional' has one law")
    refused({"unit": "episode", "draw": "stores"}, "'stores' needs two stores.*--replay.keep split")


def test_fresh_windows_and_pieces_do_not_go_together():
    refused({**EPISODES, "draw.join": True, "fresh": 0.5}, "replay.fresh draws whole windows")
    assert apply(ReplayConfig(), {**EPISODES, "fresh": 0.5})


@pytest.mark.parametrize(
    "edits",
    [
        {"draw": "recency"},
        {"draw": "triangular"},
        {"draw": "time_balanced"},
        {"draw": "rank", "signal": "kl"},
        {"draw": "mixture", "draw.second": "recency"},
        EPISODES,
        SPLIT,
    ],
)
def test_importance_weights_need_probabilities(edits):
    for end in ("begin", "end"):
        message = "replay.importance needs the probability of every window"
        refused({**edits, f"importance.{end}": 0.5}, message)
    assert apply(ReplayConfig(), {"importance.end": 1.0})
    mixture = {"draw": "mixture", "draw.first": "proportional", "signal": "kl"}
    assert apply(ReplayConfig(), {**mixture, "importance.end": 1.0})


def test_options_of_scores_exist_below_a_signal_that_has_them():
    refused({"signal.exponent": 0.5}, "'signal.exponent'|no option 'exponent'")
    refused({"draw": "proportional", "signal": "td", "signal.sweep_every": 5}, "sweep_every")
    refused({**SCORED, "signal.sweep_every": 5, "context": 0}, "set replay.context to 1 or more")
    refused({**SCORED, "signal.exponent": -1}, r"replay.signal.exponent must be at least 0")
    refused({**SCORED, "signal.blend": 2}, r"replay.signal.blend must be in \[0, 1\]")


@pytest.mark.parametrize("signal", ["td", "xp"])
def test_a_run_refuses_scores_of_dreams_that_it_does_not_dream(signal):
    edits = {"replay.draw": "proportional", "replay.signal": signal, "behavior.starts": 3}
    with pytest.raises(ConfigError, match="needs a dream from every trained row, and behavior"):
        resolve("gym:CartPole-v1", overrides=edits)


def test_a_run_refuses_disagreement_without_an_ensemble():
    edits = {"replay.draw": "proportional", "replay.signal": "disagreement"}
    with pytest.raises(ConfigError, match="'disagreement' needs an ensemble: add --explore plan2"):
        resolve("gym:CartPole-v1", overrides=edits)
    assert resolve("gym:CartPole-v1", overrides={**edits, "explore": "plan2explore"})
