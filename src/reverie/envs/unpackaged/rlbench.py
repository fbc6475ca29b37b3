"""RLBench's reach_target and push_button from pictures. Untested against the simulator.

Source: HarmonyDream's robot tasks (Ma et al. 2024, arXiv:2310.00344).
"""

from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.options import EnvConfig
from reverie.envs.solved import Solved


class Arm(gymnasium.Env):
    """One task over RLBench's `task` environment. Reads `size` and `repeat`.

    Actions are the changes of seven joints and the gripper, (8,) in [−1, 1]. Success is a true
    end; so is a movement that cannot be planned, which pays nothing and shows the picture before
    once more. The time limit is the preset's. `errors`: the exceptions of such movements.
    """

    def __init__(
        self, launched: Any, task: Any, config: EnvConfig, errors: tuple[type[Exception], ...]
    ):
        self._launched, self._task, self._errors = launched, task, errors
        self._repeat = config.repeat
        image = gymnasium.spaces.Box(0, 255, (config.size, config.size, 3), np.uint8)
        self.observation_space = gymnasium.spaces.Dict({"image": image})
        shape = tuple(launched.action_shape)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, shape, np.float32)
        self._shown: dict[str, np.ndarray] = {}

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First picture and info; RLBench draws from numpy's global random numbers."""
        np.random.seed(seed)  # noqa: NPY002
        _, found = self._task.reset()
        return self._show(found), {"success": False}

    def step(self, action: np.ndarray):
        """Picture, reward summed over the repeat, the end, False, info with `success`."""
        total, over, success = 0.0, False, False
        try:
            for _ in range(self._repeat):
                found, reward, over = self._task.step(action)
                success = bool(self._task._task.success()[0])
                total += float(reward)
                if over:
                    break
        except self._errors:
            return self._shown, 0.0, True, False, {"success": False}
        return self._show(found), total, bool(over), False, {"success": success}

    def _show(self, found: Any) -> dict[str, np.ndarray]:
        self._shown = {"image": np.asarray(found.front_rgb, np.uint8)}
        return self._shown

    def close(self) -> None:
        """End the simulator."""
        self._launched.shutdown()


def button_reward(button: np.ndarray, tip: np.ndarray, pushed: float) -> float:
    """Minus the distance (metres) of the arm's tip to the button, plus how far it is pushed."""
    return -float(np.linalg.norm(button - tip)) + abs(pushed)


def _push_button() -> type:
    """RLBench's own task with the shaped reward that it lacks."""
    from rlbench import tasks  # pyright: ignore[reportMissingImports]

    class PushButton(tasks.PushButton):  # RLBench finds the scene by the name of the class
        """Push the button; shaped."""

        def init_task(self) -> None:
            """Remember where the button starts."""
            tasks.PushButton.init_task(self)
            self.rest = self.joint.get_joint_position()

        def reward(self) -> float:
            """See `button_reward`."""
            tip = self.robot.arm.get_tip().get_position()
            pushed = self.joint.get_joint_position() - self.rest
            return button_reward(self.target_button.get_position(), tip, pushed)

    return PushButton


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """reach_target (RLBench's shaped reward) or push_button. The front camera alone is drawn."""
    from pyrep.errors import (  # pyright: ignore[reportMissingImports]
        ConfigurationPathError,
        IKError,
    )
    from rlbench import tasks  # pyright: ignore[reportMissingImports]
    from rlbench.action_modes import (  # pyright: ignore[reportMissingImports]
        action_mode,
        arm_action_modes,
        gripper_action_modes,
    )
    from rlbench.backend.exceptions import (  # pyright: ignore[reportMissingImports]
        InvalidActionError,
    )
    from rlbench.environment import Environment  # pyright: ignore[reportMissingImports]
    from rlbench.observation_config import (  # pyright: ignore[reportMissingImports]
        ObservationConfig,
    )

    shown = ObservationConfig()
    for camera in ("left_shoulder", "right_shoulder", "overhead", "wrist"):
        getattr(shown, f"{camera}_camera").set_all(False)
    front = shown.front_camera
    front.image_size = (config.size, config.size)
    front.depth = front.point_cloud = front.mask = False
    launched = Environment(
        action_mode=action_mode.MoveArmThenGripper(
            arm_action_mode=arm_action_modes.JointPosition(absolute_mode=False),
            gripper_action_mode=gripper_action_modes.Discrete(),
        ),
        obs_config=shown,
        headless=True,
        shaped_rewards=True,
        **kwargs,
    )
    launched.launch()
    task = launched.get_task(_push_button() if name == "push_button" else tasks.ReachTarget)
    errors = (IKError, ConfigurationPathError, InvalidActionError)
    return Solved(Arm(launched, task, config, errors))
