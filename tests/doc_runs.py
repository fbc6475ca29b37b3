"""Runs of the pages: what they ask for, over in seconds."""

from dataclasses import replace

from tiny_runs import TINY

from reverie.config.edit import apply, flat
from reverie.config.presets import resolve
from reverie.config.sizes import size_edits
from reverie.folder.run_folder import read_config, write_config

MAKER = """
import gymnasium
import reverie

def make_env():
    return gymnasium.make("CartPole-v1")
"""
"""A module of the reader's own that makes an environment."""

SMALL = {**TINY, "behavior.starts": 0, "device.precision": "f32"}
PLAIN = resolve("gym:CartPole-v1", size="debug", overrides=SMALL)
SAME = ("behavior.horizon", "optim.lr", "optim.warmup", "train.eval_envs")
"""Numbers that presets of the pages choose, and that would compile one program for each."""


def shrunk(config):
    """The same run, over in seconds."""
    own = flat(config)
    plain = {path: value for path, value in flat(PLAIN).items() if path in SAME and path in own}
    size = size_edits("debug", config.agent)
    edits = {**SMALL, **plain, "steps": 120, **size}
    edits["train.eval_every"] = 60 * bool(config.train.eval_every)
    edits["train.prefill"] = min(config.train.prefill, 20)
    edits["train.pretrain"] = min(config.train.pretrain, 2)
    if config.sequence.tasks:
        edits["sequence.steps"] = [60] * len(config.sequence.tasks)
    return apply(config, edits, optional=set(size))


def give(home, train, names: list[str]) -> None:
    """Finished runs on CartPole under these names; those called b-… have another learning rate."""
    for name in names:
        folder = train(replace(PLAIN, logdir=str(home / "runs" / name)))
        if name.startswith("b-"):
            config = apply(read_config(folder / "config.json"), {"optim.lr": 1e-3})
            write_config(folder, config, [])
