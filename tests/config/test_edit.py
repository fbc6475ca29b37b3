"""Dotted edits: what they accept, what they refuse, and what they say."""

import dataclasses
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.config.edit import (
    apply,
    diff,
    field_docs,
    field_types,
    flat,
    from_json,
    get,
    override,
    to_json,
)
from reverie.config.schema import Config
from reverie.part.errors import ConfigError


@pytest.mark.parametrize(
    ("path", "value", "stored"),
    [
        ("optim.lr", 1, 1.0),
        ("optim.lr", "3e-4", 3e-4),
        ("steps", "1e5", 100_000),
        ("steps", 2.0, 2),
        ("steps", "10_000", 10_000),
        ("steps", "9007199254740993", 9_007_199_254_740_993),
        ("world.encoder.mults", [1, 2], (1, 2)),
        ("world.encoder.mults", "1, 2,3", (1, 2, 3)),
        ("env.exclude", "a b", ("a", "b")),
        ("env.gray", "true", True),
        ("env.observe", "vision", "vision"),
    ],
)
def test_override_stores_the_declared_type(path, value, stored):
    found = get(override(Config(), path, value), path)
    assert found == stored
    assert type(found) is type(stored)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("world.dynamics.detr", 1, "in 'world.dynamics'; did you mean 'deter'?"),
        ("rsm.deter", 1, "did you mean 'world.dynamics.deter'?"),
        ("deter", 1, "did you mean 'world.dynamics.deter'?"),
        (
            "world.dynamics",
            1,
            "world.dynamics takes a part",
        ),
        ("qqq", 1, "the groups are behavior, device, env"),
        ("steps", 1.5, "steps takes an integer .* found 1.5"),
        ("steps", True, "steps takes an integer, found True"),
        ("steps", "many", "steps takes an integer, found 'many'"),
        ("optim.lr", "nan", "optim.lr takes a number that is finite, found nan"),
        ("env.gray", 1, "env.gray takes true or false, found 1"),
        ("env.observe", "visual", "one of proprio, vision, both; found 'visual'"),
        ("env.observe", "propio", "did you mean 'proprio'"),
        ("world.encoder.mults", [1.5], r"world.encoder.mults\[0\] takes an integer"),
        ("world.encoder.mults", 4, "world.encoder.mults takes a list of int, found 4"),
        ("logdir", 4, "logdir takes a text, found 4"),
        (
            "world.dynamics.deter",
            255,
            r"deter must be a multiple of world.dynamics.core.blocks \(8\), found 255",
        ),
        (
            "world.objective.blocks",
            3,
            r"world.dynamics.deter \(2048\) must be a multiple of world.objective.blocks \(3\)",
        ),
        (
            "behavior.actor.minstd",
            1.0,
            r"behavior.actor.minstd must be less than behavior.actor.maxstd \(1\), found 1.0",
        ),
        ("behavior.horizon", 1, "behavior.horizon must be greater than 1, found 1.0"),
        ("behavior.scale.low", 96, "low must be less than behavior.scale.high"),
        ("behavior.starts", 65, r"behavior.starts \(65\) must be at most train.length \(64\)"),
        ("behavior.starts", 1, "behavior.starts must be 0 or at least 2 while .*, found 1"),
        ("optim.schedule.until", 10, "optim.schedule is 'const', which has no option 'until'"),
        ("train.ratio", -1, "train.ratio must be at least 0"),
        ("train.length", 1, "train.length must be at least 2"),
        ("train.batch", 0, "train.batch must be at least 1"),
        ("replay.capacity", 1087, r"replay.capacity \(1087 rows\) must be at least 1088"),
        (
            "world.dynamics.latent.unimix",
            1.0,
            r"world.dynamics.latent.unimix must be in \[0, 1\), found 1.0",
        ),
        ("world.dynamics.latent.classes", 300, "world.dynamics.latent.classes must be at most 256"),
        ("env.kwargs", "[1]", "env.kwargs must be a JSON object"),
        ("size", "13m", "size takes one of auto, debug"),
        ("seed", -1, "seed must be at least 0, found -1"),
        ("world.objective.weight", -1, "world.objective.weight must be at least 0, found -1"),
        ("world.reward.weight", -1, "world.reward.weight must be at least 0, found -1"),
        ("world.cont.weight", -1, "world.cont.weight must be at least 0, found -1"),
        ("world.dynamics.dyn", -1, "world.dynamics.dyn must be at least 0, found -1"),
        ("world.dynamics.rep", -1, "world.dynamics.rep must be at least 0, found -1"),
        ("behavior.actor.weight", -1, "behavior.actor.weight must be at least 0, found -1"),
        ("behavior.critic.weight", -1, "behavior.critic.weight must be at least 0, found -1"),
        ("behavior.critic.replay_weight", -1, "replay_weight must be at least 0, found -1"),
    ],
)
def test_override_refuses_in_one_sentence(path, value, message):
    with pytest.raises(ConfigError, match=message):
        override(Config(), path, value)


def test_construction_checks_types_too():
    with pytest.raises(ConfigError, match="steps takes an integer"):
        Config(steps=0.5)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="world must be a WorldConfig, found"):
        Config(world={"dynamics": 8})  # type: ignore[arg-type]


def test_fields_that_depend_on_each_other_change_together():
    edits = {
        "optim.schedule": "cosine",
        "optim.schedule.until": 5000,
        "world.dynamics.core.blocks": 5,
        "world.dynamics.deter": 40,
    }
    config = apply(Config(), edits)
    assert {path: get(config, path) for path in edits} == edits
    assert diff(Config(), config).keys() == edits.keys() - {"optim.schedule.until"}


def test_override_leaves_the_original_alone():
    config = Config()
    override(config, "world.dynamics.deter", 64)
    assert config == Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.steps = 1  # type: ignore[misc]


def test_a_config_is_hashable_and_equal_by_value():
    assert hash(override(Config(), "seed", 3)) == hash(override(Config(), "seed", "3"))
    assert len({Config(), Config(), override(Config(), "seed", 3)}) == 2


@settings(max_examples=30, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "world.dynamics.deter": st.integers(1, 64).map(lambda n: 8 * n),
            "optim.lr": st.floats(1e-8, 1.0),
            "env.exclude": st.lists(st.text(max_size=5), max_size=3).map(tuple),
            "env.gray": st.booleans(),
            "task": st.text(min_size=1).filter(str.strip),
            "env.lives": st.sampled_from(["unused", "discount", "reset"]),
        },
    )
)
def test_json_gives_the_equal_config_back(edits):
    import json

    config = apply(Config(), edits)
    assert from_json(json.loads(json.dumps(to_json(config)))) == config


def test_a_stale_key_fails_by_name():
    tree = to_json(Config())
    tree["world"]["dynamics"]["deterministic"] = 3
    with pytest.raises(ConfigError, match=r"in 'world\.dynamics'; did you mean 'deter'"):
        from_json(tree)
    with pytest.raises(ConfigError, match="JSON object, found list"):
        from_json([])  # type: ignore[arg-type]


def test_a_weight_that_has_moved_is_read_where_it_stood():
    config = apply(Config(), {"world.beside_pictures": 10.0, "world.objective.weight": 2.0})
    tree = to_json(config)
    tree["world"]["objective"]["beside_pictures"] = tree["world"].pop("beside_pictures")
    assert from_json(tree) == config


def test_every_field_says_what_it_means():
    assert set(field_docs()) == set(field_types()) >= set(flat(Config()))
    assert [path for path, doc in field_docs().items() if len(doc) < 5] == []
    assert field_docs()["seed"].startswith("Root of all randomness")


def test_the_tree_stays_readable():
    """Options of a part inside a part of the same kind are those of the part itself."""
    inside = re.compile(r"\.(first|second|inner|other)\b")
    assert len({inside.sub("", path) for path in field_types()}) <= 300
    assert len(flat(Config())) <= 207
