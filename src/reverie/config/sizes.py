"""Model sizes: what each size preset writes, and the automatic choice.

Source: the official V3's configuration, sizes 1m to 400m and debug. `tiny` is ours.
"""

from dataclasses import dataclass, replace
from typing import Any

from reverie.config.edit import apply
from reverie.config.errors import ConfigError
from reverie.config.schema import Config


@dataclass(frozen=True)
class Size:
    """A row of the size table; every number the official configuration varies."""

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
    """Blocks of the recurrent layer."""
    bins: int = 255
    """Two-hot bins of reward and critic."""
    layers: tuple[int, int, int] = (3, 1, 3)
    """Layers of encoder and decoder, of reward and continue, of actor and critic."""


SIZES: dict[str, Size] = {
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
"""All sizes by name, smallest first."""


def size_edits(name: str) -> dict[str, Any]:
    """What the size preset `name` writes: dotted path -> value, `size` itself included.

    Raises ConfigError if there is no such size.
    """
    if name not in SIZES:
        raise ConfigError(f"there is no size {name!r}; the sizes are auto, {', '.join(SIZES)}.")
    size = SIZES[name]
    outer, heads, behavior = size.layers
    edits: dict[str, Any] = {
        "size": name,
        "rssm.deter": size.deter,
        "rssm.hidden": size.hidden,
        "rssm.stoch": size.stoch,
        "rssm.classes": size.classes,
        "rssm.blocks": size.blocks,
        "encoder.depth": size.depth,
        "decoder.depth": size.depth,
        "reward.bins": size.bins,
        "critic.bins": size.bins,
    }
    layers = {"encoder": outer, "decoder": outer, "reward": heads, "cont": heads}
    for part, count in {**layers, "actor": behavior, "critic": behavior}.items():
        edits |= {f"{part}.units": size.units, f"{part}.layers": count}
    return edits


def size_fields() -> frozenset[str]:
    """The dotted paths that a size preset writes, `size` itself excepted."""
    return frozenset(size_edits("1m")) - {"size"}


def auto_size(pictures: bool) -> str:
    """What the size `auto` means: 12m as soon as one observation is a picture, 1m otherwise."""
    return "12m" if pictures else "1m"


def with_size(config: Config, pictures: bool) -> Config:
    """`config` with its size `auto` replaced by the one the observations need.

    Fields named in `config.pinned` keep their values. A configuration whose size is already
    chosen comes back as it is.
    """
    if config.size != "auto":
        return config
    edits = size_edits(auto_size(pictures))
    kept = {path: value for path, value in edits.items() if path not in config.pinned}
    return apply(replace(config, pinned=()), kept)
