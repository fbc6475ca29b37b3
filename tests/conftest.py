"""Every test runs on the CPU; the numeric stations also with run-time shape checking."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


import jaxtyping

jaxtyping.install_import_hook(
    ["reverie.nn", "reverie.world", "reverie.behavior"], "beartype.beartype"
)
