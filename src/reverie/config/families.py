"""Model sizes by agent: every agent has its own family of names. Data only.

Sources: the official V3's configuration, sizes 1m to 400m and debug; the 2023 paper
(arXiv:2301.04104v1) and code, XS to XL; the official DreamerV2's configuration blocks, named after
the width of their recurrent state. `tiny`, and `debug` outside V3, are ours: every family has them,
so that tests and probes are cheap under every agent.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """A row of a size table; every number that the configurations of an agent vary."""

    deter: int
    """Width D of the deterministic state."""
    hidden: int
    """Hidden width of the recurrent model."""
    classes: int
    """Classes of each categorical latent."""
    units: int
    """Width of the vector encoder and decoder and of every head."""
    depth: int
    """Base channel count of the image stacks."""
    stoch: int = 32
    """Number of categorical latents."""
    blocks: int = 8
    """Blocks of the recurrent layer, where the core has any."""
    bins: int = 255
    """Two-hot bins of reward and critic, where they have any."""
    layers: tuple[int, int, int] = (3, 1, 3)
    """Layers of encoder and decoder, of reward and continue, of actor and critic."""


V3 = {
    "debug": Size(8, 3, 4, 8, 2, stoch=2, blocks=4, bins=5, layers=(1, 1, 1)),
    "tiny": Size(256, 64, 8, 64, 8, stoch=16),
    "1m": Size(512, 64, 4, 64, 4),
    "12m": Size(2048, 256, 16, 256, 16),
    "25m": Size(3072, 384, 24, 384, 24),
    "50m": Size(4096, 512, 32, 512, 32),
    "100m": Size(6144, 768, 48, 768, 48),
    "200m": Size(8192, 1024, 64, 1024, 64),
    "400m": Size(12288, 1536, 96, 1536, 96),
}

_DEBUG = Size(8, 8, 4, 8, 2, stoch=2, bins=5, layers=(1, 1, 1))
_TINY = Size(256, 64, 8, 64, 8, stoch=16, layers=(2, 2, 2))

V3_2023 = {
    "debug": _DEBUG,
    "tiny": _TINY,
    "xs": Size(256, 256, 32, 256, 24, layers=(1, 1, 1)),
    "s": Size(512, 512, 32, 512, 32, layers=(2, 2, 2)),
    "m": Size(1024, 640, 32, 640, 48, layers=(3, 3, 3)),
    "l": Size(2048, 768, 32, 768, 64, layers=(4, 4, 4)),
    "xl": Size(4096, 1024, 32, 1024, 96, layers=(5, 5, 5)),
}

V2 = {
    "debug": _DEBUG,
    "tiny": _TINY,
    "w200": Size(200, 200, 32, 400, 48, layers=(4, 4, 4)),
    "w600": Size(600, 600, 32, 400, 48, layers=(4, 4, 4)),
    "w1024": Size(1024, 1024, 32, 400, 48, layers=(4, 4, 4)),
}

FAMILIES: dict[str, dict[str, Size]] = {"v3": V3, "v3-2023": V3_2023, "v2": V2}
"""The sizes of each agent by name, smallest first."""

AUTO: dict[str, tuple[str, str]] = {
    "v3": ("1m", "12m"),
    "v3-2023": ("xs", "s"),
    "v2": ("w200", "w200"),
}
"""What `auto` means to each agent: for vectors, and as soon as one observation is a picture."""
