"""The verbs that hand an agent on: each takes the words after it and gives an exit code."""

from pathlib import Path
from typing import Any

from reverie.train import interrupt
from reverie.watch import terminal


def export(words: list[str]) -> int:
    """`reverie export RUN [--to stablehlo|onnx] [--world]`"""
    from reverie.export.options import ExportOptions

    options = _parse(ExportOptions, words, "export")
    from reverie.config.run import DeviceConfig
    from reverie.machine.device import prepare
    from reverie.train import chosen

    chosen.as_name(options.checkpoint)
    prepare(DeviceConfig(kind="cpu"))
    from reverie.export.write import export as write

    interrupt.started()
    out = Path(options.out).expanduser() if options.out else None
    how: dict[str, Any] = {"world": options.world, "greedy": options.greedy}
    how |= {"at": options.checkpoint, "allow": options.allow}
    written = write(Path(options.run).expanduser(), options.to, out, **how)
    if written.terms == "agent":
        terminal.complain(
            "the run folder does not hold the environment's spaces: the files take and give what "
            "the agent itself sees and does (`terms` in the .json)."
        )
    terminal.say("".join(f"export: {path}\n" for path in written.files))
    return 0


def _parse(kind: type, words: list[str], verb: str) -> Any:
    """The options record `kind` from `words`."""
    import tyro

    return tyro.cli(kind, prog=f"reverie {verb}", args=words, use_underscores=True)
