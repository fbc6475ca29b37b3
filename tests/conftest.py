"""Every test runs with strict shapes; the numeric stations also with run-time shape checking."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import jax
import jaxtyping

jax.config.update("jax_numpy_rank_promotion", "raise")
jaxtyping.install_import_hook(
    ["reverie.nn", "reverie.world", "reverie.behavior"], "beartype.beartype"
)
