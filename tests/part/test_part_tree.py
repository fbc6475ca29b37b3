"""Parts as a tree of options: chosen by name, by object and by import; changed, compared, saved."""

import dataclasses
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from reverie.part import edits, saved, tree
from reverie.part import part as parts
from reverie.part.checks import Checker
from reverie.part.errors import ConfigError
from reverie.part.needs import Need, check_needs
from reverie.part.part import Part

FLOUR = Need("flour", "--bread rye")


class AbstractSpread(Part):
    SLOT = "bread.spread"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "none": f"{__name__}:Plain",
        "jam": f"{__name__}:Jam",
    }


@dataclass(frozen=True)
class Plain(AbstractSpread):
    """Nothing."""


@dataclass(frozen=True)
class Jam(AbstractSpread):
    """Fruit."""

    grams: float = 20.0
    """How much, g."""

    def __post_init__(self):
        Checker(self, "bread.spread.").at_least(0, "grams")

    def needs(self):
        return frozenset({FLOUR})


class AbstractBread(Part):
    SLOT = "bread"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "rye": f"{__name__}:Rye",
        "rice": f"{__name__}:Rice",
    }


@dataclass(frozen=True)
class Rye(AbstractBread):
    """Dark."""

    slices: int = 2
    """How many."""
    spread: AbstractSpread = field(default_factory=Plain)
    """What is on it."""

    def offers(self):
        return frozenset({FLOUR})


@dataclass(frozen=True)
class Rice(AbstractBread):
    """White."""

    puffed: bool = True
    """Full of air."""


@dataclass(frozen=True)
class Plate:
    width: int = 10
    """Across, cm."""


@dataclass(frozen=True)
class Meal:
    guests: int = 1
    """How many."""
    plate: Plate = field(default_factory=Plate)
    bread: AbstractBread = field(default_factory=Rye)
    """The bread."""
    sides: tuple[AbstractSpread, ...] = ()
    """What stands beside it."""

    def __post_init__(self):
        Checker(self, "")


def edited(**changes):
    return edits.apply(Meal(), {name.replace("__", "."): value for name, value in changes.items()})


def test_a_choice_comes_before_its_own_options_and_no_others():
    assert tree.flat(Meal()) == {
        "guests": 1,
        "plate.width": 10,
        "bread": "rye",
        "bread.slices": 2,
        "bread.spread": "none",
        "sides": (),
    }
    assert [*tree.flat(edited(bread="rice"))][2:] == ["bread", "bread.puffed", "sides"]
    assert {leaf.path: leaf.doc for leaf in tree.leaves(Meal())}["bread.slices"] == "How many."


def test_options_keep_their_values_while_the_choice_stays():
    meal = edited(bread__slices="5", bread__spread="jam", bread__spread__grams=3)
    assert meal.bread == Rye(5, Jam(3.0))
    assert edits.apply(meal, {"bread": "rye"}) == meal
    assert edits.apply(meal, {"bread": "rice"}).bread == Rice()
    assert edits.apply(meal, {"bread": Rye(7)}).bread == Rye(7)


def test_several_parts_in_one_slot():
    meal = edited(sides="jam none", sides__0__grams=4)
    assert meal.sides == (Jam(4.0), Plain())
    assert tree.flat(meal)["sides.0.grams"] == 4.0
    assert edits.apply(meal, {"sides": ["jam"]}).sides == (Jam(4.0),)
    assert saved.from_json(Meal(), saved.to_json(meal)) == meal
    with pytest.raises(ConfigError, match=r"no configuration key 'sides\.2'"):
        edits.apply(meal, {"sides.2.grams": 1})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bread": "ry"}, "bread takes one of rye, rice, or module:Class .* Did you mean 'rye'"),
        ({"bread": 3}, r"bread takes a part \(rye, rice, or an instance of AbstractBread\)"),
        ({"bread.puffed": True}, "bread is 'rye', which has no option 'puffed'; 'rice' has"),
        ({"bread": "rice", "bread.slices": 3}, "bread is 'rice', which has no option 'slices'"),
        ({"bread.spread.grams": 1}, r"bread\.spread is 'none', which has no option 'grams'; 'jam'"),
        ({"bread.slicse": 1}, "no configuration key 'bread.slicse' in 'bread'; did you mean"),
        ({"bread.slices": 1.5}, "bread.slices takes an integer"),
        ({"bread.spread": "jam", "bread.spread.grams": -1}, "grams must be at least 0, found -1"),
        ({"plate": 3}, "'plate' is a group of fields; name one of them: plate.width"),
        ({"width": 3}, "there is no configuration key 'width'; did you mean 'plate.width'"),
        ({"bread": "nowhere.at.all:Loaf"}, "'nowhere.at.all' cannot be imported"),
        ({"bread": "json:loads"}, "takes a frozen dataclass below .*AbstractBread; json:loads is"),
        ({"bread": f"{__name__}:Jam"}, "takes a frozen dataclass below .*AbstractBread"),
        ({"bread": f"{__name__}:Ryee"}, "has no 'Ryee'; did you mean 'Rye'"),
        ({3: 1}, "a key of the configuration is a text, found 3"),
    ],
)
def test_what_does_not_fit_is_one_sentence(changes, message):
    with pytest.raises(ConfigError, match=message):
        edits.apply(Meal(), changes)


def test_widths_of_a_size_are_left_out_where_the_part_has_none():
    meal = edits.apply(
        Meal(), {"bread": "rice", "bread.slices": 4, "guests": 3}, optional={"bread.slices"}
    )
    assert (meal.bread, meal.guests) == (Rice(), 3)


def test_a_later_layer_that_chooses_anew_drops_the_options_of_the_choice_before():
    merged = edits.overlay(Meal(), {"bread.slices": 4, "guests": 2}, {"bread": "rice"})
    assert merged == {"guests": 2, "bread": "rice"}
    same = edits.overlay(Meal(), {"bread.slices": 4}, {"bread": "rye"})
    assert same == {"bread.slices": 4, "bread": "rye"}


def test_differences_name_the_choice_or_the_options():
    one, two = edited(bread__slices=3), edited(bread="rice")
    assert tree.diff(Meal(), one) == {"bread.slices": (2, 3)}
    assert tree.diff(one, two) == {"bread": ("rye", "rice")}


def test_every_option_of_every_alternative_has_a_path():
    found = tree.every(Meal())
    assert {"bread.slices", "bread.puffed", "bread.spread.grams"} >= set(found) - set(
        tree.flat(Meal())
    )


def test_a_need_that_nobody_meets_is_told_with_its_remedy():
    check_needs(tree.claims(edited(bread__spread="jam")))
    with pytest.raises(ConfigError, match=r"sides\.0 'jam' needs flour, .* add --bread rye"):
        check_needs(tree.claims(edited(bread="rice", sides="jam")))


OWN = """
from dataclasses import dataclass
import pathlib
import {base} as base

pathlib.Path({marker!r}).write_text("imported")


@dataclass(frozen=True)
class Loaf(base.AbstractBread):
    crumbs: int = 3
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of somebody else's that offers `loaf` by an entry point."""
    home = tmp_path / "site"
    info = home / "bakery_of_mine-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: bakery-of-mine\nVersion: 1.0\n")
    points = f"[{parts.GROUP}]\nbread.loaf = bakery_of_mine:Loaf\n"
    (info / "entry_points.txt").write_text(points)
    marker = tmp_path / "marker"
    code = OWN.format(base=__name__, marker=str(marker))
    (home / "bakery_of_mine.py").write_text(code)
    monkeypatch.syspath_prepend(str(home))
    parts._offered.cache_clear()
    yield marker
    parts._offered.cache_clear()
    sys.modules.pop("bakery_of_mine", None)


def test_a_package_offers_a_part_by_name(package):
    assert "loaf" in parts.members(AbstractBread)
    assert not package.exists(), "the list of names imports nothing"
    meal = edited(bread="loaf", bread__crumbs=5)
    assert tree.flat(meal)["bread"] == "loaf"
    assert dataclasses.asdict(meal)["bread"] == {"crumbs": 5}
    assert saved.modules_of(meal) == ("bakery_of_mine",)
    assert saved.from_json(Meal(), saved.to_json(meal)) == meal


@pytest.mark.parametrize("name", ["loaf", "bakery_of_mine:Loaf"])
def test_a_saved_part_of_somebody_else_waits_for_a_word(package, name):
    values = saved.to_json(Meal()) | {"bread": {"part": name, "crumbs": 9}}
    with pytest.raises(ConfigError, match=r"would import 'bakery_of_mine'.*--allow bakery_of_mine"):
        saved.from_json(Meal(), values, allow=())
    with pytest.raises(ConfigError, match="--allow bakery_of_mine"):
        saved.from_json(Meal(), values, allow=("bakery",))
    assert not package.exists(), "refusing imports nothing"
    meal = saved.from_json(Meal(), values, allow=("bakery_of_mine",))
    assert package.exists()
    assert tree.flat(meal)["bread.crumbs"] == 9


def test_a_part_inside_a_part_waits_as_well(package):
    spread = {"part": "bakery_of_mine:Loaf"}
    values = saved.to_json(Meal()) | {"bread": {"part": "rye", "slices": 1, "spread": spread}}
    with pytest.raises(ConfigError, match=r"bread\.spread names the part .*--allow bakery_of_mine"):
        saved.from_json(Meal(), values, allow=(__name__,))
    assert not package.exists()
