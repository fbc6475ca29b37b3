"""What is measured: a model, the observations and actions it lives in, and rows of chance."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.config.sizes import size_edits
from reverie.records import Spec, Specs, Step
from reverie.replay.rows import BFLOAT16, LATENT, Columns
from reverie.train.columns import columns_of

PICTURE: Specs = {"image": Spec("image", (64, 64, 3))}
NUMBERS: Specs = {
    "height": Spec("vector", ()),
    "orientations": Spec("vector", (14,)),
    "velocity": Spec("vector", (9,)),
}
"""The 24 numbers of the walker of DM Control."""

CLASSES: Specs = {"action": Spec("discrete", (), (6,))}
TORQUES: Specs = {"action": Spec("vector", (6,), low=(-1.0,) * 6, high=(1.0,) * 6)}

SPACES: dict[str, tuple[Specs, Specs]] = {
    "image": (PICTURE, CLASSES),
    "vector": (NUMBERS, TORQUES),
    "both": (PICTURE | NUMBERS, TORQUES),
}
"""Observations and actions by the option `--obs`."""


@dataclass(frozen=True)
class Case:
    """One model in one pair of spaces."""

    size: str
    obs: str
    config: Config

    @property
    def precision(self) -> str:
        return self.config.device.precision

    @property
    def name(self) -> str:
        """`12m image f32`, and the mesh where there is one: unique among the cases of one call."""
        return f"{self.size} {self.obs} {self.precision} {self.config.device.mesh}".rstrip()

    @property
    def obs_specs(self) -> Specs:
        return SPACES[self.obs][0]

    @property
    def action_specs(self) -> Specs:
        return SPACES[self.obs][1]

    @property
    def columns(self) -> Columns:
        """What a row of replay holds."""
        return columns_of(self.obs_specs, self.action_specs, self.config)

    @property
    def lead(self) -> tuple[int, int]:
        """Leading axes (B, context + T) of a batch of rows."""
        train = self.config.train
        return train.batch, self.config.replay.context + train.length


def cases(
    sizes: Sequence[str],
    obs: Sequence[str],
    precisions: Sequence[str],
    changes: Mapping[str, Any] | None = None,
    *,
    scan: str = "auto",
    meshes: Sequence[str] = ("",),
) -> list[Case]:
    """Every combination, with the form of scans `device.scan`.

    Raises ConfigError for changes that the configuration refuses.
    """
    return [
        Case(size, kind, apply(Config(), size_edits(size) | device | dict(changes or {})))
        for size, kind, precision, mesh in itertools.product(sizes, obs, precisions, meshes)
        for device in [
            {"device.precision": precision, "device.scan": scan, "device.mesh": mesh},
        ]
    ]


def random_rows(case: Case, seed: int = 0) -> dict[str, np.ndarray]:
    """A batch as replay draws it: noise within the range of every column, one episode a row."""
    rng = np.random.default_rng(seed)
    dynamics = case.config.world.dynamics
    classes = {LATENT + name: count for name, count in dynamics.classes().items()}
    classes |= {f"action/{k}": s.classes[0] for k, s in case.action_specs.items() if s.classes}
    rows = {}
    for key, column in case.columns.items():
        shape = (*case.lead, *column.shape)
        if column.dtype.kind == "b":
            rows[key] = np.zeros(shape, bool)
        elif column.dtype.kind == "f" or column.dtype == BFLOAT16:
            rows[key] = np.clip(rng.normal(size=shape), -1, 1).astype(column.dtype)
        else:
            rows[key] = rng.integers(0, classes.get(key, 256), shape).astype(column.dtype)
    rows["is_first"][:, 0] = True
    return rows


def random_step(case: Case, envs: int, seed: int = 0) -> Step:
    """What `envs` environments in the middle of their episodes show."""
    rng = np.random.default_rng(seed)
    obs = {}
    for key, spec in case.obs_specs.items():
        values = rng.uniform(0, 256 if spec.kind == "image" else 1, (envs, *spec.shape))
        obs[key] = values.astype(spec.dtype)
    never = np.zeros(envs, bool)
    return Step(obs, np.zeros(envs, np.float32), never, never, never)
