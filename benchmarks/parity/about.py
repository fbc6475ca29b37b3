"""What bits may depend on besides the source: versions and the machine."""

import importlib.metadata
import json
import platform
import subprocess
from pathlib import Path

PACKAGES = ("jax", "jaxlib", "numpy", "equinox", "optax", "gymnasium", "minigrid", "ale-py")
PACKAGES += ("mujoco", "dm-control", "numba")


def about() -> dict[str, str]:
    """Versions and CPU of this machine, and the newest commit of the imported source."""
    facts = {"commit": _commit(), "cpu": _cpu(), "python": platform.python_version()}
    for name in PACKAGES:
        try:
            facts[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            facts[name] = "none"
    return facts


def differences(recorded: Path, here: dict[str, str]) -> list[str]:
    """Facts in which this machine differs from the one that recorded, the commit aside."""
    there = json.loads((recorded / "about.json").read_text())
    return [
        f"recorded with {name} {there[name]}, here {value}: bits may differ for that reason"
        for name, value in here.items()
        if name != "commit" and there.get(name) != value
    ]


def write(folder: Path) -> None:
    """Note the facts beside the record."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "about.json").write_text(json.dumps(about(), indent=1) + "\n")


def _commit() -> str:
    """The newest commit that changed the source."""
    import reverie

    folder = Path(reverie.__file__).parent
    command = ["git", "-C", str(folder), "log", "-1", "--format=%h", "--", "."]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
