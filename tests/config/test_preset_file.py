"""A preset of the user's own: a TOML file that is read, refused with a sentence, and written."""

import os
from pathlib import Path

import pytest

import reverie
from reverie.cli import main
from reverie.config import edit, preset_file
from reverie.config.presets import expected_pictures, preset_named, resolve
from reverie.launch import read
from reverie.part.errors import ConfigError


@pytest.fixture
def keep(tmp_path):
    """keep(text, name) -> the path of a preset file with this content."""

    def write(text, name="mine.toml"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def composed(words):
    return read(words).config()


FORMS = {
    "tables": '[replay.draw]\npart = "recency"\nexponent = 0.7\n[train]\nratio = 8\n',
    "dotted": 'replay.draw.part = "recency"\nreplay.draw.exponent = 0.7\ntrain.ratio = 8\n',
    "quoted": '"replay.draw" = "recency"\n"replay.draw.exponent" = 0.7\n"train.ratio" = 8\n',
    "texts": '"replay.draw" = "recency"\n"replay.draw.exponent" = "0.7"\n"train.ratio" = "8"\n',
    "class": '"replay.draw" = "reverie.replay.ages:Recency"\n"replay.draw.exponent" = 0.7\n'
    '"train.ratio" = 8.0\n',
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_means_the_flags(keep, form):
    flags = ["--replay.draw", "recency", "--replay.draw.exponent", "0.7", "--train.ratio", "8"]
    wanted = composed(["gym:X-v0", *flags])
    assert composed(["gym:X-v0", "--preset", keep(FORMS[form])]) == wanted
    assert resolve("gym:X-v0", preset=Path(keep(FORMS[form]))) == wanted


def test_names_tables_of_arguments_and_none(keep):
    path = keep(
        'agent = "v2"\npreset = "atari100k"\nmethods = ["plan2explore"]\nbalance = "reciprocal"\n'
        'env.exclude = ["a", "b"]\nenv.kwargs = {mode = 1, deep = {x = [1, 2]}}\n'
    )
    wanted = resolve(
        "atari100k_pong",
        agent="v2",
        preset="atari100k",
        methods=["plan2explore"],
        balance="reciprocal",
        overrides={
            "env.exclude": ("a", "b"),
            "env.kwargs": '{"mode": 1, "deep": {"x": [1, 2]}}',
        },
    )
    assert resolve("atari100k_pong", preset=path) == wanted
    assert expected_pictures("gym:X-v0", path) is True
    shown = preset_named(path).edits
    assert shown["balance"] == "reciprocal" and shown["env.exclude"] == ("a", "b")


def test_what_is_said_beside_it_is_laid_over(keep):
    path = keep(
        'agent = "v3-2023"\nsize = "s"\nbalance = "harmony"\nreplay = "recency"\nsteps = 5000\n'
        "world.dynamics.deter = 256\noptim.world.lr = 0.5\n"
    )
    assert resolve("gym:X-v0", preset=path).agent == "v3-2023"
    assert resolve("gym:X-v0", preset=path).world.dynamics.deter == 256
    assert resolve("gym:X-v0", preset=path, overrides={"steps": 7000}).steps == 7000
    assert resolve("gym:X-v0", preset=path, size="m").world.dynamics.deter == 1024
    other = edit.flat(resolve("gym:X-v0", preset=path, balance="fixed", replay="uniform"))
    assert (other["world.balance"], other["replay.draw"]) == ("fixed", "uniform")
    keep('size = "tiny"\noptim = "adam"\n')
    assert resolve("gym:X-v0", agent="v3", preset=path).size == "tiny"


def test_one_file_builds_on_another(keep, tmp_path, monkeypatch):
    keep('preset = "crafter"\nsteps = 5\ntrain.ratio = 8\n', "base.toml")
    top = keep('preset = "base.toml"\nsteps = 6\n', "top.toml")
    config = resolve("crafter_reward", preset=top)
    assert (config.steps, config.train.ratio) == (6, 8)
    keep('preset = "./top.toml"\n', "base.toml")
    with pytest.raises(ConfigError, match="builds on itself"):
        resolve("crafter_reward", preset=top)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("optm.lr = 1", r"mine\.toml: there is no configuration key 'optm\.lr'"),
        ("optim.lrr = 1", r"mine\.toml: .*'lrr'|optim\.lrr"),
        ('mehtods = ["harmony"]', r"mine\.toml: there is no key 'mehtods'; did you mean 'methods'"),
        ('train.batch = "many"', r"mine\.toml: train\.batch takes an integer, found 'many'"),
        ("train.batch = 1.5", r"mine\.toml: train\.batch takes an integer"),
        ("train.batch = 1979-05-27", r"mine\.toml: train\.batch takes an integer"),
        ("env.gray = 3", r"mine\.toml: env\.gray takes true or false"),
        ("preset = 3", r"mine\.toml: preset takes a text, found 3"),
        ('preset = "atari100"', r"no preset 'atari100' \(in .*mine\.toml\); did you mean"),
        ('methods = ["plan2explor"]', r"no method 'plan2explor' \(in .*mine\.toml\); did you mean"),
        ('agent = "v4"', r"no agent 'v4' \(in .*mine\.toml\)"),
        ('balance = "harmny"', r"no balance 'harmny' \(in .*mine\.toml\); did you mean 'harmony'"),
        ('task = "gym:X-v0"', r"mine\.toml: 'task' is no matter of a preset"),
        ('"replay.draw" = "recencie"', "did you mean|Did you mean"),
        ("a = = 1", r"mine\.toml is no TOML: .*line 1"),
        (
            'replay = "x"\nreplay.draw.part = "y"',
            r'no TOML.*\[replay\.draw\], then part = "recency"',
        ),
    ],
)
def test_what_is_wrong_costs_one_sentence(keep, text, said):
    with pytest.raises(ConfigError, match=said) as caught:
        resolve("gym:X-v0", preset=keep(text))
    assert "\n" not in str(caught.value)


def test_only_plain_files_of_some_size_are_read(keep, tmp_path):
    path = keep("steps = 5")
    (tmp_path / "link.toml").symlink_to(path)
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    keep("#" * (preset_file.MOST_BYTES + 1), "large.toml")
    told = {"link": "links", "pipe": "a pipe", "folder": "a folder", "large": "bytes, more than"}
    for name, said in {**told, "bytes": "no TOML", "mien": "did you mean"}.items():
        with pytest.raises(ConfigError, match=said):
            resolve("gym:X-v0", preset=str(tmp_path / f"{name}.toml"))


def test_a_file_without_its_ending_is_told_apart_from_a_name(keep, tmp_path, monkeypatch):
    keep("steps = 5")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"named with its ending: mine\.toml"):
        resolve("gym:X-v0", preset="mine")


COMPOSITIONS = [
    "gym:X-v0",
    "gym:X-v0 --seed 3 --steps 1e5 --optim.lr 3e-4",
    "atari100k_pong --agent v2 --harmony --env.exclude a,b --env.no-gray",
    "dmc_walker_walk --preset dmc_vision --size 12m --world.dynamics.deter 1024",
    "gym:X-v0 --replay.draw recency --replay.draw.exponent 0.7 --methods plan2explore",
    "gym:X-v0 --replay.draw mixture --replay.draw.first recency --replay.draw.first.exponent 0.5 "
    "--replay.draw.share 0.25",
    "gym:X-v0 --optim adam --optim.schedule cosine --optim.world.lr 1e-5",
    "gym:X-v0 --replay reservoir --balance reciprocal --replay.gigabytes 2.5",
    'gym:X-v0 --env.kwargs {"a":"\u00e9\\"\U0001f600","b":[1,{"c":null}]}',
    "gym:X-v0 --replay.draw reverie.replay.ages:Recency --agent v3-2023 --size xs",
]


@pytest.mark.parametrize("line", COMPOSITIONS)
def test_a_saved_command_means_the_same(tmp_path, line, capsys):
    words, path = line.split(), tmp_path / "sub" / "kept.toml"
    path.parent.mkdir()
    try:
        wanted = composed(words)
    except ConfigError as error:
        pytest.fail(f"the composition itself is refused: {error}")
    assert main(["presets", "--save", str(path), *words]) == 0
    assert composed([words[0], "--preset", str(path)]) == wanted
    assert reverie.resolve(words[0], preset=str(path)) == wanted


def test_saving_over_a_file_of_ones_own_keeps_the_link_to_it(keep, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keep("train.ratio = 8", "base.toml")
    (tmp_path / "sub").mkdir()
    words = ["gym:X-v0", "--preset", "base.toml", "--steps", "500"]
    assert main(["presets", "--save=sub/top.toml", *words]) == 0
    assert composed(["gym:X-v0", "--preset", "sub/top.toml"]) == composed(words)


def test_saving_never_overwrites_and_says_what_it_takes(keep, tmp_path, capsys):
    path = keep("steps = 5")
    for words, said in {
        (path, "--steps", "3"): "exists",
        (str(tmp_path / "name"),): "ends in .toml",
        (str(tmp_path / "new.toml"), "--stesp", "3"): "did you mean '--steps'",
        (): "usage: reverie presets --save",
    }.items():
        assert main(["presets", "--save", *words]) == 2
        assert said in capsys.readouterr().err
    assert Path(path).read_text() == "steps = 5"
    assert not (tmp_path / "new.toml").exists()


def test_the_verbs_show_it(keep, capsys):
    path = keep('doc = "Mine."\nsteps = 1234\n')
    assert main(["presets", path]) == 0
    assert "Mine." in (shown := capsys.readouterr().out) and "1234" in shown
    assert main(["train", "gym:X-v0", "--preset", path, "--help"]) == 0
    assert "[1234]" in capsys.readouterr().out
