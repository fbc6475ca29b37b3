"""How much of an observation its latents tell, against arithmetic by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.config.presets import resolve
from reverie.nn.distributions import Categorical, SquaredError
from reverie.nn.options import RewardConfig
from reverie.part.errors import ConfigError
from reverie.records import Latent, Spec
from reverie.world.key_loss import constant_loss, key_loss
from reverie.world.model import outline
from reverie.world.options import WorldConfig
from reverie.world.reconstruction import Reconstruction

RNG = np.random.default_rng(0)
NUMBERS = Spec("vector", (3,))
PICTURE = Spec("image", (4, 5, 3))
KIND = Spec("discrete", (2,), (3, 4))


class Guess:
    """A decoder whose predictions are given."""

    def __init__(self, specs, preds):
        self.specs, self.preds = tuple(sorted(specs.items())), preds

    def __call__(self, view):
        return self.preds

    def losses(self, preds, obs):
        return {name: key_loss(preds[name], obs[name], spec) for name, spec in self.specs}


def observations(count=500):
    return {
        "numbers": jnp.asarray(RNG.normal(size=(count, 3)) * (1, 10, 100), jnp.float32),
        "picture": jnp.asarray(RNG.integers(0, 256, (count, 4, 5, 3)), jnp.uint8),
        "kind": jnp.stack([jnp.asarray(RNG.integers(0, n, count)) for n in (3, 4)], 1),
    }


SPECS = {"numbers": NUMBERS, "picture": PICTURE, "kind": KIND}


def shares(config, preds, obs):
    return config.explained(Guess(SPECS, preds), Latent(jnp.zeros((1, 1)), jnp.zeros((1, 1))), obs)


def symlog(x):
    return np.sign(x) * np.log1p(np.abs(x))


@pytest.mark.parametrize(
    "config", [Reconstruction(), Reconstruction(image="gauss", vector="gauss")]
)
def test_a_constant_guess_explains_nothing_and_the_truth_everything(config):
    obs = observations()
    gauss = config.vector == "gauss"
    numbers = np.asarray(obs["numbers"]) if gauss else symlog(np.asarray(obs["numbers"]))
    frequencies = [np.bincount(obs["kind"][:, i], minlength=n) for i, n in enumerate((3, 4))]
    weight = 0.5 if gauss else 1.0

    def preds(numbers, picture, logits):
        return {
            "numbers": SquaredError(numbers, symlog=not gauss, weight=weight),
            "picture": SquaredError(picture, weight=weight),
            "kind": [Categorical(x) for x in logits],
        }

    count, scaled = len(numbers), np.asarray(obs["picture"]) / 255
    constant = preds(
        jnp.broadcast_to(numbers.mean(0), (count, 3)),
        jnp.broadcast_to(scaled.mean(0), scaled.shape).astype(jnp.float32),
        [jnp.broadcast_to(jnp.log(f / f.sum()), (count, len(f))) for f in frequencies],
    )
    for key, share in shares(config, constant, obs).items():
        assert abs(float(share)) < 1e-4, key
    logits = [50.0 * jax.nn.one_hot(obs["kind"][:, i], n) for i, n in enumerate((3, 4))]
    truth = preds(jnp.asarray(numbers), jnp.asarray(scaled, jnp.float32), logits)
    for key, share in shares(config, truth, obs).items():
        assert float(share) == pytest.approx(1.0, abs=1e-4), key


def test_one_number_of_three_known_is_its_share_of_the_variance():
    obs = observations()
    numbers = symlog(np.asarray(obs["numbers"]))
    known = np.broadcast_to(numbers.mean(0), numbers.shape).copy()
    known[:, 2] = numbers[:, 2]
    told = key_loss(SquaredError(jnp.asarray(known), symlog=True), obs["numbers"], NUMBERS).mean()
    share = 1 - told / constant_loss(obs["numbers"], NUMBERS, image="sse", vector="symlog")
    variance = numbers.var(0)
    assert float(share) == pytest.approx(variance[2] / variance.sum(), rel=1e-4)


def test_what_never_varies_has_no_share():
    still = {key: jnp.broadcast_to(x[:1], x.shape) for key, x in observations().items()}
    logits = [jnp.zeros((500, n)) for n in (3, 4)]
    preds = {"numbers": SquaredError(still["numbers"] * 0, symlog=True)}
    preds |= {"picture": SquaredError(jnp.zeros((500, 4, 5, 3)))}
    preds |= {"kind": [Categorical(x) for x in logits]}
    found = shares(Reconstruction(), preds, still)
    assert set(found) == set(SPECS)
    assert all(np.isnan(float(share)) for share in found.values())


def test_single_keys_have_weights_of_their_own():
    found = Reconstruction(weight=2.0, weights=("kind=10", "numbers=0.5")).outline(SPECS, {})
    assert {loss.name: loss.weight for loss in found} == {"kind": 20, "numbers": 1, "picture": 2}


def test_numbers_classes_and_reward_may_weigh_more_beside_pictures():
    config = WorldConfig(
        objective=Reconstruction(weight=2.0, weights=("kind=3",)),
        reward=RewardConfig(weight=5.0),
        beside_pictures=10.0,
    )
    weights = {loss.name: loss.weight for loss in outline(SPECS, {}, config)}
    assert weights["picture"] == 2 and weights["con"] == 1
    assert [weights[name] for name in ("kind", "numbers", "rew")] == [60, 20, 50]
    alone = {"numbers": NUMBERS, "kind": KIND}
    weights = {loss.name: loss.weight for loss in outline(alone, {}, config)}
    assert [weights[name] for name in ("kind", "numbers", "rew")] == [6, 2, 5]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind", ["kind"]),
        ("=3", ["KEY=FACTOR"]),
        ("kind=-1", ["at least 0", "-1"]),
        ("kind=much", ["much"]),
        ("kind=nan", ["nan"]),
    ],
)
def test_a_weight_that_cannot_be_read_is_one_sentence(text, words):
    with pytest.raises(ConfigError) as error:
        resolve("gym:X-v0", overrides={"world.objective.weights": (text,)})
    assert all(word in str(error.value) for word in words)


def test_a_weight_of_no_observation_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'kind'"):
        Reconstruction(weights=("kin=2",)).outline(SPECS, {})
