"""Dockerfile, compose.yaml and the script that runs the same steps agree with each other."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TARGETS = ("cpu", "cuda")


@pytest.fixture(scope="module")
def container():
    spec = importlib.util.spec_from_file_location("container", ROOT / "scripts" / "container.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def steps(container):
    return container.steps((ROOT / "Dockerfile").read_text())


def arguments(steps):
    """Build arguments and their defaults."""
    pairs = [step.rest.partition("=") for step in steps if step.word == "ARG"]
    return {name: value.strip('"') for name, _, value in pairs}


def test_lines_are_joined_and_comments_left_out(container):
    text = "# one\nFROM ${BASE} AS a\nRUN x \\\n    && y\n# two\nUSER u\n"
    expected = [("FROM", "${BASE} AS a"), ("RUN", "x && y"), ("USER", "u")]
    assert [(step.word, step.rest) for step in container.steps(text)] == expected


def test_a_target_has_the_steps_of_what_it_starts_from(container):
    text = "ARG BASE=b\nFROM ${BASE} AS a\nRUN 1\nFROM a AS c\nRUN 2\nFROM a AS d\nRUN 3\n"
    chained = container.chain(container.steps(text), "d")
    assert [step.rest for step in chained] == ["1", "3"]
    with pytest.raises(container.ContainerError, match="no target 'e', only a, c, d"):
        container.chain(container.steps(text), "e")


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_runs_as_a_user_and_installs_its_sources_last(container, steps, target):
    chained = container.chain(steps, target)
    words = [step.word for step in chained]
    assert [step.rest for step in chained if step.word == "USER"] == ["reverie"]
    assert words[-2:] == ["ENTRYPOINT", "CMD"]
    copies = [index for index, step in enumerate(chained) if step.word == "COPY"]
    installs = [index for index, step in enumerate(chained) if "pip install" in step.rest]
    assert words.index("USER") < min(copies)
    assert chained[copies[-1]].rest.endswith(" src src")
    assert [index for index in installs if index > copies[-1]] == installs[-1:]
    assert "--no-deps" in chained[installs[-1]].rest


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_copied_is_there_and_reaches_the_build(container, steps, target):
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[0] == "*"
    for step in container.chain(steps, target):
        if step.word == "COPY":
            for name in step.rest.split()[1:-1]:
                assert (ROOT / name).exists()
                assert f"!{name}" in ignored


def test_images_can_be_replaced_and_name_no_registry(steps):
    bases = [step.rest.split()[0] for step in steps if step.word == "FROM"]
    assert bases[0] == "${BASE}"
    image = arguments(steps)["BASE"]
    assert re.fullmatch(r"[a-z]+:[a-z-]+", image)


def test_the_extras_are_those_of_the_package(steps):
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(arguments(steps)["EXTRAS"].split(",")) <= set(known["optional-dependencies"])


@pytest.mark.parametrize("target", TARGETS)
def test_compose_builds_the_targets_with_the_defaults_of_the_dockerfile(steps, target):
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert set(services) == set(TARGETS)
    assert services[target]["build"]["target"] == target
    known = arguments(steps)
    for name, value in services[target]["build"]["args"].items():
        assert value == f"${{{name}:-{known[name]}}}"


def test_the_script_knows_every_instruction_of_the_dockerfile(steps):
    source = (ROOT / "scripts" / "container.py").read_text()
    known = {"FROM", *re.findall(r'case "([A-Z]+)"', source)}
    assert {step.word for step in steps} <= known


def test_the_script_refuses_a_root_that_is_there(container, tmp_path):
    with pytest.raises(container.ContainerError, match="is there already"):
        container.new_root(tmp_path, None)
