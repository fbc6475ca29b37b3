"""The first page of `reverie train --help`: the options that matter first, and the groups of all.

Nothing here imports JAX: without a task the page shows no defaults, and comes at once.
"""

from collections.abc import Mapping

from reverie.part.errors import ConfigError, suggest

OVERVIEW, ALL, PRESETS, RUN = "overview", "all", "presets", "run"
"""What `--help` may show besides a group: the first page, everything; two groups without a path."""

COMMON = {
    "steps": ("N", "environment steps of the whole run"),
    "seed": ("N", "root of all randomness"),
    "seeds": ("N N ...", "several seeds in one process, each in a run folder of its own"),
    "logdir": ("DIR", "run folder; the same command with the same folder resumes"),
    "from": ("STEP", "resume from an older checkpoint"),
    "size": ("NAME", "model size: debug, tiny, 1m, 12m ... (`reverie presets`)"),
    "agent": ("NAME", "v3, v3-2023 or v2"),
    "preset": ("NAME", "benchmark preset (`reverie presets`), or a file of your own"),
    "methods": ("NAME ...", "method presets, laid over the others"),
    "harmony": ("", "HarmonyDream: balance the world model's losses"),
    "balance": ("NAME", "another way to balance them"),
    "replay": ("NAME", "replay strategy: uniform, curious, reservoir ..."),
    "explore": ("NAME", "explorer: none, plan2explore ..."),
    "env.num": ("N", "environments side by side"),
    "env.limit": ("N", "agent steps after which an episode is cut"),
    "env.kwargs": ("JSON", "arguments of the environment"),
    "train.ratio": ("R", "replayed steps learned from for each environment step"),
    "train.batch": ("N", "sequences in a batch"),
    "train.length": ("N", "steps of a sequence"),
    "loop": ("NAME", "host, or device: environments in JAX and learning in one program"),
    "train.eval_every": ("N", "environment steps between evaluations; 0: only at the end"),
    "optim.lr": ("R", "learning rate"),
    "behavior.actor.entropy": ("R", "weight of the policy's entropy"),
    "behavior.imagine": ("N", "steps of a dream"),
    "device.kind": ("NAME", "auto, cpu, gpu or tpu"),
    "log.progress": ("NAME", "auto, live, plain or none"),
}
"""Flags of the first page: how the value is written, and what it is for."""

GROUPS = {
    PRESETS: "agent, size, benchmark, methods, balance, replay strategy",
    RUN: "steps, seed, folder",
    "sequence": "several tasks, one after the other",
    "env": "the environment, its processes, what is seen of it",
    "replay": "what is kept, what is drawn, in which units",
    "net": "what all networks share",
    "world": "encoder, dynamics, objective, heads, loss balance",
    "behavior": "dreams, actor, critic, returns",
    "explore": "explorers, who seek what is new",
    "bonus": "rewards for rare visits",
    "optim": "optimiser, learning rates, schedules",
    "train": "batches, ratio, evaluation, checkpoints",
    "log": "progress, metrics, videos",
    "device": "device, precision, cache of compiled programs",
}
"""The groups of all options, with what is in them."""


def is_topic(word: str) -> bool:
    """Whether the word after `--help` says what to show, and is no task."""
    if word.startswith("-") or ":" in word:
        return False
    return word in GROUPS or "." in word or "_" not in word


def check_topic(topic: str, paths: list[str]) -> None:
    """Raises ConfigError where there is nothing below `topic` to show."""
    below = any(path == topic or path.startswith(f"{topic}.") for path in paths)
    if topic not in (OVERVIEW, ALL, *GROUPS) and not below:
        raise ConfigError(
            f"there is no group of options {topic!r}; {suggest(topic, [ALL, *GROUPS, *paths])}"
        )


def page(task: str = "", defaults: Mapping[str, str] | None = None, *, verb: str = "train") -> str:
    """The first page, for a task with its `defaults` by flag."""
    defaults = defaults or {}
    what = task or ("TASK" if verb == "train" else "NAME | TASK TASK ...")
    lines = [f"usage: reverie {verb} {what} [options]", ""]
    lines += [
        f"Learn {task}, or resume the run in its folder; the defaults shown are this task's."
        if task
        else "Learn TASK (suite_task, gym:ID or MODULE:FUNCTION; `reverie tasks`), or resume it.",
        "",
    ]
    for name, (value, meaning) in COMMON.items():
        default = f" [{defaults[name]}]" if defaults.get(name) else ""
        lines.append(f"  {f'--{name} {value}':<32}{meaning}{default}")
    lines += ["", "All options, by group:", ""]
    lines += [f"  --help {name:<12}{meaning}" for name, meaning in GROUPS.items()]
    hint = "" if task else "; with a TASK, the defaults are that task's"
    lines += ["  --help all         every option" + hint, "", "For a start:"]
    lines += ["  reverie train gym:CartPole-v1 --seed 0", ""]
    return "\n".join(lines)
