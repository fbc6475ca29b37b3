"""One look: the seven visual factors, drawn from a seed and written into a model's files."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import get_args

import numpy as np

from reverie.envs.options import Factor
from reverie.envs.scenes import ranges, textures

FACTORS: tuple[str, ...] = get_args(Factor)
"""All factors; each draws from random numbers of its own."""
COMMON = {name: f"./common/{name}.xml" for name in ("skybox", "visual", "materials")}
"""DM Control's files that all domains share."""


@dataclass(frozen=True)
class Look:
    """Attributes to write: (file, tag, name or "", attribute) -> text, and the two textures.

    The file "" is the domain's own. A name "" means the first element with that tag.
    """

    edits: dict[tuple[str, str, str, str], str]
    sky: bytes | None = None
    floor: bytes | None = None


def draw(domain: str, seed: int, factors: tuple[str, ...], photos: str = "") -> Look:
    """The look of a visual seed.

    Args:
        domain: a key of `ranges.PLACES`.
        seed: visual seed, at least 0.
        factors: those that vary; every one of them is independent of which others do.
        photos: folder of photographs; empty: textures made by a program.

    Raises EnvError if the folder holds no photographs.
    """
    edits: dict[tuple[str, str, str, str], str] = {}
    drawn: dict[str, bytes | None] = {"bg": None, "floor": None}
    for index, factor in enumerate(FACTORS):
        rng = np.random.default_rng([seed, index])
        if factor not in factors:
            continue
        match factor:
            case "bg" | "floor":
                drawn[factor] = _texture(factor, rng, seed, photos)
            case "body":
                edits |= _colour("self", rng) | _colour("effector", rng)
            case "target":
                edits |= _colour("target", rng)
            case "reflectance":
                value = _text(rng.uniform(*ranges.REFLECTANCE))
                edits[COMMON["materials"], "material", "grid", "reflectance"] = value
            case "camera":
                edits |= _camera(ranges.PLACES[domain], rng)
            case "light":
                edits |= _headlight(rng) | _lamp(ranges.PLACES[domain], rng)
    return Look(edits, drawn["bg"], drawn["floor"])


def _text(numbers) -> str:
    return " ".join(f"{number:.6g}" for number in np.atleast_1d(numbers))


def _uniform(box, rng: np.random.Generator) -> np.ndarray:
    return np.array([rng.uniform(*bounds) for bounds in box])


def _around(base: ranges.Range, spread: float, rng: np.random.Generator) -> np.ndarray:
    return np.maximum(rng.uniform(*base) + rng.uniform(-spread, spread, 3), 0.0)


def _texture(factor: str, rng: np.random.Generator, seed: int, photos: str) -> bytes:
    if not photos:
        return textures.png(textures.sky(seed) if factor == "bg" else textures.floor(seed))
    known = textures.photographs(photos, "skies" if factor == "bg" else "floors")
    return textures.png(textures.photograph(known[rng.integers(len(known))]))


def _colour(material: str, rng: np.random.Generator) -> dict:
    rgba = [*rng.uniform(*ranges.COLOUR, 3), rng.uniform(*ranges.ALPHA)]
    return {(COMMON["materials"], "material", material, "rgba"): _text(rgba)}


def _camera(place: ranges.Place, rng: np.random.Generator) -> dict:
    edits = {("", "camera", "", "pos"): _text(_uniform(place.camera, rng))}
    if place.euler is not None:
        edits["", "camera", "", "euler"] = _text(_uniform(place.euler, rng))
    if place.tilt is not None:
        edits["", "camera", "", "xyaxes"] = f"1 0 0 0 {_text(rng.uniform(*place.tilt))} 1"
    return edits


def _headlight(rng: np.random.Generator) -> dict:
    edits = {
        (COMMON["visual"], "headlight", "", name): _text(_around(base, spread, rng))
        for name, (base, spread) in ranges.HEADLIGHT.items()
    }
    low, high = ranges.SHADOWS
    edits[COMMON["visual"], "quality", "", "shadowsize"] = str(rng.integers(low, high + 1))
    return edits


def _lamp(place: ranges.Place, rng: np.random.Generator) -> dict:
    if place.light is None:
        return {}
    edits = {("", "light", "", "pos"): _text(_uniform(place.light, rng))}
    if place.lamp is not None:
        for name, base in zip(("diffuse", "specular"), place.lamp, strict=True):
            edits["", "light", "", name] = _text(_around(base, ranges.LAMP, rng))
    return edits


def write(domain: str, look: Look, model: str | bytes, assets: dict) -> tuple[str, dict]:
    """The domain's model and its files with the look written into them; copies.

    Args:
        model: the domain's XML, as `get_model_and_assets` gives it.
        assets: its files by name.
    """
    trees = {name: ET.fromstring(assets[name]) for name in COMMON.values() if name in assets}
    trees[""] = ET.fromstring(model)
    for (file, tag, name, attribute), text in look.edits.items():
        _element(trees[file], tag, name).set(attribute, text)
    files = dict(assets)
    for file, kind, name, texture in (
        ("sky.png", "skybox", "skybox", look.sky),
        ("floor.png", "materials", "grid", look.floor),
    ):
        if texture is not None:
            own = [tree for tree in (trees[""], trees[COMMON[kind]]) if _textures(tree, name)]
            _show_file(_textures(own[0], name)[0], file)
            files[file] = texture
    if domain == "cheetah":
        _element(trees[""], "geom", "ground").set("size", ranges.CHEETAH_FLOOR)
    files |= {name: ET.tostring(tree) for name, tree in trees.items() if name}
    return ET.tostring(trees[""], encoding="unicode"), files


def _element(tree: ET.Element, tag: str, name: str) -> ET.Element:
    """The first element with that tag below a body or asset (defaults of a class do not count)."""
    known = [item for part in tree if part.tag != "default" for item in part.iter(tag)]
    return next(item for item in known if not name or item.get("name") == name)


def _textures(tree: ET.Element, name: str) -> list[ET.Element]:
    return [item for item in tree.iter("texture") if item.get("name") == name]


def _show_file(texture: ET.Element, file: str) -> None:
    kind, name = texture.get("type", "2d"), texture.get("name", "")
    texture.attrib.clear()
    texture.attrib.update(name=name, type=kind, file=file)
