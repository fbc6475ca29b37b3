"""Speed of every suite under random actions, alone and through the whole pipeline without learning.

python benchmarks/envs/throughput.py OUT.json [TASK…]

Runs `reverie bench env TASK` in a process of its own for a task of each suite, with four
environments; where the pipeline loses more than a tenth of the speed, also with 128 in two
processes (`shared`). A suite that is not installed, or not given anywhere, is left out with its
message. A file that exists is added to.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

TASKS = (
    "gym:CartPole-v1",
    "atari_pong",
    "atari100k_pong",
    "dmc_cartpole_balance",
    "dmc_walker_walk",
    "dmcr_walker_walk",
    "dmcbg_walker_walk",
    "loconav_ant_maze_m",
    "metaworld_reach",
    "robodesk_open_slide",
    "mujoco_hopper",
    "robotics_fetch_reach",
    "memmaze_9x9",
    "crafter_reward",
    "minigrid_empty_8x8",
    "minihack_room_random_15x15",
    "nethack_score",
    "bsuite_catch/0",
    "procgen_coinrun",
    "pinpad_three",
    "vizdoom_basic",
    "miniworld_hallway",
    "minatar_breakout",
    "popgym_repeat_previous_easy",
    "retro_Airstriker-Genesis-v0",
    "envpool_CartPole-v1",
    "craftax_classic_symbolic",
    "gymnax_cart_pole",
    "navix_empty_5x5",
    "xminigrid_empty_5x5",
    "jumanji_snake",
    "pgx_tic_tac_toe",
    "brax_inverted_pendulum",
    "playground_cartpole_balance",
)
"""One task a suite, two where pictures make another suite of it."""

FEW, MANY = ("--num", 4), ("--num", 128, "--workers", 2)
REPEATS, SECONDS = 3, 0.6
PATIENCE = 300.0


def measure(task: str, environments: tuple) -> dict:
    """The numbers of one task, or the error's last line."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speed.json"
        options = [*environments, "--repeats", REPEATS, "--seconds", SECONDS]
        command = [sys.executable, "-m", "reverie", "bench", "env", task, "--json", file]
        run = subprocess.run(
            [str(part) for part in (*command, *options)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if run.returncode:
            return {"task": task, "error": (run.stderr.strip() or "no word").splitlines()[-1]}
        return json.loads(file.read_text())


def main(out: str, *tasks: str) -> None:
    """Measures the tasks that OUT does not have, one after the other, and writes after each."""
    file = Path(out)
    found = json.loads(file.read_text()) if file.exists() else {}
    for task in tasks or TASKS:
        if "steps_per_s" not in found.get(task, {}):
            found[task] = one = measure(task, FEW)
            if one.get("kept", 1.0) < 0.9:
                one["shared"] = measure(task, MANY)
            file.write_text(json.dumps(found, indent=1) + "\n")
            kept = [part.get("error") or part["kept"] for part in (one, one.get("shared")) if part]
            print(task, *kept, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
