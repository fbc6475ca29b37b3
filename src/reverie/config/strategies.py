"""Named replay strategies: what `--replay NAME` writes. Data only.

A strategy is a point on the axes of `ReplayConfig`: what is kept (`keep`, `unit`), what is drawn
(`draw`) and by which score (`signal`). Every field it writes can be changed by a flag of its own,
and strategies on different axes can be put together by hand.
Source: replay-sampling.md §5.2, with the names of both published systems.
"""

from reverie.config.preset import Preset, table

_BY_SCORE = {"replay.draw": "proportional", "replay.signal": "kl"}

_EPISODES = {"replay.unit": "episode", "replay.draw": "episodes", "replay.online": False}

STRATEGIES = table(
    Preset(
        "uniform",
        "Every window alike, each row once through the online queue before (the official V3).",
        {"replay.draw": "uniform"},
    ),
    Preset(
        "recency",
        "Newer windows more often, by age^-0.5. The published exponent is 1 "
        "(--replay.draw.exponent 1): there the newest 1 % gets 71 % of the draws.",
        {"replay.draw": "recency", "replay.draw.exponent": 0.5},
    ),
    Preset(
        "uncertainty",
        "Windows by the surprise of their latents (KL before the free nats, power 0.8, half "
        "largest and half mean step); rows not seen yet get mean and one deviation.",
        _BY_SCORE,
    ),
    Preset(
        "uncertainty_inf",
        "uncertainty, and windows with rows never drawn first, for at most half of a batch "
        "(--replay.fresh; published without a cap, which starves everything else).",
        {**_BY_SCORE, "replay.fresh": 0.5, "replay.online": False},
    ),
    Preset(
        "uncertainty_caching",
        "uncertainty whose scores a sweep brings up to date every 2000 updates with the current "
        "model, window means (the published code scored with an untrained network).",
        {
            **_BY_SCORE,
            "replay.signal.aggregate": "mean",
            "replay.signal.exponent": 1.0,
            "replay.signal.sweep_every": 2000,
        },
    ),
    Preset(
        "priority",
        "Windows by the KL losses after the free nats (dyn + rep is twice the score).",
        {"replay.draw": "proportional", "replay.signal": "kl_clipped"},
    ),
    Preset(
        "curious",
        "Curious Replay: rarely trained rows and those with a large model loss; a window counts "
        "by its last row. The count term outlives 21 visits: at a low train.ratio lower "
        "--replay.signal.visit_scale.",
        {
            "replay.draw": "proportional",
            "replay.signal": "curious",
            "replay.signal.exponent": 1.0,
            "replay.signal.aggregate": "anchor",
            "replay.signal.anchor": -1,
            "replay.signal.initial": "constant",
            "replay.signal.initial_value": 1e5,
        },
    ),
    Preset(
        "xp",
        "DreamerV3-XP: imagined return, value error and reconstruction.",
        {
            "replay.draw": "proportional",
            "replay.signal": "xp",
            "replay.signal.initial": "constant",
            "replay.signal.initial_value": 1.0,
        },
    ),
    Preset(
        "per",
        "Prioritised experience replay: the critic's error, power 0.6, stratified draws, new rows "
        "at the largest score, importance weights from 0.4 to 1 over 100k updates.",
        {
            "replay.draw": "proportional",
            "replay.draw.stratified": True,
            "replay.signal": "td",
            "replay.signal.exponent": 0.6,
            "replay.signal.initial": "max",
            "replay.importance.begin": 0.4,
            "replay.importance.end": 1.0,
        },
    ),
    Preset(
        "reservoir",
        "Every episode of the run is kept with the same probability; uniform over windows.",
        {"replay.keep": "reservoir", "replay.unit": "episode"},
    ),
    Preset(
        "random_replace",
        "A new episode takes the place of a random one: what Continual-Dreamer's code does under "
        "the name of a reservoir. Old tasks fade exponentially.",
        {"replay.keep": "random_replace", "replay.unit": "episode"},
    ),
    Preset(
        "fifty_fifty",
        "Continual-Dreamer's 50:50: half of the episodes uniformly, half by a density that grows "
        "linearly with their number; kept by random_replace.",
        {
            **_EPISODES,
            "replay.keep": "random_replace",
            "replay.draw.law": "mixture",
            "replay.draw.law.first": "triangular",
            "replay.draw.law.second": "uniform",
            "replay.draw.law.share": 0.5,
        },
    ),
    Preset(
        "coverage",
        "Episodes that look unlike the others stay; uniform over windows.",
        {"replay.keep": "coverage", "replay.unit": "episode"},
    ),
    Preset(
        "reward",
        "Continual-Dreamer's reward sampling: episodes by the softmax of their return, "
        "temperature 1 (--replay.draw.law.scale says what difference of returns counts as 1).",
        {
            **_EPISODES,
            "replay.draw.law": "returns",
            "replay.draw.law.scale": 1.0,
            "replay.signal": "return",
        },
    ),
    Preset(
        "wmar",
        "WMAR: half of the memory newest first, half a reservoir, of splices of 512 rows; each "
        "batch from one of them by a fair coin.",
        {
            "replay.keep": "split",
            "replay.unit": "splice",
            "replay.unit.rows": 512,
            "replay.keep.share": 0.5,
            "replay.keep.other": "reservoir",
            "replay.draw": "stores",
            "replay.draw.inner": "uniform",
            "replay.draw.share": 0.5,
            "replay.draw.by": "batch",
            "replay.online": False,
        },
    ),
    Preset(
        "dreamerv2",
        "DreamerV2's own: episodes uniformly, sequences of pieces, ends 50 rows more likely.",
        {
            **_EPISODES,
            "replay.draw.law": "uniform",
            "replay.draw.join": True,
            "replay.draw.ends": 50,
        },
    ),
)
