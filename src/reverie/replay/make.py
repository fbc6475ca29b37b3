"""From the configuration to the draw: the one place where its kinds are told apart."""

import functools as ft
from collections.abc import Callable
from typing import assert_never

import numpy as np
from jaxtyping import Float

from reverie.replay import ages, episodes
from reverie.replay.by_age import ByAge
from reverie.replay.draw import AbstractDraw, Uniform
from reverie.replay.mixture import Mixture
from reverie.replay.options import ReplayConfig
from reverie.replay.pairs import DrawKind, members_of
from reverie.replay.proportional import Proportional
from reverie.replay.rank import Rank
from reverie.replay.softmax import Softmax


def make_draw(config: ReplayConfig, length: int) -> AbstractDraw:
    """The draw that `config` describes, for sequences of `length` rows."""
    members = [member for member in members_of(config) if member[1] > 0]
    shares = [share for _, share in members]
    if config.over == "units":
        laws = [_unit_law(kind, config) for kind, _ in members]
        law = laws[0] if len(laws) == 1 else episodes.mixed(laws, shares)
        rule = episodes.PieceRule(max(1, config.minlen), length, config.ends)
        return episodes.Episodes(law, rule, join=config.join)
    draws = [_draw(kind, config) for kind, _ in members]
    whole_batch = config.mix_by == "batch"
    draw = draws[0] if len(draws) == 1 else Mixture(draws, shares, whole_batch=whole_batch)
    if config.keep != "split":
        return draw
    halves = [config.split_draw, 1.0 - config.split_draw]
    return Mixture([draw, draw], halves, parts=[0, 1], whole_batch=whole_batch)


def _draw(kind: DrawKind, config: ReplayConfig) -> AbstractDraw:
    match kind:
        case "uniform":
            return Uniform()
        case "proportional":
            return Proportional(stratified=config.stratified)
        case "rank":
            return Rank(config.rank_exponent)
        case "softmax":
            return Softmax(temperature=config.temperature, scale=config.scale)
        case "recency" | "triangular" | "time_balanced":
            return ByAge(_law(kind, config), _share(kind, config))
        case _:
            assert_never(kind)


def _law(kind: str, config: ReplayConfig) -> Callable[[ages.Uniforms, int], ages.Ordinals]:
    match kind:
        case "recency":
            return ft.partial(ages.recent, exponent=config.age_exponent)
        case "triangular":
            return ages.triangular
        case _:
            return ft.partial(ages.balanced, strength=config.balance)


def _share(kind: str, config: ReplayConfig) -> Callable[[int], Float[np.ndarray, " N"]]:
    match kind:
        case "recency":
            return ft.partial(ages.recent_share, exponent=config.age_exponent)
        case "triangular":
            return ages.triangular_share
        case _:
            return ft.partial(ages.balanced_share, strength=config.balance)


def _unit_law(kind: str, config: ReplayConfig) -> episodes.UnitLaw:
    match kind:
        case "uniform":
            return episodes.uniform
        case "softmax":
            return episodes.by_return(config.temperature * config.scale)
        case _:
            return episodes.by_ordinal(_share(kind, config))
