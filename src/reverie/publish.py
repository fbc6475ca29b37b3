"""The verbs that hand an agent on: each takes the words after it and gives an exit code.

What they share with the others of `verbs.py` is here too: `parse`, `start_on`.
"""

from collections.abc import Mapping
from typing import Any, Literal

from reverie.folder.address import local_path
from reverie.train import interrupt
from reverie.watch import terminal


def export(words: list[str]) -> int:
    """`reverie export RUN [--to stablehlo|onnx] [--world]`"""
    from reverie.export.options import ExportOptions

    options = parse(ExportOptions, words, "export")
    from reverie.train import chosen

    chosen.as_name(options.checkpoint)
    start_on("cpu")
    from reverie.export.write import export as write
    from reverie.folder.mirror import run_path

    interrupt.started()
    out = local_path(options.out, "--out") if options.out else None
    how: dict[str, Any] = {"world": options.world, "greedy": options.greedy}
    how |= {"at": options.checkpoint, "allow": options.allow}
    written = write(run_path(options.run), options.to, out, **how)
    if written.terms == "agent":
        terminal.complain(
            "the run folder does not hold the environment's spaces: the files take and give what "
            "the agent itself sees and does (`terms` in the .json)."
        )
    terminal.say("".join(f"export: {path}\n" for path in written.files))
    return 0


def push(words: list[str]) -> int:
    """`reverie push RUN REPO`, `reverie push RUN --to DIR`"""
    from reverie.share.options import PushOptions

    options = parse(PushOptions, words, "push")
    from reverie.share import hub
    from reverie.train import chosen

    options.check_place()
    chosen.as_name(options.checkpoint)
    if options.repo:
        hub.check_name(options.repo)
        hub.check_token()
    start_on("cpu")
    from reverie.folder.mirror import run_path
    from reverie.share.bundle import bundle
    from reverie.share.contents import check_free, write

    interrupt.started()
    folder = local_path(options.to, "--to")
    if options.to:
        check_free(folder)
    made = bundle(
        run_path(options.run),
        options.repo or folder.name,
        seed_runs=[run_path(run) for run in options.seed_run],
        license=options.license,
        at=options.checkpoint,
        allow=options.allow,
    )
    for note in made.notes:
        terminal.complain(note)
    if options.to:
        write(made, folder)
        terminal.say(f"shared agent: {folder}\n")
        return 0
    terminal.say(f"pushed: {hub.push(made, options.repo, private=options.private)}\n")
    return 0


def pull(words: list[str]) -> int:
    """`reverie pull REPO DIR`"""
    from reverie.share.options import PullOptions

    options = parse(PullOptions, words, "pull")
    from reverie.share import hub

    interrupt.started()
    folder = local_path(options.folder, "the second word of pull")
    hub.pull(hub.check_name(options.repo), folder, revision=options.revision)
    terminal.say(f"shared agent: {folder}\nnext: reverie eval {folder}\n")
    return 0


def parse(kind: type, words: list[str], verb: str) -> Any:
    """The options record `kind` from `words`."""
    import tyro

    return tyro.cli(kind, prog=f"reverie {verb}", args=words, use_underscores=True)


def start_on(
    kind: Literal["auto", "cpu", "gpu", "tpu"], changes: Mapping[str, Any] | None = None
) -> None:
    """Starts JAX on a device, where no configuration names it; `changes` of one tell more.

    Raises ConfigError for changes that the configuration refuses.
    """
    from reverie.config.edit import apply
    from reverie.config.schema import Config
    from reverie.machine.device import prepare

    prepare(apply(Config(), {**(changes or {}), "device.kind": kind}).device)
