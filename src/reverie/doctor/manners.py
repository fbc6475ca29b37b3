"""Small manners: the ends of the action range, pictures for people, closing."""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from reverie.doctor.finding import Finding, failure, note, ok
from reverie.envs.base import Env
from reverie.envs.faults import contained

Make = Callable[[], Env]


def check_extremes(env: Env) -> list[Finding]:
    """Both ends of every action must be accepted."""
    try:
        with contained():
            for end in (0, 1):
                env.reset(0)
                env.step({key: _end(spec, end) for key, spec in env.action_specs.items()})
    except Exception as error:
        return [failure("actions", error, "State the range of actions in action_space.")]
    parts = ", ".join(
        f"{key} ({'x'.join(map(str, spec.classes)) or spec.shape} "
        f"{'classes' if spec.classes else 'numbers'})"
        for key, spec in env.action_specs.items()
    )
    return [ok("actions", f"the least and the greatest are accepted: {parts}.")]


def _end(spec: Any, end: int) -> np.ndarray:
    if spec.kind == "discrete":
        return np.reshape(np.array(spec.classes) - 1, spec.shape).astype(np.int32) * end
    return np.full(spec.shape, 2.0 * end - 1.0, np.float32)


def check_render(make: Make) -> list[Finding]:
    """Whether pictures for people can be drawn."""
    env = make()
    try:
        with contained():
            env.reset(0)
            picture = env.render()
    except Exception as error:
        remedy = "On a machine without a screen set MUJOCO_GL=egl or osmesa before starting."
        return [failure("rendering", error, remedy)]
    finally:
        with contextlib.suppress(Exception), contained():
            env.close()
    if picture is None:
        return [
            note(
                "rendering",
                "it draws no pictures for people (render_mode 'rgb_array'); videos show the "
                "observation instead, where that is a picture.",
            )
        ]
    return [ok("rendering", f"pictures of {picture.shape[0]}x{picture.shape[1]} pixels.")]


def check_close(make: Make) -> list[Finding]:
    """Closing twice must do no harm: a worker may be asked again on its way out."""
    env = make()
    try:
        with contained():
            env.reset(0)
            env.close()
            env.close()
    except Exception as error:
        return [failure("close", error, "Let close() be called twice and after any step.")]
    return [ok("close", "can be closed, also twice.")]
