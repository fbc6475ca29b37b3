"""Every name that may stand in metrics.jsonl, with its unit and meaning.

A `<part>` of a pattern stands for one or more characters other than "/". `docs/metrics.md` is
written from it by `python scripts/metrics_page.py docs/metrics.md`.
"""

import difflib
import re
from collections.abc import Iterable
from typing import NamedTuple


class Metric(NamedTuple):
    """One name, or a family of names, of metrics.jsonl."""

    pattern: str
    unit: str
    meaning: str


EPISODES = (
    Metric("episode/return", "reward", "sum of rewards of a finished training episode"),
    Metric("episode/length", "steps", "length of a finished training episode, agent steps"),
    Metric("eval/return", "reward", "mean return over the episodes of one evaluation"),
    Metric(
        "eval/return_std", "reward", "standard deviation of the return over evaluation episodes"
    ),
    Metric("eval/length", "steps", "mean length of evaluation episodes, agent steps"),
    Metric("eval/episodes", "1", "number of evaluation episodes"),
    Metric(
        "eval/restarts",
        "1",
        "restarts of evaluation environments: another episode is played for one that crashed",
    ),
    Metric(
        "episode/log/<name>",
        "as named",
        "largest value in a finished training episode of `<name>`, which the environment shows to "
        "people only (success, achievements)",
    ),
    Metric("eval/log/<name>", "as named", "the same, mean over evaluation episodes"),
    Metric("eval/log/<name>/<task>", "as named", "in a sequence of tasks: the same for `<task>`"),
    Metric(
        "eval/return/<task>",
        "reward",
        "in a sequence of tasks: mean return of `<task>` (a slash in its name is written _); "
        "`eval/return` is then the mean over tasks",
    ),
    Metric(
        "eval/length/<task>", "steps", "in a sequence of tasks: mean episode length of `<task>`"
    ),
    Metric("sequence/visit", "1", "number of the visit to a task, counted from 0 over all passes"),
)

LOSSES = (
    Metric(
        "loss/rew",
        "nats",
        "negative log-likelihood of the reward; one between two bins of a two-hot head, as 0.5 is, "
        "costs up to 0.69 however well it is known",
    ),
    Metric("loss/con", "nats", "cross-entropy of the continue flag"),
    Metric("loss/dyn", "nats", "KL that trains the prior, floored at the free nats"),
    Metric("loss/rep", "nats", "KL that trains the posterior, floored at the free nats"),
    Metric("loss/policy", "1", "actor loss, entropy bonus included"),
    Metric("loss/value", "nats", "critic loss in imagination, pull to the slow critic included"),
    Metric("loss/repval", "nats", "critic loss on replayed sequences"),
    Metric("loss/total", "1", "weighted sum of all losses, the number that is differentiated"),
    Metric("loss/<key>", "squared error or nats", "reconstruction of the observation `<key>`"),
)

EXPLAINED = (
    Metric(
        "explained/<key>",
        "share",
        "how much of what varies in the observation `<key>` its latents tell, on a draw of the "
        "replay: 1 is all of it, 0 what a constant guess tells too (variance of numbers and "
        "pictures, entropy of classes); with every dream",
    ),
    Metric(
        "model/kl_played",
        "nats",
        "KL of the posterior from the prior on rows of the evaluation, from which nothing was "
        "learned, first rows of episodes left out",
    ),
    Metric(
        "model/kl_replayed",
        "nats",
        "the same on a draw of the replay: where that of play is far above it, the model knows "
        "the replay by heart",
    ),
    Metric(
        "model/reward_played",
        "share",
        "how much of the variance of the reward is predicted on rows of the evaluation; not with a "
        "bonus for rare visits",
    ),
    Metric("model/reward_replayed", "share", "the same on a draw of the replay"),
)

BALANCE = (
    Metric(
        "balance/coef/<task>", "1", "what multiplies the loss of `<task>`: 1/sigma, or a weight"
    ),
    Metric("balance/s/<task>", "1", "log sigma of `<task>`, learned"),
    Metric("balance/sigma/<task>", "1", "sigma of `<task>`, the exponential of what is learned"),
    Metric(
        "balance/before/<task>",
        "as the losses",
        "loss of `<task>` before balancing, weights within the task included",
    ),
    Metric("balance/after/<task>", "1", "loss of `<task>` times its coefficient"),
    Metric("balance/penalty", "1", "sum of log(1+sigma), or of log sigma, over the tasks"),
)
"""Tasks are `rew` (reward), `obs` (all observation keys, or each key by its name) and `dyn`."""

BEHAVIOR = (
    Metric("train/adv", "1", "mean normalised advantage (divided by the return scale)"),
    Metric("train/adv_mag", "1", "mean magnitude of the normalised advantage"),
    Metric("train/adv_std", "1", "standard deviation of the normalised advantage"),
    Metric("train/rew", "reward", "mean predicted reward in imagination"),
    Metric("train/con", "1", "mean predicted continue factor in imagination"),
    Metric("train/ret", "1", "mean normalised return in imagination"),
    Metric("train/ret_min", "1", "smallest normalised return in imagination"),
    Metric("train/ret_max", "1", "largest normalised return in imagination"),
    Metric("train/ret_rate", "share", "normalised returns of magnitude 1 or more"),
    Metric("train/val", "reward", "mean critic in imagination"),
    Metric("train/tar", "reward", "mean critic target in imagination"),
    Metric("train/weight", "1", "mean weight of an imagined step (product of continue factors)"),
    Metric("train/slowval", "reward", "mean slow critic in imagination"),
    Metric("train/dyn_ent", "nats", "entropy of the prior, summed over the latents"),
    Metric("train/rep_ent", "nats", "entropy of the posterior, summed over the latents"),
    Metric("train/kl", "nats", "KL between posterior and prior before the free nats"),
    Metric("train/ent/<action>", "nats", "entropy of the policy's distribution over `<action>`"),
    Metric(
        "train/rand/<action>",
        "share",
        "entropy over a discrete `<action>`, as a share of the largest",
    ),
    Metric("train/return_low", "reward", "running lower percentile of the imagined returns"),
    Metric("train/return_high", "reward", "running upper percentile of the imagined returns"),
    Metric("train/return_scale", "reward", "divisor of the advantage"),
)

EXPLORATION = (
    Metric("loss/ensemble", "1", "half squared error of the explorer's ensemble, all members"),
    Metric("loss/explorer_policy", "1", "loss of the explorer's actor, entropy bonus included"),
    Metric("loss/explorer_value", "nats or squared error", "loss of the explorer's critic"),
    Metric("explorer/rew", "1", "mean reward of the explorer's dreams: bonus and task share"),
    Metric("explorer/ent/<action>", "nats", "entropy of the explorer's choice of `<action>`"),
    Metric("explorer/rand/<action>", "share", "the same, as a share of the largest"),
    Metric("explorer/<name>", "as named", "as `train/<name>`, of the explorer's dreams"),
    Metric("explore/bonus", "reward", "mean count bonus of a row"),
    Metric("explore/places", "1", "different places visited since the run began (bonus)"),
)

OPTIMISER = (
    Metric("train/updates", "updates", "number of the newest update in the interval"),
    Metric("train/grad_norm", "1", "norm of the whole gradient before clipping"),
    Metric("train/grad_rms", "1", "root mean square of the gradient's entries"),
    Metric("train/update_rms", "1", "root mean square of the parameter change's entries"),
    Metric("train/param_rms", "1", "root mean square of the parameters"),
    Metric("train/lr", "1", "learning rate of the newest update in the interval"),
    Metric(
        "train/grad_norm_<group>", "1", "the same of world, actor or critic (train.update ordered)"
    ),
    Metric("train/lr_<group>", "1", "learning rate of actor or critic (train.update ordered)"),
    Metric("train/skipped", "1", "NaN scalars that were left out of this line's means, if any"),
)

STORAGE = (
    Metric("replay/rows", "rows", "rows in the replay"),
    Metric("replay/windows", "windows", "training windows that can be drawn"),
    Metric("replay/streams", "1", "rings, one an environment"),
    Metric("replay/gigabytes", "GB", "size of the rows in the replay"),
    Metric("replay/inserts", "rows", "rows added since the run began"),
    Metric("replay/evicted", "rows", "rows dropped since the run began, the oldest first"),
    Metric("replay/samples", "windows", "windows handed out since the run began"),
    Metric("replay/online", "windows", "windows among them that no update had seen"),
    Metric("replay/updates", "rows", "rows whose latents were written back since the run began"),
    Metric("replay/dropped", "rows", "rows that were gone when their latents came back"),
    Metric("replay/units", "units", "episodes, chunks or splices that are kept or growing"),
    Metric("replay/short", "units", "units dropped since the run began, having too few rows"),
    Metric("replay/cut", "units", "growing episodes cut in two since the run began: memory full"),
    Metric("replay/lost", "rows", "rows in the replay that begin no window: the ends of units"),
    Metric("replay/empty", "rows", "room for rows on the pages of units that stays empty"),
    Metric("replay/waiting", "windows", "windows that no update has seen yet, next in line"),
    Metric("replay/skipped", "windows", "windows that left the replay before their turn came"),
    Metric(
        "replay/fresh",
        "share",
        "windows of this interval that came first, from the online queue or fresh",
    ),
    Metric("replay/age", "rows", "rows its stream has gained since a drawn window, mean"),
    Metric(
        "replay/effective",
        "share",
        "effective number of windows, 1/(N sum P^2): 1 if uniform",
    ),
    Metric(
        "replay/drawn_newest_1",
        "share",
        "drawn windows among the newest 1 % of those that could be drawn",
    ),
    Metric("replay/drawn_newest_10", "share", "between the newest 1 % and the newest 10 %"),
    Metric("replay/drawn_newest_50", "share", "between the newest 10 % and the newest half"),
    Metric("replay/drawn_oldest_50", "share", "drawn windows older than the newest half"),
    Metric("replay/task_<number>", "share", "drawn windows that begin in task `<number>`"),
    Metric("replay/weight_low", "score", "weight of a window, 5 % quantile"),
    Metric("replay/weight_median", "score", "weight of a window, median"),
    Metric("replay/weight_high", "score", "weight of a window, 95 % quantile"),
    Metric("replay/weight_max", "score", "largest weight of a window"),
    Metric("replay/initial", "score", "score that a row gets before its first update"),
    Metric("replay/ratio", "1", "trained rows per environment step since the run began"),
    Metric(
        "env/restarts",
        "1",
        "restarts of crashed or hung environments since the run began, for evaluation too",
    ),
)

MACHINE = (
    Metric("time/seconds", "s", "wall time since the run began, pauses between resumes left out"),
    Metric("time/updates_per_s", "1/s", "updates a second in this interval"),
    Metric("time/steps_per_s", "1/s", "environment steps a second in this interval"),
    Metric("time/<part>_ms", "ms", "mean wall time of one call of the loop's part `<part>`"),
    Metric("time/<part>_s", "s", "wall time spent in the part `<part>` (compile, eval, save)"),
    Metric("system/ram_gb", "GB", "resident memory of the main process"),
    Metric("system/ram_peak_gb", "GB", "largest resident memory of the main process so far"),
    Metric("system/device_gb", "GB", "memory in use on the device"),
    Metric("system/device_peak_gb", "GB", "largest memory in use on the device so far"),
    Metric("system/<name>", "as named", "other readings of the machine"),
)

OWN = (
    Metric(
        "callback/<callback>/<name>",
        "as named",
        "what the user's callback `<callback>` logs as `<name>` (docs/guide.md)",
    ),
)

GROUPS = {
    "Episodes": EPISODES,
    "Losses": LOSSES,
    "Observations": EXPLAINED,
    "Loss balance": BALANCE,
    "Behaviour and latents": BEHAVIOR,
    "Exploration": EXPLORATION,
    "Optimiser": OPTIMISER,
    "Replay and environments": STORAGE,
    "Time and machine": MACHINE,
    "Callbacks": OWN,
}
CATALOGUE: tuple[Metric, ...] = tuple(metric for group in GROUPS.values() for metric in group)


def find(name: str) -> Metric | None:
    """The catalogue's entry for `name`: the exact one, else the first family that fits, or None."""
    for metric in CATALOGUE:
        parts = re.split(r"<\w+>", metric.pattern)
        if re.fullmatch("[^/]+".join(map(re.escape, parts)), name):
            return metric
    return None


def describe(name: str) -> Metric:
    """The entry of `name`, the parts of a family filled in; an unknown name stands for itself."""
    metric = find(name)
    if metric is None:
        return Metric(name, "", name)
    parts = re.split(r"<\w+>", metric.pattern)
    found = re.fullmatch("([^/]+)".join(map(re.escape, parts)), name)
    meaning = metric.meaning
    for word in found.groups() if found else ():
        meaning = re.sub(r"`<\w+>`", lambda _, word=word: word, meaning, count=1)
    return Metric(name, metric.unit, meaning)


def check_names(names: Iterable[str]) -> None:
    """Raise ValueError for the first name that the catalogue does not list."""
    for name in names:
        if find(name) is None:
            near = difflib.get_close_matches(name, [m.pattern for m in CATALOGUE], n=1, cutoff=0.3)
            hint = f"; the nearest entry is {near[0]!r}" if near else ""
            raise ValueError(
                f"metric {name!r} is not in the catalogue{hint}. "
                "Add it to src/reverie/watch/metric_names.py with its unit and meaning."
            )
