"""Presets of ours: a laptop, small tasks, demonstrations, probes. Data only."""

from reverie.config.preset import Preset, table


def _adams(world: float, players: float) -> dict[str, dict[str, float]]:
    """Learning rates of the agents with three Adams."""
    rates = {f"optim.{name}.lr": players for name in ("actor", "critic")}
    rates["optim.world.lr"] = world
    return {"v2": rates, "v3-2023": rates}


_SMALL = {"world.objective.weight": 30.0, "world.cont.weight": 5.0, "behavior.actor.entropy": 1e-2}
_QUICK_OLDER = {
    "v2": _SMALL | {"optim.critic.lr": 4e-4, "steps": 16_000},
    "v3-2023": _SMALL
    | {
        "behavior.cont_mode": False,
        "behavior.scale": "none",
        "optim.actor.lr": 4e-4,
        "optim.actor.eps": 1e-8,
        "optim.critic.lr": 1e-3,
        "optim.critic.eps": 1e-8,
    },
}
"""What the older agents need where observations are far below 1 in size: their Gaussians of unit
variance hardly see them, and the KL costs more than they are worth. And where a dream may begin
in a state that is lost already: the range of returns over all states, by which the agent of 2023
divides its advantages, then grows as it learns, until nothing is left (benchmarks/cartpole)."""


_SHARP = {"world.reward.transform": "identity", "world.reward.weight": 30.0}
"""DreamerV2 on probes: tenths of a reward are what they ask for, and a Gaussian of unit variance
hardly sees them (probe_action 3.56 of 4 with the published weight, 3.67 with this one)."""


OWN = table(
    Preset(
        "gym",
        "Any Gymnasium id or your own environment, on a laptop: there the learner is the slow "
        "part, so one environment feeds it, and every row is replayed 256 times (an update every "
        "4 steps), as often as Atari100k does; 100k steps are hours, not days.",
        {"env.num": 1, "train.ratio": 256, "steps": 100_000, "train.log_every": 500},
        suite="gym",
        by_agent={"v2": {"train.prefill": 1_000}, "v3-2023": {"train.prefill": 1_087}},
    ),
    Preset(
        "probe",
        "Environments of a few steps with a known optimum: a minute on two cores, so a model of "
        "our size tiny, short windows and a higher learning rate.",
        {
            "env.num": 4,
            "env.parallel": False,
            "train.ratio": 128,
            "train.batch": 16,
            "train.length": 16,
            "train.report_length": 12,
            "train.log_every": 200,
            "train.eval_episodes": 20,
            "behavior.imagine": 8,
            "steps": 6_000,
        },
        suite="probe",
        size="tiny",
        by_agent={"v3": {"optim.lr": 1e-3, "optim.warmup": 100}}
        | {
            name: rates | (_SHARP if name == "v2" else {})
            for name, rates in _adams(1e-3, 3e-4).items()
        },
    ),
    Preset(
        "minigrid",
        "MiniGrid as 64x64 pictures (ours: the official code has no such block): sparse rewards, "
        "so several environments that explore side by side, and an update every 4 steps.",
        {"env.num": 4, "train.ratio": 256, "steps": 200_000, "train.log_every": 500},
        suite="minigrid",
        pictures=True,
    ),
    Preset(
        "published",
        "The settings that belong to the task's suite: published ones where its authors have any. "
        "For small tasks, which get `quick` unless they are told otherwise.",
    ),
    Preset(
        "quick",
        "Small tasks and environments of one's own, learned in minutes on a laptop's CPU (ours; "
        "they get it unless they are told otherwise): a model of our size tiny on 4x4 patches, ten "
        "times the published learning rate after a tenth of its warm-up (V3: it falls to the "
        "published one in 8,000 updates), short and small batches, under V3 dreams from the last 8 "
        "rows of a sequence, which leave time for an update at every step, "
        "a horizon of 100 steps, which the critic reaches sooner, and ten times the published "
        "entropy, since a policy that is certain before its model knows the reward stays so. "
        "Numbers, classes and the reward weigh ten times as much beside a picture: in its gradient "
        "they drowned; and numbers that vary by thousandths or thousands get units of their own "
        "(benchmarks/first_hour). Not for large models.",
        {
            "train.ratio": 128,
            "train.batch": 8,
            "train.eval_episodes": 20,
            "train.eval_envs": 4,
            "train.log_every": 500,
            "train.report_every": 5_000,
            "world.encoder.stack": "patch",
            "world.encoder.standardize": True,
            "world.beside_pictures": 10.0,
            "behavior.horizon": 100,
            "steps": 24_000,
        },
        size="tiny",
        by_agent={
            "v3": {
                "optim.lr": 4e-4,
                "optim.warmup": 100,
                "optim.schedule": "linear",
                "optim.schedule.until": 8_000,
                "train.length": 32,
                "train.ratio": 256,
                "behavior.actor.entropy": 3e-3,
                "behavior.starts": 8,
                "steps": 12_000,
            }
        }
        | {name: rates | _QUICK_OLDER[name] for name, rates in _adams(4e-4, 2e-4).items()},
    ),
    Preset(
        "demo",
        "`make demo`: MiniGrid's 8x8 room from 48x48 pictures, minutes on two cores. Published, "
        "random play rarely finds the goal (0.07), the ceiling is near 0.96, and one can see "
        "whether the dream is right. Model tiny on 4x4 patches, a high learning rate, dreams of 10 "
        "steps from half of the rows: about 150 updates a minute where 12m makes 3.",
        {
            "env.num": 8,
            "env.parallel": False,
            "env.view": "full",
            "env.size": 48,
            "train.ratio": 128,
            "train.batch": 16,
            "train.length": 32,
            "train.log_every": 200,
            "train.eval_episodes": 20,
            "train.eval_envs": 8,
            "train.report_every": 2_000,
            "train.report_length": 16,
            "behavior.imagine": 10,
            "behavior.starts": 16,
            "behavior.horizon": 100,
            "world.encoder.stack": "patch",
            "world.encoder.mults": (2, 4),
            "behavior.actor.entropy": 1e-3,
            "steps": 6_000,
        },
        size="tiny",
        by_agent={"v3": {"optim.lr": 1e-3, "optim.warmup": 200}} | _adams(1e-3, 3e-4),
    ),
    Preset(
        "debug",
        "Any task with the smallest model on the CPU: does it run, and nothing else.",
        {
            "env.num": 4,
            "train.ratio": 8,
            "train.batch": 8,
            "train.length": 10,
            "train.report_length": 5,
            "train.log_every": 100,
            "train.eval_episodes": 1,
            "train.save_every": 15,
            "replay.capacity": 10_000,
            "device.kind": "cpu",
            "steps": 2_000,
        },
        size="debug",
    ),
)
