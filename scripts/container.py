"""The steps of the Dockerfile in a clean Debian root, for machines that can pull no image.

    python scripts/container.py --root ../debian                         # target cpu, as root
    python scripts/container.py --root ../debian -- train probe_observation --steps 500

debootstrap, which must be installed, makes the root as BASE would be (or copies `--base`, a
folder that debootstrap has made before). Each step then runs in it by chroot, as the user that the
Dockerfile names, and the words after `--` go to the entry point. What steps need of this machine's
network is passed on: resolv.conf, and the file that PIP_CERT names.
"""

import argparse
import dataclasses
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
SUITE = "bookworm"
TOOLS = {name: shutil.which(name) for name in ("debootstrap", "unshare", "chroot")}
WITH_MEMORY = 'mount -t tmpfs tmpfs "$0/dev/shm" && exec "$@"'


class ContainerError(ValueError):
    """The Dockerfile asks for something that this script cannot do, or a step failed."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One instruction of a Dockerfile: its word in capitals, and the rest of its line."""

    word: str
    rest: str


def steps(text: str) -> list[Step]:
    """The instructions of a Dockerfile; continued lines are joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [Step(word.upper(), rest) for word, rest in found]


def stages(all_steps: list[Step]) -> dict[str, tuple[str, list[Step]]]:
    """By the name of each stage: what it starts from, and its own steps."""
    found: dict[str, tuple[str, list[Step]]] = {}
    name = ""
    for step in all_steps:
        if step.word == "FROM":
            base, _, name = step.rest.split()
            found[name] = base, []
        elif name:
            found[name][1].append(step)
    return found


def chain(all_steps: list[Step], target: str) -> list[Step]:
    """Every step that leads from the base image to `target`, in order."""
    known = stages(all_steps)
    if target not in known:
        raise ContainerError(f"the Dockerfile has no target {target!r}, only {', '.join(known)}.")
    base, own = known[target]
    return (chain(all_steps, base) if base in known else []) + own


class Root:
    """A folder in which steps run as if it were the machine."""

    def __init__(self, folder: Path, arguments: dict[str, str]):
        self.folder = folder
        self.user = "root"
        self.place = "/"
        self.arguments = dict(arguments)
        self.variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        self.entry: list[str] = []
        self.command: list[str] = []
        if certificates := os.environ.get("PIP_CERT"):
            shutil.copy(certificates, folder / "etc" / "certificates.crt")
            self.variables["PIP_CERT"] = "/etc/certificates.crt"
        shutil.copy("/etc/resolv.conf", folder / "etc" / "resolv.conf")

    def run(self, words: list[str], *, user: str = "", place: str = "") -> None:
        """The command in the root, with processes of its own and memory to share, as the user and
        in the folder of this moment unless others are given."""
        owner, folder = user or self.user, place or self.place
        apart = ["--mount", "--pid", "--fork", f"--mount-proc={self.folder}/proc"]
        enter = [TOOLS["unshare"], *apart, "sh", "-c", WITH_MEMORY, self.folder]
        inside = [TOOLS["chroot"], f"--userspec={owner}", self.folder, "env", "-C", folder]
        variables = self.variables | self.arguments
        done = subprocess.run([*enter, *inside, *words], env=variables)
        if done.returncode:
            raise ContainerError(f"exit code {done.returncode} of: {shlex.join(words)}")

    def copy(self, rest: str) -> None:
        """COPY [--chown=USER:GROUP] SOURCES PLACE."""
        words = rest.split()
        owner = words.pop(0).partition("=")[2] if words[0].startswith("--chown=") else "root:root"
        *sources, place = words
        target = self.folder / self.place.lstrip("/") / place
        for source in sources:
            if (SOURCE / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(SOURCE / source, target, dirs_exist_ok=True, ignore=ignored)
            else:
                shutil.copy(SOURCE / source, target)
        self.run(["chown", "-R", owner, place], user="root")

    def take(self, step: Step) -> None:
        """One step; an instruction that is not known here is an error."""
        name, _, value = step.rest.partition("=")
        match step.word:
            case "ARG":
                self.arguments.setdefault(name, value.strip('"'))
            case "ENV":
                self.variables[name] = value
            case "USER":
                self.user = step.rest
            case "WORKDIR":
                self.run(["mkdir", "-p", step.rest], user="root", place="/")
                self.place = step.rest
            case "COPY":
                self.copy(step.rest)
            case "RUN":
                self.run(["sh", "-c", step.rest])
            case "ENTRYPOINT":
                self.entry = json.loads(step.rest)
            case "CMD":
                self.command = json.loads(step.rest)
            case _:
                raise ContainerError(f"no step {step.word!r} is known here.")


def new_root(folder: Path, base: Path | None) -> None:
    """A clean Debian in `folder`, which must not exist."""
    if folder.exists():
        raise ContainerError(f"{folder} is there already: name a new folder, or remove it.")
    made = [TOOLS["debootstrap"], "--variant=minbase", SUITE, str(folder)]
    if base is not None:
        made = ["cp", "--archive", str(base), str(folder)]
    if subprocess.run(made).returncode:
        raise ContainerError(f"{shlex.join(made)} failed.")


def build(root: Root, target: str) -> None:
    """Every step of the target in `root`."""
    for step in chain(steps((SOURCE / "Dockerfile").read_text()), target):
        started = time.perf_counter()
        root.take(step)
        if step.word in ("RUN", "COPY"):
            took = time.perf_counter() - started
            sys.stderr.write(f"{took:6.1f} s  {step.word} {step.rest[:90]}\n")


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="a new folder")
    parser.add_argument("--base", type=Path, help="a clean root to copy")
    parser.add_argument("--target", default="cpu", help="target of the Dockerfile")
    parser.add_argument("--arg", action="append", default=[], help="build argument NAME=VALUE")
    parser.add_argument("words", nargs="*", help="what the entry point is given")
    asked = parser.parse_args(words)
    missing = [name for name, found in TOOLS.items() if not found]
    if os.geteuid() or missing:
        raise ContainerError(f"this needs root and {' and '.join(TOOLS)} (Debian: debootstrap).")
    new_root(asked.root, asked.base)
    root = Root(asked.root, dict(pair.split("=", 1) for pair in asked.arg))
    build(root, asked.target)
    root.run([*root.entry, *(asked.words or root.command)])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ContainerError as error:
        sys.exit(f"container: {error}")
