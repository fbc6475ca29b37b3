"""What a GPU is to be asked, in ten minutes: updates with each option, seeds, loops, acting, Pong.

    benchmarks/gpu/run.sh [OUT] [--minutes 10] [--device gpu] [--only WORD] [--small] [--dry]

OUT (default: `results` beside this file) receives `results.json` and a table, `results.md`, after
every part. A part that fails, takes too long or lacks a package is told, and the others go on. What
there was no time for is done when the same command is given again; parts that are done are kept.
`--small` tries everything with the smallest sizes: `--device cpu --small` needs no GPU.
"""

import argparse
import importlib.util
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from parts import Choice, Part, parts
from table import table

HERE = Path(__file__).parent
GRACE = 30
"""Seconds that a stopped run may take to save."""

ASK = (
    "import jax, json, platform; d = jax.devices()[0]; "
    "print(json.dumps({'platform': d.platform, 'device': d.device_kind, 'jax': jax.__version__, "
    "'python': platform.python_version()}))"
)
KEPT = ("time/updates_per_s", "time/steps_per_s", "episode/return", "train/updates", "step")


def main() -> int:
    """Runs what is left; exit code 1 where nothing could be begun."""
    given = read()
    chosen = [part for part in parts(Choice(given.device, given.small)) if given.only in part.name]
    if given.dry:
        sys.stdout.write("".join(f"{part.name}: {' '.join(part.words)}\n" for part in chosen))
        return 0
    given.out.mkdir(parents=True, exist_ok=True)
    found = before(given.out / "results.json")
    found["machine"] = machine()
    if given.device != found["machine"].get("platform"):
        sys.stderr.write(refusal(given.device, found["machine"]))
        return 1
    end = time.monotonic() + 60 * given.minutes
    for part in chosen:
        if found["parts"].get(part.name, {}).get("state") == "done":
            continue
        left = end - time.monotonic()
        found["parts"][part.name] = one(part, given.out, left)
        told = found["parts"][part.name]
        sys.stdout.write(f"{part.name}: {told['state']} {told.get('said', '')}\n")
        sys.stdout.flush()
        (given.out / "results.json").write_text(json.dumps(found, indent=2) + "\n")
        (given.out / "results.md").write_text(table(found))
    sys.stdout.write(table(found))
    return 0


def read() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=HERE / "results")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--only", default="", help="only parts whose name has this in it")
    parser.add_argument("--small", action="store_true", help="the smallest sizes, to try it out")
    parser.add_argument("--dry", action="store_true", help="only list the commands")
    return parser.parse_args()


def before(path: Path) -> dict[str, Any]:
    """What an earlier call has found."""
    return json.loads(path.read_text()) if path.is_file() else {"parts": {}}


def machine() -> dict[str, Any]:
    """The device that JAX finds, asked in a process of its own."""
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True)
    if done.returncode:
        return {"said": last_line(done.stderr)}
    return json.loads(done.stdout)


def refusal(wanted: str, found: dict[str, Any]) -> str:
    """Why nothing is begun."""
    if "said" in found:
        return f"{sys.executable} has no JAX that starts ({found['said']}): set PYTHON to one.\n"
    return (
        f"JAX finds a {found['platform']} ({found['device']}), not a {wanted}: install "
        "'reverie[cuda]', or try the script with --device cpu --small.\n"
    )


def one(part: Part, out: Path, left: float) -> dict[str, Any]:
    """The record of one part: `state`, `said`, `seconds`, `found`."""
    lacking = [need for need in part.needs if not there(need)]
    if lacking:
        return {"state": "skipped", "said": f"not here: {', '.join(lacking)}"}
    if left < min(30, part.limit):
        return {"state": "no time", "said": "give the same command again"}
    name = part.name.replace(" ", "-").replace(",", "")
    file, folder = out / f"{name}.json", out / name
    names = {"FILE": str(file), "FOLDER": str(folder)}
    words = [sys.executable, *(names.get(word, word) for word in part.words)]
    begun = time.monotonic()
    state, said = spend(words, min(part.limit, left), part.stop)
    record = {"state": state, "said": said, "seconds": round(time.monotonic() - begun, 1)}
    record["command"] = " ".join(part.words)
    if state == "done":
        record["found"] = json.loads(file.read_text()) if file.is_file() else progress(folder)
    return record


def there(need: str) -> bool:
    """Whether a module, or a file, is here."""
    return Path(need).is_file() if "/" in need else importlib.util.find_spec(need) is not None


def spend(words: list[str], limit: float, stop: bool) -> tuple[str, str]:
    """Run a command for at most so many seconds: how it ended, and its last words."""
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    try:
        said = process.communicate(timeout=limit)[1]
    except subprocess.TimeoutExpired:
        if not stop:
            process.kill()
            process.communicate()
            return "too slow", f"not done after {limit:.0f} s"
        process.send_signal(signal.SIGINT)
        try:
            said = process.communicate(timeout=GRACE)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        return "done", f"stopped after {limit:.0f} s"
    return ("done", "") if process.returncode == 0 else ("failed", last_line(said))


def progress(folder: Path) -> dict[str, Any]:
    """The newest of the numbers of a run that are kept."""
    found: dict[str, Any] = {}
    file = folder / "metrics.jsonl"
    for line in file.read_text().splitlines() if file.is_file() else ():
        row = json.loads(line)
        found |= {name: row[name] for name in KEPT if name in row}
    return found


def last_line(text: str) -> str:
    """The last line of what a process said."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "nothing was said"


if __name__ == "__main__":
    sys.exit(main())
