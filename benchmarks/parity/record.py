"""Record the numbers of the present tree.

    python benchmarks/parity/record.py [--only PATTERN] [--jobs N] [--out FOLDER]

Writes `NAME.json.gz` for every case that ends well, and `about.json`. Exit code 1 if a case fails
or differs from its twin.
"""

import sys
from pathlib import Path

import about
from compare import RECORDED, against, arguments, chosen, say
from outcome import write
from run import cpu_seconds, run_all


def main() -> int:
    """Record, and tell."""
    parser = arguments("Record the numbers of the present tree.")
    parser.add_argument("--out", type=Path, default=RECORDED, help="folder of the record")
    options = parser.parse_args()
    about.write(options.out)
    wrong = 0
    for case, found, error, seconds in run_all(chosen(options.only), options.jobs):
        told = [f"failed: {error}"] if found is None else []
        if found is not None and case.twin:
            told = against(options.out, case, found)
        elif found is not None:
            write(options.out / f"{case.name}.json.gz", found)
        wrong += bool(told)
        done = f"as {case.twin}" if case.twin else "recorded"
        say(f"{case.name:28} {seconds:6.1f} s  {'; '.join(told) or done}")
    say(f"{wrong} cases failed; {cpu_seconds():.0f} CPU seconds")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
