"""The golden arrays of DreamerV3 in our terms: names, configuration, data, recorded samples."""

import dataclasses
import functools
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from reverie.behavior.imagine import DreamNoise
from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.module import named_leaves
from reverie.records import Latent, Sequence, Spec
from reverie.train.losses import Noise
from reverie.train.state import Agent, init

FOLDER = Path(__file__).parent / "golden" / "dreamerv3"
TRUNKS = {"world.reward": "rew", "world.cont": "con", "actor": "pol", "critic": "val"}
NAMES = [
    (r"world\.encoder\.mlp\.layers\.(\d)\.linear", r"enc/mlp\1"),
    (r"world\.encoder\.mlp\.layers\.(\d)\.norm", r"enc/mlp\1norm"),
    (r"world\.encoder\.images\.0\.convs\.(\d)", r"enc/cnn\1"),
    (r"world\.encoder\.images\.0\.norms\.(\d)", r"enc/cnn\1norm"),
    (r"world\.dynamics\.core\.in_deter\.linear", "dyn/dynin0"),
    (r"world\.dynamics\.core\.in_stoch\.linear", "dyn/dynin1"),
    (r"world\.dynamics\.core\.in_action\.linear", "dyn/dynin2"),
    (r"world\.dynamics\.core\.in_deter\.norm", "dyn/dynin0norm"),
    (r"world\.dynamics\.core\.in_stoch\.norm", "dyn/dynin1norm"),
    (r"world\.dynamics\.core\.in_action\.norm", "dyn/dynin2norm"),
    (r"world\.dynamics\.core\.hidden\.(\d)", r"dyn/dynhid\1"),
    (r"world\.dynamics\.core\.hidden_norms\.(\d)", r"dyn/dynhid\1norm"),
    (r"world\.dynamics\.core\.gates", "dyn/dyngru"),
    (r"world\.dynamics\.prior\.layers\.(\d)\.linear", r"dyn/prior\1"),
    (r"world\.dynamics\.prior\.layers\.(\d)\.norm", r"dyn/prior\1norm"),
    (r"world\.dynamics\.prior_logits", "dyn/priorlogit"),
    (r"world\.dynamics\.post\.layers\.(\d)\.linear", r"dyn/obs\1"),
    (r"world\.dynamics\.post\.layers\.(\d)\.norm", r"dyn/obs\1norm"),
    (r"world\.dynamics\.post_logits", "dyn/obslogit"),
    (r"world\.objective\.mlp\.layers\.(\d)\.(linear|norm)", r"dec/mlp/\2\1"),
    (r"world\.objective\.outs\.(\w+)", r"dec/vec/\1/pred"),
    (r"world\.objective\.inputs\.0\.deter", "dec/sp0"),
    (r"world\.objective\.inputs\.0\.hidden\.linear", "dec/sp1"),
    (r"world\.objective\.inputs\.0\.hidden\.norm", "dec/sp1norm"),
    (r"world\.objective\.inputs\.0\.stoch", "dec/sp2"),
    (r"world\.objective\.inputs\.0\.norm", "dec/spnorm"),
    (r"world\.objective\.images\.0\.convs\.0", "dec/conv1"),
    (r"world\.objective\.images\.0\.convs\.1", "dec/conv0"),
    (r"world\.objective\.images\.0\.convs\.2", "dec/imgout"),
    (r"world\.objective\.images\.0\.norms\.0", "dec/conv1norm"),
    (r"world\.objective\.images\.0\.norms\.1", "dec/conv0norm"),
    *[
        (rf"{ours}\.trunk\.layers\.(\d)\.(linear|norm)", rf"{theirs}/mlp/\2\1")
        for ours, theirs in TRUNKS.items()
    ],
    (r"actor\.outs\.(\w+)\.(logits|mean|stddev)", r"pol/head/\1/\2"),
    (r"world\.reward\.out", "rew/head/logits"),
    (r"world\.cont\.out", "con/head/logit"),
    (r"critic\.out", "val/head/logits"),
]


def reference_name(ours: str) -> str:
    """The reference's name of one of our parameters."""
    part, leaf = ours.rsplit(".", 1)
    for pattern, name in NAMES:
        match = re.fullmatch(pattern, part)
        if match:
            return f"{match.expand(name)}/{leaf}"
    raise KeyError(ours)


@functools.cache
def load(name: str) -> dict[str, np.ndarray]:
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


@functools.cache
def config(variant: str) -> Config:
    """The configuration of a variant, "disc" or "cont", read from the arrays."""
    cfg = {k[4:]: v for k, v in load(f"{variant}_inputs").items() if k.startswith("cfg/")}

    def number(key):
        return cfg[key].item()

    rssm = {name: name for name in ("deter", "hidden", "stoch")}
    rssm |= {"latent.classes": "classes", "core.blocks": "blocks"}
    edits = {f"world.dynamics.{ours}": number(f"dyn/{name}") for ours, name in rssm.items()}
    edits |= {
        "world.encoder.units": number("enc/units"),
        "world.encoder.depth": number("enc/depth"),
        "world.encoder.mults": tuple(int(m) for m in cfg["enc/mults"]),
        "world.objective.units": number("dec/units"),
        "world.objective.depth": number("dec/depth"),
        "world.objective.blocks": number("dec/bspace"),
        "world.reward.units": number("rewhead/units"),
        "world.reward.bins": number("rewhead/bins"),
        "world.cont.units": number("rewhead/units"),
        "behavior.actor.units": number("policy/units"),
        "behavior.critic.units": number("value/units"),
        "behavior.critic.bins": number("value/bins"),
        "behavior.imagine": number("imag_length"),
        "device.precision": "f32",
    }
    return apply(Config(), edits)


def specs(variant: str) -> tuple[dict[str, Spec], dict[str, Spec]]:
    obs = {"image": Spec("image", (32, 32, 3)), "vector": Spec("vector", (5,))}
    if variant == "disc":
        return obs, {"action": Spec("discrete", (), (6,))}
    return obs, {"action": Spec("vector", (3,), (), (-1.0,) * 3, (1.0,) * 3)}


def fill(tree, arrays: dict[str, np.ndarray], prefix: str = ""):
    """`tree` with every leaf replaced by the reference's array of the same meaning."""
    names = list(named_leaves(tree))
    leaves = [jnp.asarray(arrays[reference_name(prefix + name)]) for name in names]
    for leaf, old, name in zip(leaves, jax.tree.leaves(tree), names, strict=True):
        assert leaf.shape == old.shape, (name, leaf.shape, old.shape)
    return jax.tree.unflatten(jax.tree.structure(tree), leaves)


@functools.cache
def agent(variant: str) -> Agent:
    obs, actions = specs(variant)
    shape = jax.eval_shape(lambda k: Agent(obs, actions, config(variant), key=k), jax.random.key(0))
    return fill(shape, load(f"{variant}_params"))


@functools.cache
def state(variant: str):
    """The training state from which the reference started. Nothing is compiled for it."""
    inputs, params = load(f"{variant}_inputs"), load(f"{variant}_params")
    obs, actions = specs(variant)
    shape = jax.eval_shape(lambda k: init(obs, actions, config(variant), k), jax.random.key(0))
    blank = jax.tree.map(lambda leaf: jnp.asarray(np.zeros(leaf.shape, leaf.dtype)), shape)
    slow = {name.replace("slowval/", "val/"): v for name, v in params.items() if "slowval" in name}
    returns = dataclasses.replace(
        blank.returns,
        low=jnp.asarray(inputs["state/retnorm_lo"]),
        high=jnp.asarray(inputs["state/retnorm_hi"]),
    )
    return dataclasses.replace(
        blank,
        agent=agent(variant),
        slow_critic=fill(blank.slow_critic, slow, "critic."),
        slow_count=jnp.asarray(inputs["state/slowval_count"]),
        returns=returns,
    )


def sequence(variant: str) -> Sequence:
    """The data, one-hot latents and flat actions (see `unpack`)."""
    data = {k[5:]: jnp.asarray(v) for k, v in load(f"{variant}_inputs").items() if k[:5] == "data/"}
    action = data["action"].reshape(*data["reward"].shape, -1)
    flags = {k: data[k] for k in ("reward", "is_first", "is_last", "is_terminal")}
    latent = Latent(data["dyn/deter"], data["dyn/stoch"])
    obs = {"image": data["image"], "vector": data["vector"]}
    return Sequence(obs=obs, action={"action": action}, latent=latent, **flags)


def noise(variant: str) -> Noise:
    """Recorded samples in the place of noise, for `replay_samples`."""
    inputs = load(f"{variant}_inputs")
    steps = config(variant).behavior.imagine
    action = inputs["sample/imgact/action"][:, :steps].swapaxes(0, 1)
    action = action.reshape(*action.shape[:2], -1).astype(np.float32)
    prior = inputs["sample/img"].swapaxes(0, 1).astype(np.float32)
    post = inputs["sample/post"].astype(np.float32)
    return jax.tree.map(jnp.asarray, Noise(post, DreamNoise(prior, {"action": action})))


def replay_samples(monkeypatch) -> None:
    """Let "noise" be the sample itself: class indices and continuous actions as recorded."""
    from reverie.nn import distributions

    monkeypatch.setattr(distributions, "inverse_cdf", lambda probs, u: u.astype(jnp.int32))
    monkeypatch.setattr(distributions.Normal, "sample", lambda self, value: value)


def close(actual, expected, *, rtol: float = 1e-5, atol: float = 1e-6, name: str = "") -> None:
    """Equal within `rtol` of the largest magnitude of the expected array, plus `atol`."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape, (name, actual.shape, expected.shape)
    bound = rtol * np.abs(expected).max(initial=0.0) + atol
    worst = np.abs(actual - expected).max(initial=0.0)
    assert worst <= bound, f"{name}: off by {worst:.3g}, allowed {bound:.3g}"


def layer_arrays(prefix: str) -> dict[str, jax.Array]:
    """The arrays of one part of `fn_layers`, names without the part's."""
    found = load("fn_layers").items()
    start = f"{prefix}/"
    return {k.removeprefix(start): jnp.asarray(v) for k, v in found if k.startswith(start)}


def pull(function, cotangent, *inputs):
    """Output of `function`, and the gradient of Σ output·cotangent for each of its inputs."""

    @jax.jit
    def both(*inputs):
        y, back = jax.vjp(function, *inputs)
        return y, back(cotangent)

    return both(*inputs)
