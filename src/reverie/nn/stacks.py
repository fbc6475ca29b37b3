"""From the configuration to the image stacks of one picture size."""

from jaxtyping import PRNGKeyArray

from reverie.nn.images import ImageDecoder, ImageEncoder
from reverie.nn.options import DecoderConfig, EncoderConfig, NetConfig
from reverie.nn.plain import PlainDecoder, PlainEncoder
from reverie.nn.resnet import ResNetDecoder, ResNetEncoder

AnyEncoder = ImageEncoder | PlainEncoder | ResNetEncoder
"""`size` tokens from pictures (n, height, width, channels) in [−0.5, 0.5]."""
AnyDecoder = ImageDecoder | PlainDecoder | ResNetDecoder
"""Pictures around [0, 1] from maps of `map_shape`."""


def make_encoder(
    shape: tuple[int, int, int], config: EncoderConfig, net: NetConfig, *, key: PRNGKeyArray
) -> AnyEncoder:
    """The stack that `config.stack` names, for pictures of `shape` (height, width, channels)."""
    widths = tuple(config.depth * mult for mult in config.mults)
    match config.stack:
        case "valid" | "same":
            widths = widths if config.widen else (config.depth,) * len(widths)
            side, stack = config.kernel, config.stack
            return PlainEncoder(shape, widths=widths, side=side, stack=stack, net=net, key=key)
        case "resnet":
            return ResNetEncoder(shape, widths=widths, norm=config.res_norm, net=net, key=key)
        case stack:
            return ImageEncoder(
                shape,
                depth=config.depth,
                mults=config.mults,
                side=config.kernel,
                stack=stack,
                outer=config.outer,
                net=net,
                key=key,
            )


def make_decoder(
    shape: tuple[int, int, int],
    config: DecoderConfig,
    mirror: EncoderConfig,
    net: NetConfig,
    *,
    key: PRNGKeyArray,
) -> AnyDecoder:
    """The stack that reverses the encoder's, `mirror`, for pictures of `shape`."""
    widths = tuple(config.depth * mult for mult in mirror.mults)
    output = config.output
    match mirror.stack:
        case "valid" | "same":
            return PlainDecoder(
                shape,
                widths=widths[::-1],
                side=mirror.kernel,
                stack=mirror.stack,
                net=net,
                output=output,
                key=key,
            )
        case "resnet":
            norm = mirror.res_norm
            return ResNetDecoder(shape, widths=widths, norm=norm, net=net, output=output, key=key)
        case stack:
            return ImageDecoder(
                shape,
                depth=config.depth,
                mults=mirror.mults,
                side=mirror.kernel,
                stack=stack,
                outer=mirror.outer,
                net=net,
                output=output,
                key=key,
            )
