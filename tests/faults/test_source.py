"""What may be handed over as an environment, and what each wrong thing is told."""

import abc
import functools as ft
import subprocess
import sys

import gymnasium
import pytest

from reverie.envs.source import FromSpec, source_of
from reverie.folder import run_folder
from reverie.folder.errors import RunError
from reverie.folder.fingerprint import identity
from reverie.part.errors import ConfigError


class Whole(gymnasium.Env):
    def __init__(self, level=0):
        self.level = level

    def reset(self, **_):
        return 0, {}

    def step(self, action):
        return 0, 0.0, False, False, {}


class Half(gymnasium.Env):
    def reset(self, **_):
        return 0, {}


class Abstract(Whole, abc.ABC):
    @abc.abstractmethod
    def draw(self): ...


class Needs(Whole):
    def __init__(self, level, size=3):
        super().__init__(level)


class Old:
    def reset(self):
        return 0

    def step(self, action):
        return 0, 0.0, False, {}


class Several(Old):
    """As Stable-Baselines3's vectors are: no class of Gymnasium's, and a number."""

    num_envs = 3


class Factory:
    def __init__(self, level=0):
        self.level = level

    def __call__(self):
        return Whole(self.level)


async def later():
    return Whole()


@pytest.mark.parametrize("thing", [Whole, Factory(), ft.partial(Whole, 3), lambda: Whole()])
def test_whatever_makes_an_environment_is_taken_as_it_is(thing):
    source = source_of(thing)
    source.check_kwargs({})
    assert source.make_env is thing
    assert source.task.startswith("custom:")


def test_a_gymnasium_spec_makes_a_new_environment_every_time():
    source = source_of(gymnasium.spec("CartPole-v1"))
    assert isinstance(source.make_env, FromSpec)
    one, two = source.make_env(), source.make_env()
    assert one.unwrapped is not two.unwrapped
    assert one.spec.id == "CartPole-v1"


@pytest.mark.parametrize(
    ("thing", "remedy"),
    [
        (Whole(), r"function that makes one, for example lambda: Whole\(...\)"),
        (gymnasium.make_vec("CartPole-v1", num_envs=2), 'here overrides={"env.num": 2}'),
        (Several(), 'here overrides={"env.num": 3}'),
        (gymnasium.vector.VectorEnv, "set env.num"),
        (gymnasium.Env, "abstract .it lacks reset, step"),
        (Half, "abstract .it lacks step"),
        (Abstract, "abstract .it lacks draw"),
        (Old, "wrapper"),
        (Old(), "wrapper"),
        (int, "the class int, which is no gymnasium.Env"),
        (later, "coroutine"),
        (gymnasium, "the module gymnasium: name its function"),
        (None, "NoneType None, expected a task's name"),
        (3, "int 3, expected a task's name"),
        (["gym:CartPole-v1"], r"reverie.continual"),
        ("custom:make_env", "write MODULE:FUNCTION"),
    ],
)
def test_everything_else_is_told_what_to_write_instead(thing, remedy):
    with pytest.raises(ConfigError, match=remedy):
        source_of(thing)


def test_arguments_are_checked_before_anything_is_made():
    with pytest.raises(
        ConfigError, match=r'cannot be called without level: give them as env.kwargs {"level"'
    ):
        source_of(Needs).check_kwargs({})
    source_of(Needs).check_kwargs({"level": 1})
    source_of(ft.partial(Needs, 1)).check_kwargs({})
    source_of(lambda index: Whole(index)).check_kwargs({})
    with pytest.raises(ConfigError, match="'sise', which Needs does not take; did you mean 'size'"):
        source_of(Needs).check_kwargs({"level": 1, "sise": 2})


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mien:make_env", "there is no module 'mien'.*Did you mean 'mine'"),
        ("mine:make_evn", "mine has no 'make_evn'; did you mean 'make_env'"),
        ("mine:LEVEL", "mine:LEVEL is int 3, expected"),
        ("broken:make_env", "importing broken failed: broken.py, line 2: 1 / 0: ZeroDivision"),
        ("garbled:make_env", "importing garbled failed: garbled.py, line 1: SyntaxError"),
        ("leaving:make_env", "importing leaving failed: leaving.py, line 1.*SystemExit"),
        ("dmc:walker_walk", "written dmc_NAME"),
    ],
)
def test_a_function_of_a_module_is_found_from_the_current_folder(name, told, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("LEVEL = 3\n\n\ndef make_env(): ...\n")
    (tmp_path / "broken.py").write_text("\n1 / 0\n")
    (tmp_path / "garbled.py").write_text("def def\n")
    (tmp_path / "leaving.py").write_text("raise SystemExit(0)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    with pytest.raises(ConfigError, match=told) as error:
        source_of(name)
    assert "Traceback" not in str(error.value)
    source = source_of("mine:make_env")
    assert source.task == "custom:mine.make_env"
    sys.modules.pop("mine")


def level(number):
    return Whole(number)


def local(number):
    def make():
        return level(number)

    return make


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (lambda: level(1), lambda: level(-5)),
        (ft.partial(level, 1), ft.partial(level, -5)),
        (ft.partial(level, number=1), ft.partial(level, number=-5)),
        (local(1), local(-5)),
        (Factory(1), Factory(-5)),
        (Factory(1).__call__, Factory(-5).__call__),
        (type("E", (Whole,), {"size": 1}), type("E", (Whole,), {"size": 2, "f": lambda self: 1})),
    ],
)
def test_what_a_name_does_not_identify_has_an_identity_of_its_own(one, two):
    if not isinstance(one, type):
        assert identity(one) != identity(two)
    assert identity(one) == identity(one) != ""


def test_the_identity_is_the_same_in_every_process():
    code = (
        "from reverie.folder.fingerprint import identity\n"
        "words = {'a', 'b', 'c', 'd'}\n"
        "def outer(x):\n    return lambda: (x, {'e', 'f'} & x, object)\n"
        "import sys; sys.stdout.write(identity(outer(words)))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in "123"
    }  # fmt: skip
    assert len(found) == 1 and found != {""}


def test_the_default_folder_of_another_callable_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"source": "<lambda> 0123"}')
    run_folder.check_source(tmp_path, "<lambda> 0123")
    run_folder.check_source(tmp_path, "")
    with pytest.raises(RunError, match="give logdir"):
        run_folder.check_source(tmp_path, "<lambda> 4567")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(RunError, match="does not say which"):
        run_folder.check_source(tmp_path, "<lambda> 4567")
