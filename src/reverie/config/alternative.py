"""The settings that a small task could have instead: published ones for quick ones, and back."""

from reverie.config.presets import default_preset, resolve
from reverie.config.schema import Config

OTHER = {"quick": "published", "published": "quick"}


def alternative(config: Config) -> Config | None:
    """The task's settings under the other of the two presets, with the agent and nothing else that
    the user chose. None for tasks that get no quick settings, sequences, and other presets."""
    other = OTHER.get(config.preset)
    if other is None or config.sequence.tasks or default_preset(config.task) != "quick":
        return None
    return resolve(config.task, agent=config.agent, preset=other)


def updates_of(config: Config) -> float:
    """Updates of a whole run of `config`, a prefill and its pretraining left out."""
    train = config.train
    return config.steps * train.ratio / (train.batch * train.length)
