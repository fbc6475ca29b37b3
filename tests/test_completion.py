"""The completion scripts, run in the shells that are there."""

import re
import shutil
import subprocess

import pytest

from reverie.cli import main
from reverie.config.completion import SHELLS


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The script of each shell as a file, made as a user makes it."""
    from reverie.api.words import words
    from reverie.config.completion import script
    from reverie.listings import GROUPS
    from reverie.verbs import VERBS

    folder, all_words = tmp_path_factory.mktemp("scripts"), words(list(VERBS), GROUPS)
    for shell in SHELLS:
        (folder / shell).write_text(script(shell, all_words))
    return folder


def completed(script, line: str) -> list[str]:
    """What bash offers at the end of `line`."""
    code = (
        f"source {script}; COMP_LINE=$1; COMP_POINT=${{#1}}; COMP_TYPE=9; _reverie; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    shell = ["bash", "--norc", "-c", code, "bash", line]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("reverie tr", ["train"]),
        ("reverie comp", ["compare", "completion"]),
        ("reverie train dmc_walker_w", ["dmc_walker_walk"]),
        ("reverie train gym:Cart", ["CartPole-v1"]),  # bash replaces what follows the colon
        ("reverie train gym:CartPole-v1 --optim.nest", ["--optim.nesterov"]),
        ("reverie train x --size 10", ["100m"]),
        ("reverie train x --replay cur", ["curious"]),
        ("reverie train x --optim ad", ["adam"]),
        ("reverie train x --log.progress=pl", ["plain"]),
        ("reverie train x --help opt", ["optim"]),
        ("reverie continual minigrid3 --seed", ["--seeds", "--seed"]),
        ("reverie doctor crafter_r", ["crafter_reward"]),
        ("reverie presets harmony_eval", ["harmony_eval_hard"]),
        ("reverie eval runs/x --gre", ["--greedy"]),
        ("reverie bench up", ["update"]),
        ("reverie completion z", ["zsh"]),
        ("reverie eval runs/x --nothing", []),
    ],
)
def test_bash_completes(line, offered, scripts):
    assert completed(scripts / "bash", line) == offered


def test_every_verb_is_offered(scripts):
    from reverie.verbs import VERBS

    assert sorted(completed(scripts / "bash", "reverie ")) == sorted(VERBS)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_can_be_read_by_its_shell(shell, scripts):
    text = (scripts / shell).read_text()
    assert "optim.nesterov" in text and "dmc_walker_walk" in text
    assert not re.search("@[A-Z]+@", text)
    if shutil.which(shell):
        subprocess.run([shell, "-n", scripts / shell], check=True, timeout=30)


def test_the_verb_prints_the_script_or_says_which_there_are(capsys, scripts):
    assert main(["completion", "bash"]) == 0
    assert capsys.readouterr().out == (scripts / "bash").read_text()
    assert main(["completion", "bsh"]) == 2
    assert "no completion for 'bsh'; did you mean 'bash'?" in capsys.readouterr().err
    assert main(["completion", "--help"]) == 0
    assert "bash-completion/completions/reverie" in capsys.readouterr().out
