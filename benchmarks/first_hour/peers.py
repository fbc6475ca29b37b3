"""Stable-Baselines3's side of the table: python peers.py ROW ALGORITHM SEED FILE

Needs an environment of its own with stable-baselines3, sb3-contrib, gymnasium[classic-control,
box2d]
and, for their rows, minigrid. Hyper-parameters are those that rl-baselines3-zoo publishes for the
environment (hyperparams/*.yml); where it has none, the algorithm's defaults. One JSON line an
evaluation; the run ends where the row's threshold is reached or after the zoo's steps.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import environments
import gymnasium
import torch
from rows import ROWS, Row
from sb3_contrib import RecurrentPPO
from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecNormalize


def falling(start: float):
    """A rate that falls to zero over the run."""
    return lambda left: left * start


def net(*units: int, **more: Any) -> dict[str, Any]:
    return {"policy_kwargs": {"net_arch": list(units), **more}}


RUN = {"steps", "envs", "normalize"}
"""What is said of a run, not of the algorithm."""

WIDE = net(256, 256)
LANDER_PPO = {"steps": 1_000_000, "envs": 16, "n_steps": 1024, "batch_size": 64, "gae_lambda": 0.98}
LANDER_PPO |= {"gamma": 0.999, "n_epochs": 4, "ent_coef": 0.01}

ZOO: dict[tuple[str, str], dict[str, Any]] = {
    ("cartpole", "ppo"): {
        "steps": 100_000, "envs": 8, "n_steps": 32, "batch_size": 256, "gae_lambda": 0.8,
        "gamma": 0.98, "n_epochs": 20, "ent_coef": 0.0, "learning_rate": falling(1e-3),
        "clip_range": falling(0.2),
    },
    ("cartpole", "dqn"): {
        "steps": 50_000, "learning_rate": 2.3e-3, "batch_size": 64, "buffer_size": 100_000,
        "learning_starts": 1_000, "gamma": 0.99, "target_update_interval": 10, "train_freq": 256,
        "gradient_steps": 128, "exploration_fraction": 0.16, "exploration_final_eps": 0.04, **WIDE,
    },
    ("acrobot", "ppo"): {
        "steps": 1_000_000, "envs": 16, "normalize": True, "n_steps": 256, "gae_lambda": 0.94,
        "gamma": 0.99, "n_epochs": 4, "ent_coef": 0.0,
    },
    ("acrobot", "dqn"): {
        "steps": 100_000, "learning_rate": 6.3e-4, "batch_size": 128, "buffer_size": 50_000,
        "learning_starts": 0, "gamma": 0.99, "target_update_interval": 250, "train_freq": 4,
        "gradient_steps": -1, "exploration_fraction": 0.12, "exploration_final_eps": 0.1, **WIDE,
    },
    ("pendulum", "ppo"): {
        "steps": 100_000, "envs": 4, "n_steps": 1024, "gae_lambda": 0.95, "gamma": 0.9,
        "n_epochs": 10, "ent_coef": 0.0, "learning_rate": 1e-3, "clip_range": 0.2,
        "use_sde": True, "sde_sample_freq": 4,
    },
    ("pendulum", "sac"): {"steps": 20_000, "learning_rate": 1e-3},
    ("mountain", "ppo"): {
        "steps": 20_000, "normalize": True, "batch_size": 256, "n_steps": 8, "gamma": 0.9999,
        "learning_rate": 7.77e-5, "ent_coef": 0.00429, "clip_range": 0.1, "n_epochs": 10,
        "gae_lambda": 0.9, "max_grad_norm": 5, "vf_coef": 0.19, "use_sde": True,
        "policy_kwargs": {"log_std_init": -3.29, "ortho_init": False},
    },
    ("mountain", "sac"): {
        "steps": 50_000, "learning_rate": 3e-4, "buffer_size": 50_000, "batch_size": 512,
        "ent_coef": 0.1, "train_freq": 32, "gradient_steps": 32, "gamma": 0.9999, "tau": 0.01,
        "learning_starts": 0, "use_sde": True, **net(64, 64, log_std_init=-3.67),
    },
    ("lunar", "ppo"): LANDER_PPO,
    ("lunar", "dqn"): {
        "steps": 100_000, "learning_rate": 6.3e-4, "batch_size": 128, "buffer_size": 50_000,
        "learning_starts": 0, "gamma": 0.99, "target_update_interval": 250, "train_freq": 4,
        "gradient_steps": -1, "exploration_fraction": 0.12, "exploration_final_eps": 0.1, **WIDE,
    },
    ("lunar_box", "ppo"): LANDER_PPO,
    ("lunar_box", "sac"): {
        "steps": 500_000, "batch_size": 256, "learning_rate": falling(7.3e-4), "tau": 0.01,
        "buffer_size": 1_000_000, "gamma": 0.99, "train_freq": 1, "gradient_steps": 1,
        "learning_starts": 10_000, **net(400, 300),
    },
    ("doorkey", "ppo"): {
        "steps": 100_000, "envs": 8, "normalize": True, "n_steps": 128, "batch_size": 64,
        "gae_lambda": 0.95, "gamma": 0.99, "n_epochs": 10, "ent_coef": 0.0,
        "learning_rate": 2.5e-4, "clip_range": 0.2,
    },
}  # fmt: skip

DEFAULT = {"steps": 200_000}
ALGORITHMS = {"ppo": PPO, "dqn": DQN, "sac": SAC, "rppo": RecurrentPPO}
OWN = {"mixed": environments.mixed, "maze": environments.maze, "scaled": environments.scaled}


def make(name: str):
    """The environment of a row as Stable-Baselines3 takes it: numbers and classes in one vector
    where there is no picture (its wrappers' way for DoorKey, as the zoo has it)."""
    if name in OWN:
        return OWN[name]()
    if name == "doorkey":
        import minigrid  # noqa: F401  (registers the ids)

        whole = gymnasium.make("MiniGrid-DoorKey-5x5-v0")
        return gymnasium.wrappers.FilterObservation(whole, ["direction", "image"])
    if name == "breakout":
        return gymnasium.make("MinAtar/Breakout-v1")
    return gymnasium.make(ROWS[name].task.removeprefix("gym:"))


class Look(BaseCallback):
    """Evaluates at the same steps as the row says, and ends the run at its threshold."""

    def __init__(self, row: Row, name: str, normalize: bool, out: Path):
        super().__init__()
        self.row, self.out, self.next, self.began = row, out, row.every, time.monotonic()
        self.envs = make_vec_env(lambda: make(name), seed=1_000)
        if normalize:
            self.envs = VecNormalize(self.envs, training=False, norm_reward=False)

    def _on_step(self) -> bool:
        if self.num_timesteps < self.next:
            return True
        self.next += self.row.every
        if isinstance(self.envs, VecNormalize):
            self.envs.obs_rms = self.training_env.obs_rms
        mean, std = evaluate_policy(
            self.model, self.envs, self.row.episodes, deterministic=True, warn=False
        )
        line = {
            "step": self.num_timesteps,
            "return": round(float(mean), 3),
            "std": round(float(std), 3),
            "seconds": round(time.monotonic() - self.began, 1),
            "cpu": round(time.process_time(), 1),
        }
        with self.out.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return mean < self.row.threshold


def main(name: str, algorithm: str, seed: str, out: str) -> None:
    torch.set_num_threads(1)
    row, said = ROWS[name], ZOO.get((name, algorithm), DEFAULT)
    normalize = said.get("normalize", False)
    envs = make_vec_env(lambda: make(name), n_envs=said.get("envs", 1), seed=int(seed))
    if normalize:
        envs = VecNormalize(envs, gamma=said["gamma"])
    policy = "MlpPolicy"
    if isinstance(envs.observation_space, gymnasium.spaces.Dict):
        policy = "MultiInputPolicy"
    if algorithm == "rppo":
        policy = policy.replace("Policy", "LstmPolicy")
    options = {key: value for key, value in said.items() if key not in RUN}
    model = ALGORITHMS[algorithm](policy, envs, seed=int(seed), device="cpu", **options)
    model.learn(said["steps"], callback=Look(row, name, normalize, Path(out)))


if __name__ == "__main__":
    main(*sys.argv[1:])
