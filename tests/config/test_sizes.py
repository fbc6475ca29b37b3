"""Size presets against the official table, and against its parameter counts."""

import itertools
import typing

import pytest

from reverie.config.agents import AGENTS
from reverie.config.edit import apply, diff, flat, get
from reverie.config.families import AUTO, FAMILIES
from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.config.sizes import ALL_SIZES, SIZES, auto_size, size_edits, size_fields, with_size
from reverie.part.errors import ConfigError

# deter, hidden, classes, units, depth: the table of the specification, section 1.8
TABLE = {
    "1m": (512, 64, 4, 64, 4),
    "12m": (2048, 256, 16, 256, 16),
    "25m": (3072, 384, 24, 384, 24),
    "50m": (4096, 512, 32, 512, 32),
    "100m": (6144, 768, 48, 768, 48),
    "200m": (8192, 1024, 64, 1024, 64),
    "400m": (12288, 1536, 96, 1536, 96),
    "debug": (8, 3, 4, 8, 2),
}
# Trainable parameters on walker: 24 inputs, 6 continuous actions (same section).
WALKER = {
    "1m": 640_867,
    "12m": 9_738_019,
    "25m": 21_782_947,
    "50m": 38_612_003,
    "100m": 86_622_499,
    "200m": 153_769_507,
    "400m": 345_473_059,
    "debug": 1_774,
}


def dense(rows: int, columns: int, norm: bool = True) -> int:
    return rows * columns + columns * (2 if norm else 1)


def stack(rows: int, units: int, layers: int) -> int:
    return dense(rows, units) + (layers - 1) * dense(units, units)


def count(config: Config, inputs: int = 24, actions: int = 6) -> int:
    """Parameters by hand from the widths alone, as section 1 describes the networks."""
    rssm, blocks = config.world.dynamics, config.world.dynamics.core.blocks
    latent = rssm.stoch * rssm.latent.classes
    feature = rssm.deter + latent
    width = rssm.deter // blocks
    total = stack(inputs, config.world.encoder.units, config.world.encoder.layers)
    total += sum(dense(rows, rssm.hidden) for rows in (rssm.deter, latent, actions))
    total += rssm.deter * (width + 3 * rssm.hidden) + 2 * rssm.deter  # block layer, norm
    total += 3 * rssm.deter * width + 3 * rssm.deter  # gates
    total += stack(rssm.deter + config.world.encoder.units, rssm.hidden, rssm.post_layers)
    total += stack(rssm.deter, rssm.hidden, rssm.prior_layers)
    total += 2 * dense(rssm.hidden, latent, norm=False)
    total += stack(feature, config.world.objective.units, config.world.objective.layers)
    total += dense(config.world.objective.units, inputs, norm=False)
    world, behavior = config.world, config.behavior
    outputs = [(world.reward, world.reward.bins), (world.cont, 1)]
    outputs += [(behavior.critic, behavior.critic.bins), (behavior.actor, 2 * actions)]
    for head, out in outputs:
        total += stack(feature, head.units, head.layers) + dense(head.units, out, norm=False)
    return total


@pytest.mark.parametrize("name", TABLE)
def test_the_table_is_the_official_one(name):
    config = apply(Config(), size_edits(name))
    rssm = config.world.dynamics
    assert (rssm.deter, rssm.hidden, rssm.latent.classes) == TABLE[name][:3]
    parts = (config.world.encoder, config.world.objective, config.world.reward, config.world.cont)
    parts += (config.behavior.actor, config.behavior.critic)
    assert {part.units for part in parts} == {TABLE[name][3]}
    assert (config.world.encoder.depth, config.world.objective.depth) == (TABLE[name][4],) * 2
    assert config.world.encoder.mults == (2, 3, 4, 4)
    assert config.world.objective.blocks == 8
    assert (rssm.stoch, rssm.core.blocks) == ((2, 4) if name == "debug" else (32, 8))
    assert config.size == name


@pytest.mark.parametrize("name", WALKER)
def test_the_widths_give_the_published_parameter_count(name):
    assert count(apply(Config(), size_edits(name))) == WALKER[name]


def test_the_names_of_schema_and_table_agree():
    names = typing.get_args(typing.get_type_hints(Config)["size"])
    assert set(names) == {"auto", *ALL_SIZES}
    assert set(FAMILIES) == set(AUTO) == set(AGENTS)
    assert set(typing.get_args(typing.get_type_hints(Config)["agent"])) == set(AGENTS)
    for agent, sizes in AUTO.items():
        assert set(sizes) <= set(FAMILIES[agent])


def test_sizes_grow_in_the_order_of_the_table():
    counts = [count(apply(Config(), size_edits(name))) for name in SIZES]
    assert all(a < b for a, b in itertools.pairwise(counts))


def test_unknown_size_names_the_nearest():
    with pytest.raises(ConfigError, match="there is no size '12'; the sizes are auto, debug"):
        size_edits("12")


def test_sizes_of_other_agents():
    """arXiv:2301.04104v1, Table B.1 (with XS as ported), and the blocks of DreamerV2."""
    table = {"xs": (256, 24, 256, 1), "s": (512, 32, 512, 2), "m": (1024, 48, 640, 3)}
    table |= {"l": (2048, 64, 768, 4), "xl": (4096, 96, 1024, 5)}
    for name, row in table.items():
        config = resolve("gym:X-v0", agent="v3-2023", size=name)
        assert (config.world.dynamics.deter, config.world.encoder.depth) == row[:2]
        parts = (
            config.world.encoder,
            config.world.objective,
            config.world.reward,
            config.world.cont,
        )
        for part in (*parts, config.behavior.actor, config.behavior.critic):
            assert (part.units, part.layers) == row[2:]
        assert (config.world.dynamics.stoch, config.world.dynamics.latent.classes) == (32, 32)
    for name, width in {"w200": 200, "w600": 600, "w1024": 1024}.items():
        config = resolve("gym:X-v0", agent="v2", size=name)
        assert (
            config.world.dynamics.deter,
            config.world.dynamics.hidden,
            config.world.encoder.depth,
        ) == (width, width, 48)
        assert (config.behavior.actor.layers, config.behavior.actor.units) == (4, 400)


@pytest.mark.parametrize("agent", FAMILIES)
def test_auto_follows_the_agent(agent):
    for pictures in (False, True):
        config = resolve("gym:X-v0", agent=agent, preset="published", pictures=pictures)
        assert config.size == AUTO[agent][pictures] == auto_size(pictures, agent)
    assert resolve("probe_memory", agent=agent).size == "tiny"
    assert resolve("gym:X-v0", agent=agent, preset="debug").size == "debug"
    assert resolve("dmc_walker_walk", agent=agent, preset="dmc_vision_newest").size == "auto"


def test_a_size_of_another_agent_is_refused():
    with pytest.raises(ConfigError, match="'xl' belongs to agent v3-2023; those of v2 are auto"):
        resolve("gym:X-v0", agent="v2", size="xl")
    with pytest.raises(ConfigError, match=r"no size 'w102'.*Did you mean 'w1024'"):
        resolve("gym:X-v0", agent="v2", size="w102")
    with pytest.raises(ConfigError, match="size '1m' is none of agent 'v2'; its sizes are auto"):
        apply(resolve("gym:X-v0", agent="v2"), {"size": "1m", "pinned": ()})


def test_auto_is_never_the_largest_model():
    assert (auto_size(pictures=False), auto_size(pictures=True)) == ("1m", "12m")


def test_every_size_writes_the_same_fields():
    assert {frozenset(size_edits(name)) for name in SIZES} == {size_fields() | {"size"}}


def test_with_size_keeps_pinned_fields_even_at_their_default():
    default = Config().world.dynamics.deter
    config = apply(Config(), {"world.dynamics.deter": default, "pinned": ["world.dynamics.deter"]})
    sized = with_size(config, pictures=False)
    assert (sized.size, sized.world.dynamics.deter, sized.world.dynamics.hidden) == (
        "1m",
        default,
        64,
    )
    assert sized.pinned == ()


def test_with_size_leaves_a_chosen_size():
    config = apply(Config(), size_edits("25m"))
    assert with_size(config, pictures=False) is config


def test_the_schema_defaults_are_the_12m_model():
    twelve = apply(Config(), size_edits("12m"))
    assert diff(Config(), twelve) == {"size": ("auto", "12m")}
    assert get(twelve, "world.dynamics.deter") == flat(Config())["world.dynamics.deter"]
