"""The published ranges of DMC-Remastered's factors, as data; all of them uniform.

Source: DMC Remastered as HarmonyDream runs it (arXiv:2310.00344, section 4 and its code).
"""

from dataclasses import dataclass

Range = tuple[float, float]
Box = tuple[Range, Range, Range]
"""Ranges of x, y and z, metres."""


def around(width: float) -> Range:
    """From -width to width."""
    return (-width, width)


@dataclass(frozen=True)
class Place:
    """Where camera 0 and the lamp of a domain may be.

    `euler` are degrees about x, y and z; `tilt` is the fifth number of the camera's `xyaxes`.
    `lamp` holds the base ranges of the lamp's own diffuse and specular light, whose channels vary
    by LAMP around them.
    """

    camera: Box
    light: Box | None = None
    euler: Box | None = None
    tilt: Range | None = None
    lamp: tuple[Range, Range] | None = None


PLACES = {
    "cheetah": Place(
        (around(0.25), (-3.2, -2.8), around(0.25)), (around(2.0), around(2.0), (1.0, 5.0))
    ),
    "walker": Place((around(0.3), (-2.05, -1.95), (0.6, 0.8))),
    "cartpole": Place(
        (around(0.15), (-5.0, -3.0), (0.8, 1.2)), (around(1.0), around(1.0), (4.5, 7.5))
    ),
    "hopper": Place(
        (around(0.15), (-3.0, -2.6), (0.6, 1.0)), euler=((85.0, 95.0), around(5.0), around(5.0))
    ),
    "finger": Place(
        (around(0.02), (-1.01, -0.99), (0.7, 1.0)),
        (around(0.8), around(0.8), (1.0, 3.0)),
        lamp=((0.5, 1.1), (0.0, 1.2)),
    ),
    "ball_in_cup": Place(
        (around(0.05), (-1.1, -0.9), (0.8, 1.0)), (around(0.5), around(0.5), (1.2, 2.7))
    ),
    "reacher": Place(
        (around(0.05), around(0.05), (0.7, 0.8)), (around(0.2), around(0.2), (0.15, 0.75))
    ),
    "fish": Place((around(0.05), around(0.05), (0.8, 1.2)), (around(0.3), around(0.3), (0.0, 1.0))),
    "pendulum": Place(
        ((0.0, 0.2), (-1.1, -0.97), (1.3, 1.6)),
        (around(0.5), around(0.2), (1.2, 2.8)),
        tilt=(0.4, 0.6),
    ),
    "humanoid": Place(
        ((-3.5, -2.5), around(0.5), (0.5, 1.5)), (around(0.7), around(0.7), (1.2, 1.8))
    ),
}
"""Places by domain: the domains that DMC-Remastered knows."""

REFLECTANCE: Range = (0.0, 0.5)
"""Reflectance of the ground."""
COLOUR: Range = (0.0, 1.0)
"""Each of red, green and blue of body, effector and target."""
ALPHA: Range = (0.75, 1.0)
"""Their opacity."""
HEADLIGHT: dict[str, tuple[Range, float]] = {
    "ambient": ((0.1, 0.8), 0.05),
    "diffuse": ((0.4, 0.9), 0.1),
    "specular": ((0.05, 0.3), 0.02),
}
"""Light of the scene: range of the base, and how far each channel varies around it."""
LAMP = 0.02
"""How far each channel of a lamp's own light varies around its base."""
SHADOWS = (1548, 2548)
"""Side of the shadow map, pixels; whole numbers, both ends included."""
CHEETAH_FLOOR = "100 15 .5"
"""Size of the cheetah's ground, which is wider than DM Control's in every look."""
