"""What a flag that does not exist may have meant: a path, another library's name, a near one."""

from collections.abc import Iterable

from reverie.config.version_0_1 import RENAMED
from reverie.part.errors import suggest

ELSEWHERE = {
    "batch_size": "train.batch",
    "batch_length": "train.length",
    "buffer_size": "replay.capacity",
    "cuda": "device.kind",
    "device": "device.kind",
    "ent_coef": "behavior.actor.entropy",
    "env_id": "",
    "env": "",
    "gamma": "behavior.horizon",
    "learning_rate": "optim.lr",
    "learning_starts": "train.prefill",
    "log_dir": "logdir",
    "n_envs": "env.num",
    "n_timesteps": "steps",
    "num_envs": "env.num",
    "output": "logdir",
    "task": "",
    "timesteps": "steps",
    "total_timesteps": "steps",
    "train_ratio": "train.ratio",
}
"""Names of other libraries' options -> ours; empty: the task, which is written without a flag."""


def unknown(text: str, known: Iterable[str]) -> str:
    """The sentence about the flag `--text`, which is none of `known` (dotted paths).

    It names the option of that path, those that end so (all of them where there are several), what
    other libraries call so, or the nearest spelling.
    """
    name, known = text.replace("-", "_"), list(known)
    said = f"there is no option --{text}"
    if name in RENAMED:
        return f"{said} any more: it is --{RENAMED[name]} now."
    ends = sorted((path for path in known if _ends(path, name)), key=_depth)
    if ends:
        return f"{said}; {_meant(ends)}"
    if name in ELSEWHERE:
        meant = ELSEWHERE[name]
        if not meant:
            return f"{said}: the task is written without one, `reverie train gym:CartPole-v1`."
        return f"{said}; did you mean '--{meant}'?"
    hint = suggest(name, known)
    if hint.startswith("did"):
        return f"{said}; {hint.replace(chr(39), chr(39) + '--', 1)}"
    return f"{said}; `reverie train TASK --help all` lists them."


SHOWN = 6
"""Other paths with the same ending that a sentence lists."""


def _ends(path: str, name: str) -> bool:
    return path.endswith(f".{name}")


def _depth(path: str) -> tuple[int, str]:
    return path.count("."), path


def _meant(paths: list[str]) -> str:
    first, *others = (f"--{path}" for path in paths)
    hint = f"did you mean '{first}'?"
    if not others:
        return hint
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    return f"{hint} Others end so too: {', '.join(others[:SHOWN])}{more}."
