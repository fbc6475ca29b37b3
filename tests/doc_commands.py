"""Does a command line mean something? Asked of the parsers that the command itself uses."""

import re

import tyro

from reverie.api.sweep_plan import compose
from reverie.api.sweep_words import split
from reverie.bench.options import (
    ActOptions,
    EnvOptions,
    LaunchOptions,
    ReplayOptions,
    UpdateOptions,
)
from reverie.cli import main
from reverie.config import reader
from reverie.config.sizes import with_size
from reverie.doctor.options import DoctorOptions
from reverie.dream.options import DreamOptions
from reverie.envs import catalog
from reverie.envs.suites import SUITES
from reverie.export.options import ExportOptions
from reverie.launch import as_sequence, help_text, read
from reverie.options import CompareOptions, EvalOptions, ReportOptions
from reverie.share.options import PullOptions, PushOptions
from reverie.sweep_verb import ACTIONS
from reverie.verbs import VERBS

RECORDS = {
    "report": ReportOptions,
    "compare": CompareOptions,
    "doctor": DoctorOptions,
    "export": ExportOptions,
    "dream": DreamOptions,
    "push": PushOptions,
    "pull": PullOptions,
    "bench update": UpdateOptions,
    "bench launches": LaunchOptions,
    "bench act": ActOptions,
    "bench env": EnvOptions,
    "bench replay": ReplayOptions,
}
LISTING = ("tasks", "presets", "completion")
"""Verbs that are quick enough to be run."""
MODULES = {"my_draws.py": "parts.md", "my_package/draws.py": "replay.md"}
"""Modules of the reader's own that commands name: the first Python block of a page each."""
PLACES = {"TASK": "gym:CartPole-v1", "ID": "CartPole-v1", "RUN": "runs/mine", "NAME": "quick"}
"""Words in capitals that stand for one of the reader's own, and a value for each."""


def config_of(words: list[str]):
    """The whole configuration of the words after `reverie train`, size included."""
    config = read(words).config()
    config = with_size(config, pictures=True)
    if config.task.partition("_")[0] in SUITES:
        catalog.parse(config.task)
    return config


def understand(words: list[str]) -> None:
    """Raises what the command would say (ConfigError, EnvError, SystemExit) where it refuses.

    `words` begin with `reverie`; words of `PLACES` and variables of the shell are filled in.
    """
    assert words[0] == "reverie", words
    end = words.index(">") if ">" in words else len(words)  # what goes into a file is ours still
    verb, *rest = [_filled(word) for word in words[1:end]]
    rest = [word for word in rest if word != "--debug"]
    if verb in ("--help", "--version"):
        return
    assert verb in VERBS, f"reverie {verb}: no such verb"
    if verb == "train" and "--help" in rest:
        assert help_text(read(rest))
    elif verb == "train":
        config_of(rest)
    elif verb == "sweep":
        if rest[0] not in ACTIONS:
            compose(split(rest))
    elif verb == "continual":
        config_of(as_sequence(rest))
    elif verb == "eval":
        tyro.cli(EvalOptions, args=reader.take(rest)[0], use_underscores=True)
    elif verb in LISTING:
        assert main([verb, *rest]) == 0, words
    elif rest[-1:] != ["--help"]:
        name = f"bench {rest.pop(0)}" if verb == "bench" else verb
        tyro.cli(RECORDS[name], args=rest, use_underscores=True)


def _filled(word: str) -> str:
    word = re.sub(r"\$\w+", "0", word)
    return re.sub(r"\b[A-Z]+\b", lambda found: PLACES.get(found[0], found[0]), word)
