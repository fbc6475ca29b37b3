"""The cases as a table, and the words of their command lines.

Everything that names an option of the product stands here: where a redesign renames options, this
is the file to translate, and `recorded/` stays as it is.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One tiny run; with several tasks it is a sequence of them."""

    name: str
    """Name of its file in `recorded/`."""
    task: str
    """A task, or several separated by blanks."""
    agent: str
    flags: str = ""
    """Words of the command line, separated by blanks; they replace those of `COMMON`."""
    kill_at: int = 0
    """Kill the run as soon as it has logged this step, and start it again. 0: leave it alone."""
    twin: str = ""
    """Case whose numbers this one must have; it has no record of its own."""


COMMON = """
--size debug --device.kind cpu --device.precision f32 --seed 0
--steps 300 --env.num 2 --env.parallel false --env.size 16
--train.prefill 0 --train.pretrain 0
--train.ratio 12 --train.batch 4 --train.length 6 --train.log_every 10 --train.eval_episodes 0
--train.report_length 4 --train.save_every 1e6 --behavior.imagine 4 --world.dynamics.free_nats 0.1
--replay.capacity 10000 --replay.chunk 64 --log.tensorboard false --log.progress none
"""
"""Options of every case: an update every two steps, about 130 in all."""

LEARNS = {
    "v3": "--optim.lr 1e-3 --optim.warmup 30",
    "v3-2023": "--optim.world.lr 1e-3 --optim.actor.lr 3e-4 --optim.critic.lr 3e-4",
    "v2": "--optim.world.lr 1e-3 --optim.actor.lr 3e-4 --optim.critic.lr 3e-4 "
    "--behavior.slow_every 10",
}
"""What lets each agent move away from its first weights in so few updates."""

CARTPOLE, PENDULUM = "gym:CartPole-v1", "gym:Pendulum-v1"
MEMORY, MIXED = "probe_memory", "gym:parity_envs:Parity/Mixed-v0"
WATCHED = "--train.eval_episodes 2 --train.eval_every 150 --train.report_every 150"
UNITS = "--replay.unit.page 8 --replay.capacity 200"
PUBLISHED = "--methods plan2explore_published --explore.layers 2 --explore.units 8"

AGENTS = (
    Case("v3_vector", CARTPOLE, "v3", WATCHED),
    Case("v3_action", PENDULUM, "v3", "--env.limit 40"),
    Case("v3_picture", MEMORY, "v3"),
    Case("v3_mixed", MIXED, "v3", WATCHED),
    Case("v2_vector", CARTPOLE, "v2", "--train.prefill 60 --train.pretrain 10"),
    Case("v2_action", PENDULUM, "v2", "--env.limit 40"),
    Case("v2_picture", MEMORY, "v2", f"{WATCHED} --behavior.actor.entropy linear(3e-3,3e-4,100)"),
    Case("v2_mixed", MIXED, "v2"),
    Case("v3_2023_vector", CARTPOLE, "v3-2023"),
    Case("v3_2023_action", PENDULUM, "v3-2023", "--env.limit 40"),
    Case("v3_2023_picture", MEMORY, "v3-2023"),
    Case("v3_2023_mixed", MIXED, "v3-2023", WATCHED),
)
"""Three agents and what they see and do."""

REPLAY = (
    Case("replay_uniform", CARTPOLE, "v3", "--replay uniform --replay.context 3"),
    Case("replay_recency", CARTPOLE, "v3", "--replay recency --replay.online false"),
    Case("replay_uncertainty", CARTPOLE, "v3", "--replay uncertainty"),
    Case("replay_uncertainty_inf", CARTPOLE, "v3", "--replay uncertainty_inf"),
    Case(
        "replay_uncertainty_caching",
        CARTPOLE,
        "v3",
        "--replay uncertainty_caching --replay.signal.sweep_every 20",
    ),
    Case("replay_priority", PENDULUM, "v2", "--replay priority --env.limit 40"),
    Case("replay_curious", CARTPOLE, "v3", "--replay curious --replay.capacity 150"),
    Case("replay_xp", CARTPOLE, "v3", "--replay xp"),
    Case("replay_per", CARTPOLE, "v3", "--replay per --replay.importance.updates 100"),
    Case("replay_reservoir", CARTPOLE, "v3", f"--replay reservoir {UNITS}"),
    Case("replay_random_replace", CARTPOLE, "v3", f"--replay random_replace {UNITS}"),
    Case("replay_fifty_fifty", CARTPOLE, "v3", f"--replay fifty_fifty {UNITS}"),
    Case("replay_coverage", CARTPOLE, "v3", f"--replay coverage {UNITS} --replay.context 0"),
    Case("replay_reward", CARTPOLE, "v3-2023", f"--replay reward {UNITS}"),
    Case(
        "replay_wmar", CARTPOLE, "v3", "--replay wmar --replay.unit.rows 16 --replay.capacity 200"
    ),
    Case("replay_dreamerv2", CARTPOLE, "v2", f"--replay dreamerv2 {UNITS} --replay.draw.ends 3"),
    Case(
        "replay_top_surprise",
        CARTPOLE,
        "v3",
        f"{UNITS} --replay.keep top_surprise --replay.unit chunk --replay.unit.rows 12 "
        "--replay.signal kl --replay.draw time_balanced --replay.unit.ongoing",
    ),
    Case(
        "replay_split_top_return",
        CARTPOLE,
        "v3",
        "--replay.unit episode --replay.unit.page 8 --replay.unit.minlen 7 --replay.capacity 400 "
        "--replay.keep split --replay.keep.other top_return --replay.draw stores "
        "--replay.draw.inner triangular",
    ),
)
"""Every named strategy, and what none of them uses."""

BALANCES = (
    Case("harmony", MEMORY, "v3", "--harmony"),
    Case(
        "harmony_torch",
        MEMORY,
        "v2",
        "--balance harmony_torch --world.reward.weight 1 --preset harmony_plainresnet",
    ),
    Case("harmony_jax", MEMORY, "v3-2023", "--balance harmony_jax"),
    Case("harmony_keys", MIXED, "v3", "--balance harmony_keys --world.balance.outside rew"),
    Case("unrectified", MEMORY, "v3", "--balance unrectified --world.encoder.stack strided"),
    Case("reciprocal", MEMORY, "v3", "--balance reciprocal --world.encoder.stack patch"),
    Case("dwa", CARTPOLE, "v2", "--balance dwa --world.balance.period 10"),
    Case(
        "reward_x100",
        PENDULUM,
        "v3",
        "--balance reward_x100 --world.dynamics.latent gaussian --env.limit 40",
    ),
    Case("reward_only", MEMORY, "v3", "--balance reward_only --world.encoder.stack.outer"),
    Case("observation_only", CARTPOLE, "v3", "--balance observation_only"),
)
"""Every named balance but `fixed`, on the image stacks that no agent has of itself."""

OTHERS = (
    Case(
        "gaussian_v2",
        MEMORY,
        "v2",
        "--world.dynamics.latent gaussian --world.dynamics.latent.deviation softplus",
    ),
    Case(
        "harmony_tree_dreamerv3",
        MEMORY,
        "v2",
        f"--preset harmony_dreamerv3 {UNITS} --replay.unit.minlen 3 --replay.capacity 1000",
    ),
    Case(
        "options_v3",
        CARTPOLE,
        "v3",
        "--optim.schedule cosine --optim.schedule.until 100 --optim.nesterov --behavior.starts 3 "
        "--behavior.actor_grad_start --world.reward.transform sign --behavior.slow_target",
    ),
    Case(
        "explore_v3",
        CARTPOLE,
        "v3",
        "--explore plan2explore --explore.heads 3 --replay.draw rank "
        "--replay.signal disagreement --explore.extrinsic 0.5 --explore.until 200",
    ),
    Case(
        "explore_v3_hidden",
        PENDULUM,
        "v3",
        "--explore plan2explore --explore.heads 3 --explore.task false --explore.target embed "
        "--env.limit 40",
    ),
    Case("explore_v2", CARTPOLE, "v2", "--explore plan2explore --bonus observation"),
    Case("explore_v2_published", PENDULUM, "v2", f"{PUBLISHED} --env.limit 40"),
    Case(
        "count_position",
        "minigrid_empty_5x5",
        "v3",
        f"{WATCHED} --bonus position --env.view full --env.limit 30 --train.video_every 100",
    ),
    Case(
        "continual",
        "minigrid_corner_nw minigrid_corner_se",
        "v3",
        f"--sequence.steps 150 --replay reservoir {UNITS} --sequence.reset_optimizer "
        f"{WATCHED} --env.limit 20 --env.view full",
    ),
    Case("suite_atari", "atari_pong", "v3", "--train.report_every 100 --steps 200"),
    Case("suite_dmc", "dmc_cartpole_balance", "v3-2023", "--env.limit 40"),
)
"""Latents, exploration, sequences, suites."""

TWINS = (
    Case("killed", MIXED, "v3", f"{WATCHED} --train.save_every 0.02", 180, "v3_mixed"),
    Case(
        "killed_continual",
        "minigrid_corner_nw minigrid_corner_se",
        "v3",
        f"--sequence.steps 150 --replay reservoir {UNITS} --sequence.reset_optimizer "
        f"{WATCHED} --env.limit 20 --env.view full --train.save_every 0.02",
        200,
        "continual",
    ),
    Case("parallel", CARTPOLE, "v3", f"{WATCHED} --env.parallel true", twin="v3_vector"),
)
"""Runs that must not differ from another one."""

CASES = (*AGENTS, *REPLAY, *BALANCES, *OTHERS, *TWINS)


def words(case: Case, logdir: Path, cache: Path) -> list[str]:
    """The command line of a case, after the name of the program."""
    tasks = case.task.split()
    flags = options(COMMON) | options(LEARNS[case.agent]) | options(case.flags)
    flags |= {"--agent": [case.agent], "--logdir": [str(logdir)], "--device.cache": [str(cache)]}
    verb = "train"
    if len(tasks) > 1:
        verb = "continual"
        del flags["--steps"]
    return [verb, *tasks, *(word for flag, values in flags.items() for word in (flag, *values))]


def options(text: str) -> dict[str, list[str]]:
    """Flag -> its values."""
    found: dict[str, list[str]] = {}
    flag = ""
    for word in text.split():
        if word.startswith("--"):
            flag = word
            found[flag] = []
        else:
            found[flag].append(word)
    return found
