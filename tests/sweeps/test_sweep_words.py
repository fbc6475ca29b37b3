"""What a command line or a file asks of a sweep, and what is refused before anything starts."""

import re

import numpy as np
import pytest

import reverie
from reverie.api.sweep_plan import compose, configs
from reverie.api.sweep_words import of_values, split, with_file
from reverie.options import CompareOptions
from reverie.part.errors import ConfigError
from reverie.sweeps import file, room
from reverie.sweeps.errors import SweepError
from reverie.sweeps.grid import folder_name
from reverie.sweeps.plan import Plan, Search, from_json
from reverie.sweeps.values import Range

TASK = "gym:CartPole-v1"


def words_of(*given: str) -> list[list[str]]:
    return [list(trial.words) for trial in compose(split(given)).plan.trials()]


def test_tasks_settings_and_seeds_are_multiplied():
    found = words_of(
        TASK,
        "gym:Acrobot-v1",
        "--seeds",
        "2",
        "--vary",
        "harmony=true,false",
        "--vary",
        "optim.lr=4e-5,1e-4",
        "--steps",
        "10",
    )
    assert len(found) == 16
    assert found[3] == [TASK, "--steps=10", "--harmony=true", "--optim.lr=1e-4", "--seed=1"]


def test_names_tell_trials_apart_and_are_plain():
    plan = compose(
        split(
            [
                TASK,
                "--vary",
                "behavior.actor.units=16,32",
                "--vary",
                "behavior.critic.units=16,32",
                "env.size=64",
            ]
        )
    ).plan
    names = [trial.name for trial in plan.trials()]
    assert (
        names[0]
        == "gym_CartPole-v1-behavior.actor.units=16-behavior.critic.units=16-size=64-seed=0"
    )
    assert len({*names}) == 4
    assert folder_name("x" * 300) != folder_name("x" * 299)
    assert folder_name("my/module:f") == "my_module_f"
    assert folder_name("..").startswith("trial-")


def test_seeds_together_are_one_trial():
    plan = compose(split([TASK, "--seeds", "3", "--together", "--vary", "harmony=true,false"])).plan
    assert [trial.words for trial in plan.trials()] == [
        (TASK, f"--harmony={value}", "--seeds=0,1,2") for value in ("true", "false")
    ]
    assert plan.trials()[0].name == "gym_CartPole-v1-harmony=true-seeds=0,1,2"
    assert from_json(plan.to_json()) == plan
    assert words_of(TASK, "--together")[0][-1] == "--seed=0"


@pytest.mark.parametrize(
    ("given", "seeds"),
    [
        (["--seeds", "3"], (0, 1, 2)),
        (["--seeds", "4", "7"], (4, 7)),
        (["--seeds=4,7"], (4, 7)),
        (["--seed", "5"], (5,)),
        ([], (0,)),
    ],
)
def test_seeds_are_a_number_or_a_list(given, seeds):
    assert compose(split([TASK, *given])).plan.seeds == seeds


FILE = """
tasks = ["gym:CartPole-v1"]
seeds = 2
backend = "ray"
[vary]
harmony = [true, false]
"env.exclude" = [["a", "b"], ["c"]]
optim.lr = [4e-5]
[options]
steps = 100
train.ratio = 8
"""


def test_a_file_says_the_same_as_the_line_and_the_line_comes_last(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    asked = compose(split([str(path), "--seeds", "1", "--steps", "200"]))
    assert asked.options.backend == "ray"
    assert list(asked.plan.trials()[0].words) == [
        *(TASK, "--train.ratio=8", "--steps=200", "--harmony=true", "--env.exclude=a,b"),
        *("--optim.lr=4e-05", "--seed=0"),
    ]
    given = {
        "tasks": TASK,
        "seeds": [0],
        "vary": {"harmony": [True, False]},
        "options": {"steps": 5},
    }
    assert [t.words for t in compose(of_values(given)).plan.trials()] == [
        (TASK, "--steps=5", f"--harmony={value}", "--seed=0") for value in ("true", "false")
    ]


def test_python_takes_the_same_file(tmp_path, monkeypatch):
    path, heard = tmp_path / "mine.toml", []
    path.write_text(FILE)
    monkeypatch.setattr("reverie.api.sweep_runs.run", lambda asked, say: heard.append(asked))
    reverie.sweep(str(path), seeds=1, options={"steps": 200})
    by_line = compose(split([str(path), "--seeds", "1", "--steps", "200"]))
    assert heard[0].plan == by_line.plan and heard[0].options == by_line.options
    reverie.sweep(TASK)
    plain = compose(split([TASK]))
    assert heard[1].plan == plain.plan and heard[1].options == plain.options


@pytest.mark.parametrize(
    ("there", "alone"),
    [("seeds = [3]", (3,)), ("seeds = 3", (0, 1, 2)), ("[options]\nseed = 3", (3,))],
)
def test_seeds_given_besides_win_over_those_of_a_file(there, alone, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(f'tasks = ["{TASK}"]\n{there}\n')
    assert compose(split([str(path)])).plan.seeds == alone
    assert compose(split([str(path), "--seeds", "2"])).plan.seeds == (0, 1)
    assert compose(split([str(path), "--seed", "5"])).plan.seeds == (5,)
    given = with_file(of_values({"tasks": str(path), "seeds": 2}))
    assert compose(given).plan.seeds == (0, 1)


REFUSED = [
    ([], "say what to learn"),
    ([TASK, TASK], "is named twice"),
    (["atari100k_pogn"], "Did you mean 'atari100k_pong'"),
    ([TASK, "--backend", "lokal"], "no back end 'lokal'; did you mean 'local'?.*reverie.slurm"),
    ([TASK, "--search", "optna"], "no search 'optna'; did you mean 'optuna'?.*reverie.optuna"),
    ([TASK, "--backnd", "local"], "did you mean --backend"),
    ([TASK, "--vary", "optim.lrr=1,2"], "did you mean 'lr'"),
    ([TASK, "--vary", "lr=1,2"], "did you mean '--optim.lr'"),
    ([TASK, "--vary", "harmny=true"], "did you mean '--harmony'"),
    ([TASK, "--train.ratoi", "3"], "did you mean '--?.*ratio'"),
    ([TASK, "--vary", "optim.lr=fast,1"], "optim.lr takes a number, found 'fast'"),
    ([TASK, "--vary", "optim.lr"], "takes KEY=VALUE"),
    ([TASK, "--vary", "optim.lr=1,,2"], "has an empty value"),
    ([TASK, "--vary", "optim.lr=1,1"], "names 1 twice"),
    ([TASK, "--vary", "optim.lr=1", "--vary", "optim.lr=2"], "names optim.lr twice"),
    ([TASK, "--vary", "optim.lr=1e-5..1e-3"], "is a range.*--search optuna"),
    ([TASK, "--vary", "optim.lr=1e-3..1e-5"], "LOW must be below HIGH"),
    ([TASK, "--vary", "optim.lr=0..1:log"], "begins above 0"),
    ([TASK, "--vary", "optim.lr=1..b"], "LOW..HIGH"),
    ([TASK, "--vary", "seed=1,2"], "--seeds says"),
    ([TASK, "--vary", "logdir=a,b"], "sweep folder"),
    ([TASK, "--vary", "jobs=1,2"], "option of the sweep"),
    ([TASK, "--from", "3"], "is for one run"),
    ([TASK, "--seeds", "2", "--together", "--log.wandb", "x"], "log.wandb is for one run"),
    ([TASK, "--vary", "together=true,false"], "it is the sweep's own"),
    ([TASK, "--steps", "5", "--vary", "steps=5,6"], "is given, and varied too"),
    ([TASK, "--seed", "1", "--seeds", "2"], "keep one of them"),
    ([TASK, "--seeds", "0"], "at least 1"),
    ([TASK, "--seeds", "1", "1"], "names 1 twice"),
    ([TASK, "--seeds", "many"], "whole numbers, found 'many'"),
    ([TASK, "--jobs"], "--jobs needs a value"),
    ([TASK, "--jobs", "4,5"], "jobs takes an integer, found '4,5'"),
    ([TASK, "--slurm", "partition"], "takes KEY=VALUE"),
    ([TASK, "--search", "optuna"], "something to choose"),
    (
        [TASK, "gym:A", "--search", "optuna", "--vary", "steps=5..9"],
        "one run at a time, found 2 tasks",
    ),
    (
        [TASK, "--search", "optuna", "--vary", "steps=5..9", "--metric", "eval/retrun"],
        "did you mean 'eval/return'",
    ),
    ([TASK, "--search", "optuna", "--vary", "train.batch=0..9"], "train.batch"),
    (["mine.toml"], "cannot be read as a plan"),
    ([TASK, "--trials", "40"], "--trials is for a search.*add --search optuna, or leave --trials"),
    ([TASK, "--metric", "eval/return"], "--metric is for a search"),
    ([TASK, "--direction", "maximize"], "--direction is for a search"),
    ([TASK, "--slurm", "partition=gpu"], "run by --backend local here: add --backend slurm"),
    ([TASK, "--slurm", "time=9", "--backend", "ray"], "--slurm time=9 is for jobs of SLURM"),
    (
        [TASK, "--search", "optuna", "--vary", "steps=5..9", "--together"],
        "--together is for several seeds",
    ),
    (
        [TASK, "--device.mesh", "data=2", "--device.coordinator", "10.0.0.1:12345"],
        "device.coordinator 10.0.0.1:12345 is for a run that several processes learn",
    ),
    (
        [TASK, "--device.mesh", "data=2", "--vary", "device.coordinator=slurm,env"],
        "device.coordinator slurm is for a run",
    ),
]


@pytest.mark.parametrize(("given", "said"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_no_trial_can_be_is_refused_in_one_sentence(given, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ConfigError, reverie.EnvError), match=said) as refused:
        compose(split(given))
    assert "\n" not in str(refused.value)
    assert not [*tmp_path.iterdir()]


def test_an_unknown_key_of_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('taks = ["x"]\n')
    with pytest.raises(ConfigError, match=re.escape("unknown key 'taks'; did you mean 'tasks'?")):
        split([str(path)])


def test_python_takes_names_only():
    with pytest.raises(ConfigError, match="MODULE:FUNCTION"):
        reverie.sweep([dict])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("given", "seeds"),
    [(np.int64(2), (0, 1)), (range(2, 4), (2, 3)), (np.arange(3), (0, 1, 2)), (range(7, 8), (7,))],
)
def test_seeds_of_python_are_whatever_counts(given, seeds):
    assert compose(of_values({"tasks": TASK, "seeds": given})).plan.seeds == seeds


def test_values_of_python_may_be_arrays_and_empty_lists():
    vary = {"optim.lr": np.array([1e-5, 1e-4]), "env.exclude": [[], ["a", "b"]]}
    plan = compose(of_values({"tasks": TASK, "vary": vary})).plan
    assert plan.vary == {"optim.lr": ("1e-05", "0.0001"), "env.exclude": ("", "a,b")}
    assert plan.trials()[0].words[1:3] == ("--optim.lr=1e-05", "--env.exclude=")
    with pytest.raises(ConfigError, match=r"optim\.lr takes a list of values, found \{"):
        of_values({"tasks": TASK, "vary": {"optim.lr": {1e-5, 1e-4}}})


@pytest.mark.parametrize("seeds", [2.5, True, "5", [1.5], [True], []])
def test_seeds_of_another_kind_are_told(seeds):
    with pytest.raises(ConfigError, match=r"seeds.* takes a.* found"):
        compose(of_values({"tasks": TASK, "seeds": seeds}))


def test_a_plan_survives_its_file():
    plan = Plan(
        ("a",),
        (0,),
        {"lr": Range(1e-5, 1e-3, True), "b": ("x",), "n": Range(1, 9, whole=True)},
        ("--steps=5",),
        Search(),
    )
    assert from_json(plan.to_json()) == plan


def test_compare_takes_what_a_sweep_varied(tmp_path):
    vary = {"harmony": ("true", "false"), "init": ("a", "b"), "env.size": ("64",)}
    plan = Plan((TASK,), (0,), vary)
    file.write(file.Sweep(tmp_path, plan, file.How(), ""))
    assert CompareOptions((str(tmp_path),)).options().by == ("harmony",)
    assert CompareOptions((str(tmp_path),), by="steps").options().by == ("steps",)
    with pytest.raises(Exception, match=r"no trial of the sweep .* has begun yet"):
        reverie.compare([tmp_path])


def test_the_largest_trial_says_what_one_takes(monkeypatch):
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)

    def needs(*given: str) -> room.Needs:
        return room.needs_of(configs(compose(split([TASK, *given])).plan))

    assert needs("--env.num", "3") == room.Needs(3, 1)
    assert needs("--vary", "env.num=2,5,3", "--device.kind", "cpu") == room.Needs(5, 0)
    mesh = ("--env.num", "4", "--train.batch", "16", "--device.mesh")
    assert needs(*mesh, "data=2,model=2") == room.Needs(4, 4)
    drawn = ("--search", "optuna", "--vary", "env.num=2..6", "--vary", "device.mesh=data=2")
    assert needs(*drawn) == room.Needs(6, 2)
    assert room.needs_of([]) == room.Needs(1, 0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    assert room.room_here(room.Needs(1, 3), 0).devices == ("0", "1", "2")
    with pytest.raises(SweepError, match=r"takes 4 GPUs, and this machine has 3: give a smaller"):
        room.room_here(room.Needs(1, 4), 0)
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert needs(*mesh, "data=4") == room.Needs(4, 0)
    assert room.room_here(room.Needs(4, 0), 0).devices == ()


def test_as_many_trials_as_cores_devices_and_memory_allow(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "planned_bytes", lambda run: 10 if run.name != "new" else 0)
    two, one = room.Needs(2), room.Needs(1, 1)
    assert room.Room(cores=8, each=two).jobs(tmp_path, []) == 4
    assert room.Room(cores=8, each=one, devices=("0", "1")).jobs(tmp_path, []) == 2
    over_two = room.Room(cores=8, each=room.Needs(1, 2), devices=tuple("01234"))
    assert over_two.jobs(tmp_path, []) == 2
    assert room.Room(limit=7, cores=1).jobs(tmp_path, []) == 7
    assert room.Room(cores=1, each=two).jobs(tmp_path, []) == 1
    planned = room.Room(cores=8, memory=34)
    assert planned.jobs(tmp_path, []) == 1
    assert planned.jobs(tmp_path, ["new"]) == 1
    assert planned.jobs(tmp_path, ["old"]) == 3
