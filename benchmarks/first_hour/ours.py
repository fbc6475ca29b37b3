"""Reverie's side of the table: python ours.py ROW SEED FOLDER [OPTION VALUE]…

Trains with the default settings of the task (and the options given, for pilots) until the row's
threshold is reached or its steps are done. FOLDER/ROW-SEED is an ordinary run folder.
"""

import sys

from rows import ROWS

import reverie


def main(name: str, seed: str, folder: str, *options: str) -> None:
    row = ROWS[name]
    given = dict(zip(options[::2], options[1::2], strict=True))
    watched = {"eval_every": row.every, "eval_episodes": row.episodes, "eval_greedy": True}
    reverie.train(
        row.task,
        steps=row.steps,
        logdir=f"{folder}/{name}-{seed}",
        seed=int(seed),
        callbacks=[reverie.StopOnReturn(row.threshold)],
        overrides={f"train.{key}": value for key, value in watched.items()}
        | {"log.progress": "plain"}
        | {option.removeprefix("--"): value for option, value in given.items()},
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
