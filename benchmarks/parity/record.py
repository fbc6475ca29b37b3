"""Record the numbers of the present tree.

    python benchmarks/parity/record.py [--only PATTERN] [--missing] [--jobs N] [--out FOLDER]

Writes `NAME.json.gz` for every case that ends well, and `about.json`. Exit code 1 if a case fails
or differs from its twin. `--missing` goes on with a record that was interrupted.
"""

import json
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
    parser.add_argument("--missing", action="store_true", help="only what has no record yet")
    options = parser.parse_args()
    cases = chosen(options.only)
    if options.missing:
        refuse_mixture(options.out)
        cases = [c for c in cases if not (options.out / f"{c.name}.json.gz").is_file()]
    about.write(options.out)
    wrong = 0
    for case, found, error, seconds in run_all(cases, options.jobs):
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


def refuse_mixture(folder: Path) -> None:
    """Exits where the record was begun with another source, other versions or another CPU."""
    path, here = folder / "about.json", about.about()
    there = json.loads(path.read_text()) if path.is_file() else here
    apart = [
        f"{name} {there.get(name)} there, {here[name]} here"
        for name in here
        if there.get(name) != here[name]
    ]
    if apart:
        sys.exit(f"{folder} was recorded elsewhere: {'; '.join(apart)}. Record anew with --out.")


if __name__ == "__main__":
    sys.exit(main())
