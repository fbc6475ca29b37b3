"""The golden arrays of DreamerV2 and of the torch form of V3: `golden/dreamerv2` in our terms.

Parameters and gradients change their layout on the way (`ours`): kernels are transposed, features
are (deter, stoch) instead of (stoch, deter), maps are channels last, and the kernels of transposed
convolutions are flipped.
"""

import functools
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from golden_v3 import close as close
from golden_v3 import pull as pull
from golden_v3 import replay_samples as replay_samples

from reverie.behavior.returns import discount_of
from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.module import named_leaves
from reverie.records import Latent, Sequence, Spec
from reverie.world.model import WorldModel

FOLDER = Path(__file__).parent / "golden" / "dreamerv2"
VARIANTS = ("v2_discrete", "v2_continuous", "v3_discrete")
NAMES = [
    (r"world\.encoder\.images\.0\.convs\.(\d)", r"encoder.conv\1"),
    (r"world\.encoder\.images\.0\.norms\.(\d)\.inner", r"encoder.convnorm\1._layer"),
    (r"world\.dynamics\.core\.inputs\.linear", "rssm.img_in"),
    (r"world\.dynamics\.core\.inputs\.norm", "rssm.img_in_norm._layer"),
    (r"world\.dynamics\.core\.gates", "rssm._cell._layer"),
    (r"world\.dynamics\.core\.norm", "rssm._cell._norm"),
    (r"world\.dynamics\.prior\.layers\.0\.linear", "rssm.img_out_0"),
    (r"world\.dynamics\.prior\.layers\.0\.norm", "rssm.img_out_norm_0._layer"),
    (r"world\.dynamics\.prior_logits", "rssm.img_dist_0"),
    (r"world\.dynamics\.post\.layers\.0\.linear", "rssm.obs_out"),
    (r"world\.dynamics\.post\.layers\.0\.norm", "rssm.obs_out_norm._layer"),
    (r"world\.dynamics\.post_logits", "rssm.obs_dist"),
    (r"world\.objective\.inputs\.0\.deter", "heads.decoder.convin"),
    (r"world\.objective\.images\.0\.convs\.(\d)", r"heads.decoder.conv\1"),
    (r"world\.objective\.images\.0\.norms\.(\d)\.inner", r"heads.decoder.convnorm\1._layer"),
    *[
        (rf"{mine}\.{part}", f"{theirs}.{name}")
        for mine, theirs in (
            (r"world\.reward", "heads.reward"),
            (r"world\.cont", "heads.discount"),
            ("actor", "actor"),
            ("critic", "critic"),
        )
        for part, name in (
            (r"trunk\.layers\.(\d)\.linear", r"dense\1"),
            (r"trunk\.layers\.(\d)\.norm", r"norm\1._layer"),
            ("out", "out.out"),
        )
    ],
    (r"actor\.outs\.action\.(logits|mean)", "actor.out.out"),
    (r"actor\.outs\.action\.stddev", "actor.out.std"),
]


@functools.cache
def load(name: str) -> dict[str, np.ndarray]:
    """All arrays of a file, by name."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


def group(file: str, prefix: str) -> dict[str, np.ndarray]:
    """The arrays of one group of a file, names without the group's."""
    start = f"{prefix}/"
    found = load(file).items()
    return {k.removeprefix(start): jnp.asarray(v) for k, v in found if k.startswith(start)}


def arrays(variant: str) -> dict[str, np.ndarray]:
    """All arrays of a model file."""
    return load(f"model_{variant}")


def setting(variant: str, key: str):
    """A value of the reference's configuration."""
    value = arrays(variant)[f"config/{key}"]
    return value.item() if value.ndim == 0 else value.tolist()


def reference_name(name: str) -> str:
    """The reference's name of one of our parameters (dotted, from `Agent`)."""
    part, leaf = name.rsplit(".", 1)
    for pattern, other in NAMES:
        match = re.fullmatch(pattern, part)
        if match:
            return f"{match.expand(other)}.{'bias' if leaf == 'bias' else 'weight'}"
    raise KeyError(name)


def ours(name: str, value: np.ndarray, variant: str) -> np.ndarray:
    """A parameter, or its gradient, in our layout; `name` is ours, `value` theirs."""
    other = reference_name(name)
    if "convnorm" in other:
        return value.transpose(1, 2, 0).ravel()
    if re.search(r"decoder\.conv\d\.weight", other):
        return value.transpose(2, 3, 0, 1)[::-1, ::-1]
    if value.ndim == 4:
        return value.transpose(2, 3, 1, 0)
    if "convin" in other:
        width, side = decoder_map(variant)
        value = value.reshape(width, side, side, -1).transpose(1, 2, 0, 3)
        value = value.reshape(width * side * side, -1)
        return value.T if other.endswith("weight") else value[:, 0]
    if other == "rssm.obs_out.weight":
        deter = setting(variant, "rssm.deter")
        return np.concatenate([value[:, :deter], tokens(value[:, deter:], variant)], 1).T
    if re.search(r"(heads\.\w+|actor|critic)\.dense0\.weight", other):
        stoch = setting(variant, "rssm.stoch") * setting(variant, "rssm.discrete")
        value = np.concatenate([value[:, stoch:], value[:, :stoch]], 1)
    return value.T


def decoder_map(variant: str) -> tuple[int, int]:
    """Channels and side of the decoder's first map."""
    depth = setting(variant, "decoder.cnn_depth")
    return (32 * depth, 1) if variant.startswith("v2") else (8 * depth, 4)


def tokens(value: np.ndarray, variant: str) -> np.ndarray:
    """An embedding (…, E) flattened height, width, channels instead of channels first."""
    side = 2 if variant.startswith("v2") else 4
    maps = np.asarray(value).reshape(*value.shape[:-1], -1, side, side)
    return np.moveaxis(maps, -3, -1).reshape(value.shape)


def feature(value: np.ndarray, variant: str) -> np.ndarray:
    """A feature (…, F) as (deter, stoch) instead of (stoch, deter)."""
    stoch = setting(variant, "rssm.stoch") * setting(variant, "rssm.discrete")
    return np.concatenate([value[..., stoch:], value[..., :stoch]], -1)


@functools.cache
def config(variant: str, **edits) -> Config:
    """The configuration of a variant, read from its arrays, with `edits` (dots as `__`)."""
    get = functools.partial(setting, variant)
    v3, balance = variant.startswith("v3"), get("kl.balance")
    heads = {
        f"{part}.{key}": get(f"{theirs}.{key}")
        for part, theirs in (
            ("world.reward", "reward_head"),
            ("world.cont", "discount_head"),
            ("behavior.actor", "actor"),
            ("behavior.critic", "critic"),
        )
        for key in ("layers", "units")
    }
    fields = {
        **heads,
        "net.act": get("rssm.act"),
        "net.norm": get("rssm.norm"),
        "net.eps": 1e-3,
        "net.init": "glorot",
        "net.maps": "whole" if v3 else "channels",
        "world.dynamics.core": "gru",
        "world.dynamics.deter": get("rssm.deter"),
        "world.dynamics.hidden": get("rssm.hidden"),
        "world.dynamics.stoch": get("rssm.stoch"),
        "world.dynamics.latent.classes": get("rssm.discrete"),
        "world.dynamics.latent.unimix": get("rssm.unimix"),
        "world.dynamics.free_nats": get("kl.free"),
        "world.dynamics.floor": "batch",
        "world.dynamics.prior_layers": 1,
        "world.dynamics.post_layers": 1,
        "world.encoder.stack": "same" if v3 else "valid",
        "world.encoder.depth": get("encoder.cnn_depth"),
        "world.encoder.mults": (1, 2, 4, 8),
        "world.encoder.stack.kernel": 4,
        **({"world.encoder.stack.widen": False} if v3 else {}),
        "world.objective.depth": get("decoder.cnn_depth"),
        "world.objective.blocks": 0,
        "world.objective.plain": True,
        "world.objective.output": "shift",
        "world.objective.image": "gauss",
        "world.objective.vector": "symlog" if v3 else "gauss",
        "world.reward.dist": "symlog_twohot" if v3 else "gauss",
        "world.reward.transform": get("clip_rewards"),
        "behavior.critic.dist": "symlog_twohot" if v3 else "gauss",
        "behavior.actor.dist": "truncated",
        "behavior.actor.unimix": get("actor.unimix"),
        "behavior.actor.minstd": get("actor.min_std"),
        "behavior.actor.entropy": get("actor_ent"),
        "world.dynamics.dyn": balance * get("loss_scales.kl"),
        "world.dynamics.rep": (1 - balance) * get("loss_scales.kl"),
        "world.cont.grad": "discount" in get("grad_heads"),
        "behavior.imagine": get("imag_horizon"),
        "behavior.horizon": 1 / (1 - get("discount")),
        "behavior.lam": get("discount_lambda"),
        "replay.context": 1,
        "device.precision": "f32",
    }
    named = {key.replace("__", "."): value for key, value in edits.items()}
    return apply(Config(), fields | named)


def specs(variant: str) -> tuple[dict[str, Spec], dict[str, Spec]]:
    """Observations and actions."""
    obs = {"image": Spec("image", (64, 64, 3))}
    size = arrays(variant)["data/action"].shape[-1]
    if "discrete" in variant:
        return obs, {"action": Spec("discrete", (), (size,))}
    return obs, {"action": Spec("vector", (size,), (), (-1.0,) * size, (1.0,) * size)}


def fill(tree, variant: str, prefix: str, group: str = "params/"):
    """`tree` with every leaf replaced by the reference's array of the same meaning.

    `prefix` is the place of `tree` in an agent ("world."), `group` where the arrays stand.
    """
    found, leaves = arrays(variant), []
    for name, leaf in named_leaves(tree).items():
        value = ours(prefix + name, found[group + reference_name(prefix + name)], variant)
        assert value.shape == leaf.shape, (name, value.shape, leaf.shape)
        leaves.append(jnp.asarray(value))
    return jax.tree.unflatten(jax.tree.structure(tree), leaves)


@functools.cache
def world(variant: str) -> WorldModel:
    """The world model with the reference's parameters."""
    build = functools.partial(
        WorldModel, *specs(variant), config(variant).world, config(variant).net
    )
    return fill(jax.eval_shape(lambda key: build(key=key), jax.random.key(0)), variant, "world.")


def sequence(variant: str) -> Sequence:
    """The data as 1 + T stored rows, rewards as they came; row 0 holds the initial latent.

    Our row t holds the action chosen at t, theirs the one that led to t.
    """
    found = arrays(variant)
    data = {k[5:]: jnp.asarray(v) for k, v in found.items() if k.startswith("data/")}

    def ahead(x):
        return jnp.concatenate([jnp.zeros_like(x[:, :1]), x], 1)

    action = data["action"]
    if "discrete" in variant:
        action = action.argmax(-1).astype(jnp.int32)[..., None]
    action = jnp.concatenate([action, jnp.zeros_like(action[:, :1])], 1)
    start = (jnp.asarray(found["init_state/deter"]), jnp.asarray(found["init_state/stoch"]))
    length = action.shape[1]
    latent = Latent(*(x[:, None].repeat(length, 1) for x in start))
    flags = {k: ahead(data[k]) > 0 for k in ("is_first", "is_last", "is_terminal")}
    return Sequence(
        obs={"image": ahead(data["image"])},
        action={"action": action},
        reward=ahead(data["reward"]),
        latent=latent,
        **flags,
    )


def classes(one_hot: np.ndarray) -> np.ndarray:
    """Recorded one-hot samples as the noise that `replay_samples` turns back into them."""
    return jnp.asarray(np.asarray(one_hot).argmax(-1), jnp.float32)


def goes_on(config: Config) -> float:
    """What the continue head learns where an episode goes on."""
    return discount_of(config.behavior) if config.behavior.contdisc else 1.0


def with_kl(base: Config, free: float, scale: float, balance: float) -> Config:
    """`base` with other free nats, KL scale and balance."""
    changes = {"free_nats": free, "dyn": balance * scale, "rep": (1 - balance) * scale}
    return apply(base, {f"world.dynamics.{name}": value for name, value in changes.items()})
