"""From the words after `reverie train` to a configuration, and the help that shows them all.

Flags that are configuration keys are read here, through the same checks as `override` from Python,
so that both say the same sentence. The help (`help.py`) is drawn from the same records.
"""

import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reverie.config import preset_file, several, start
from reverie.config.edit import field_docs, field_types, flat
from reverie.config.flags import unknown
from reverie.config.overview import OVERVIEW, is_topic
from reverie.config.preset_file import Chosen
from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.config.sequence import SEQUENCES
from reverie.envs.importing import task_name, with_task_names
from reverie.part.errors import ConfigError
from reverie.part.part import is_slot, slot_of_many
from reverie.part.values import coerce

NAMED = {
    "agent": "Agent preset.",
    "size": "Model size, each agent has its own. v3: debug, tiny, 1m, 12m, 25m, 50m, 100m, 200m or "
    "400m; v3-2023: debug, tiny, xs, s, m, l or xl; v2: debug, tiny, w200, w600 or w1024. auto: "
    "the preset's own (quick: tiny), else what the observations need (v3: 1m for vectors, 12m as "
    "soon as there are pictures; v3-2023: xs, s; v2: w200).",
    "preset": "Benchmark preset (see `reverie presets`), or a file of your own such as "
    "my/preset.toml; empty: quick for single small tasks (no screen, camera, body or many rooms) "
    "and MODULE:FUNCTION, published for all others: what belongs to the task's suite.",
    "methods": "Method presets, laid over benchmark and size.",
    "harmony": "HarmonyDream: balance the world model's losses by learned scalars.",
    "balance": "How these losses are balanced: fixed, harmony, reciprocal, unrectified, dwa, and "
    "others that `reverie presets` lists; empty: fixed.",
    "replay": "Replay strategy: uniform, uncertainty, curious, recency, reservoir, and others that "
    "`reverie presets` lists; empty: the one of the other presets.",
}
"""Flags of `reverie train` that choose presets, with their meaning."""

FROM = "Step of a checkpoint to resume from instead of the newest; what came after is done again."
"""Meaning of the flag `--from`."""

SHORT = {"loop": "train.loop"}
"""Short spellings of options."""

DEBUG = "Show the whole traceback of an error."

LOOP = "Short for --train.loop: host, or device (JAX-native tasks; all of it one compiled program)."

LONE = {**several.FLAGS, "loop": LOOP, "from": FROM, **start.FLAGS, "debug": DEBUG}
"""Flags of `reverie train` without a field of their own, with their meaning."""

_TRUTHS = ("true", "false", "1", "0", "yes", "no")


@dataclass(frozen=True)
class Launch:
    """What a command line asks for; `config` composes it."""

    task: str = ""
    agent: str = ""
    size: str = "auto"
    preset: str = ""
    methods: tuple[str, ...] = ()
    harmony: bool = False
    balance: str = ""
    replay: str = ""
    from_step: int | None = None
    seeds: tuple[int, ...] = ()
    together: bool = True
    init: start.Start | None = None
    help: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        for name in ("task", "agent", "size", "preset", "balance", "replay"):
            coerce(getattr(self, name), str, name)
        for name, kind in (("methods", tuple[str, ...]), ("harmony", bool)):
            object.__setattr__(self, name, coerce(getattr(self, name), kind, name))
        if not isinstance(self.overrides, Mapping):
            raise ConfigError(
                'overrides takes a dictionary such as {"world.dynamics.deter": 256}, found '
                f"{self.overrides!r}."
            )

    def config(self) -> Config:
        """The composed configuration. Raises ConfigError as `resolve` does."""
        own = self.chosen()
        return resolve(
            task_name(self.task),
            agent=own.agent or None,
            size=own.size,
            preset=own.preset or None,
            methods=own.methods,
            balance=own.balance or None,
            replay=own.replay or None,
            overrides=own.overrides,
        )

    def chosen(self) -> Chosen:
        """What it names besides the task."""
        return Chosen(
            agent=self.agent,
            size=self.size,
            preset=self.preset,
            methods=(*self.methods, "harmony") if self.harmony else self.methods,
            balance=self.balance,
            replay=self.replay,
            overrides=with_task_names(self.overrides),
        )


def read(words: Sequence[str]) -> Launch:
    """The launch that the words after `reverie train` describe.

    `--key value`, `--key=value`, `--flag`, `--no-flag` (also `--env.no-gray`) and lists
    (`--env.exclude a b`, `--env.exclude a,b`) are understood; `-` and `_` are the same.

    Raises:
        ConfigError: an unknown flag (nearest named), a flag without its value or given twice, no
            task or more than one.
    """
    found: dict[str, Any] = {}
    tasks: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word in ("-h", "--help"):
            found["help"] = queue.pop(0) if queue[:1] and is_topic(queue[0]) else OVERVIEW
        elif word.startswith("--"):
            name, value = _flag(word, queue)
            name = SHORT.get(name, name)
            if name in found:
                raise ConfigError(f"--{name} is given twice; keep one of them.")
            found[name] = value
            several.check_single(name, value, queue)
        else:
            tasks.append(word)
    return _launch(found, tasks)


def as_sequence(words: Sequence[str]) -> list[str]:
    """The words of `reverie train` that mean `reverie continual` with these words.

    One name of a sequence becomes the task `continual:NAME`, tasks become `sequence.tasks`.

    Raises ConfigError where neither is given.
    """
    asked = [index for index, word in enumerate(words) if word in ("-h", "--help")]
    if asked:
        name = next((word for word in words if word in SEQUENCES), "minigrid3")
        topic = [word for word in words[asked[0] + 1 :] if is_topic(word) and word != name]
        return [f"continual:{name}", "--help", *topic[:1]]
    tasks, rest = _leading_tasks(words)
    if not tasks:
        raise ConfigError(
            "say what to learn: reverie continual NAME, or several TASKs with --sequence.steps; "
            f"the named sequences are {', '.join(SEQUENCES)}."
        )
    if len(tasks) == 1 and "_" not in tasks[0] and ":" not in tasks[0]:
        return [f"continual:{tasks[0]}", *rest]
    return ["continual:custom", "--sequence.tasks", ",".join(tasks), *rest]


def _leading_tasks(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words before the first flag, and the rest."""
    flags = [index for index, word in enumerate(words) if word.startswith("--")]
    end = flags[0] if flags else len(words)
    return list(words[:end]), list(words[end:])


def _launch(found: dict[str, Any], tasks: list[str]) -> Launch:
    if len(tasks) > 1:
        raise ConfigError(
            f"one task at a time, found {' and '.join(tasks)}; an option starts with -- and is "
            "written --key value."
        )
    if not tasks and "help" not in found:
        raise ConfigError(
            "the task is missing: write `reverie train TASK`, for example `reverie train "
            "gym:CartPole-v1`; `reverie tasks` lists them."
        )
    own = {name: found.pop(name) for name in (*NAMED, "help") if name in found}
    if "from" in found:
        own["from_step"] = coerce(found.pop("from"), int, "from")
    own["init"] = start.start_of(found.pop("init", None), found.pop("init_take", None))
    own |= several.seeds_of(found, own)
    return Launch(task=tasks[0] if tasks else "", overrides=found, **own)


def _flag(word: str, queue: list[str]) -> tuple[str, Any]:
    """Name and value of the flag `word`; a value of its own is taken from `queue`."""
    text, equals, value = word[2:].partition("=")
    name = text.replace("-", "_")
    kinds = _kinds()
    group, dot, leaf = name.rpartition(".")
    positive = group + dot + leaf.removeprefix("no_")
    if name not in kinds and kinds.get(positive) is bool and not equals:
        return positive, False
    if name not in kinds and not _below_a_part(name):
        raise ConfigError(unknown(text, kinds))
    if equals:
        return name, value.split(",") if name == "methods" else value
    return name, _value(name, kinds.get(name, str), queue)


def _below_a_part(name: str) -> bool:
    """Whether this may be an option of a part from elsewhere, which only its own record knows."""
    slots = [path for path, kind in field_types().items() if is_slot(kind) or slot_of_many(kind)]
    return any(name.startswith(f"{path}.") for path in slots)


def _value(name: str, kind: Any, queue: list[str]) -> Any:
    if kind is bool:
        return queue.pop(0) if queue and queue[0].lower() in _TRUTHS else True
    values: list[str] = []
    single = typing.get_origin(kind) is not tuple
    while queue and not queue[0].startswith("--") and not (single and values):
        values.append(queue.pop(0))
    if not values and name not in _kinds():  # a switch of a part from elsewhere
        return True
    if not values:
        raise ConfigError(f"--{name} needs a value. {_meaning(name)}")
    return values[0] if single else [part for word in values for part in word.split(",")]


def _kinds() -> dict[str, Any]:
    config = {k: v for k, v in field_types().items() if k not in ("task", "pinned")}
    own = {"agent": str, "size": str, "preset": str, "methods": tuple[str, ...]}
    own |= {"harmony": bool, "balance": str, "replay": str, "from": int}
    own |= {"seeds": tuple[int, ...], "together": bool, **dict.fromkeys(start.FLAGS, str)}
    return {**config, **own, **{short: config[name] for short, name in SHORT.items()}}


def _meaning(name: str) -> str:
    return LONE.get(name) or NAMED.get(name) or field_docs()[name]


def help_text(launch: Launch) -> str:
    """What `--help` shows: the options that matter first, a group of them, or all of them.

    Raises ConfigError where the word after it is no group.
    """
    from reverie.help import text_of

    return text_of(launch, NAMED, LONE)


def save_preset(words: Sequence[str]) -> Path:
    """Keeps what options set as a preset file: `--save FILE.toml [TASK] [--key value ...]`.

    Raises ConfigError as `read` and `Launch.config` do, and where the file cannot be written.
    """
    _, equals, file = words[0].partition("=")
    rest = list(words[1:] if equals else words[2:])
    file = file if equals else "".join(words[1:2])
    if not file or file.startswith("-"):
        raise ConfigError("usage: reverie presets --save FILE.toml [TASK] [--key value ...]")
    task = [] if rest and not rest[0].startswith("-") else [Config().task]
    launch = read([*task, *rest])
    if launch.help or launch.init or launch.from_step is not None:
        raise ConfigError("--help, --from and --init are no matter of a preset: leave them out.")
    path = Path(file).expanduser()
    preset_file.write(path, launch.chosen(), flat(launch.config()))
    return path
