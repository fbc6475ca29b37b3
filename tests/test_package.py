"""The package as a user gets it: what the archives hold, and that an installed one works."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml
from tiny_runs import TINY

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def checked(words, **options):
    """What the command says on stdout; it must end well."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with the sdist of this tree, and the wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    flags = ["--no-isolation", "--outdir", folder]
    checked([sys.executable, "-m", "build", *flags, ROOT])
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (found,) = built.glob("*.whl")
    return found


def new_environment(folder: Path, *, with_pip: bool = False) -> Path:
    """The Python of a fresh virtual environment."""
    venv.create(folder, with_pip=with_pip)
    return folder / "bin" / "python"


def without_checkout() -> dict[str, str]:
    """The variables of this process, less those that lead to the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def assert_it_works(python: Path, empty: Path) -> None:
    """The command trains and reports, called from an empty folder."""
    words = {"cwd": empty, "env": without_checkout()}
    where = checked([python, "-c", "import reverie; print(reverie.__file__)"], **words)
    assert Path(where.strip()).is_relative_to(python.parents[1])
    command = python.parent / "reverie"
    # The program of other tests, so that it need not be compiled anew.
    options = {**TINY, "steps": 40, "device.precision": "f32", "logdir": "run"}
    flags = ["--size=debug", *(f"--{name}={value}" for name, value in options.items())]
    checked([command, "train", "probe_memory", *flags], **words)
    assert json.loads((empty / "run" / "config.json").read_text())["config"]["steps"] == 40
    checked([command, "report", "run"], **words)
    assert "<style>" in (empty / "run" / "report.html").read_text()


def test_the_wheel_has_every_file_of_the_package_and_no_other(wheel):
    source = ROOT / "src"
    files = [path for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == {str(path.relative_to(source)) for path in files}
    data = ["py.typed", "report/page.css", "report/page.js", "report/template.html"]
    assert found >= {f"reverie/{name}" for name in data}


def test_the_wheel_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (about,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        text = archive.read(about).decode()
        points = archive.read(about.replace("METADATA", "entry_points.txt")).decode()
        licence = archive.read(about.replace("METADATA", "licenses/LICENSE")).decode()
    assert f"\nVersion: {PROJECT['version']}\n" in text
    assert f"\nRequires-Python: {PROJECT['requires-python']}\n" in text
    assert set(re.findall(r"^Provides-Extra: (\S+)$", text, re.M)) == set(
        PROJECT["optional-dependencies"]
    )
    assert points.split() == ["[console_scripts]", "reverie", "=", "reverie.cli:main"]
    assert licence == (ROOT / "LICENSE").read_text()


def test_the_sdist_has_what_a_build_and_a_reader_need(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "CITATION.cff"}
    assert names >= wanted | {"constraints.txt", "Dockerfile", "tests/conftest.py"}


def test_an_installed_wheel_works_from_an_empty_folder(wheel, tmp_path):
    """In an environment of its own that borrows the other packages of this one."""
    python = new_environment(tmp_path / "venv")
    site = sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")})
    (Path(site) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    flags = ["--quiet", "--no-index", "--no-deps"]
    pip = [sys.executable, "-m", "pip", "--python", python]  # making pip anew takes seconds
    checked([*pip, "install", *flags, wheel], env=without_checkout())
    empty = tmp_path / "empty"
    empty.mkdir()
    assert_it_works(python, empty)


@pytest.mark.slow
def test_an_installed_sdist_brings_all_that_it_needs(built, tmp_path):
    """In an environment with nothing: pip fetches what the package says it needs."""
    python = new_environment(tmp_path / "venv", with_pip=True)
    (archive,) = built.glob("*.tar.gz")
    flags = ["--quiet", "-c", ROOT / "constraints.txt"]
    checked([python, "-m", "pip", "install", *flags, archive], env=without_checkout())
    empty = tmp_path / "empty"
    empty.mkdir()
    assert_it_works(python, empty)


def test_the_citation_is_valid_and_of_this_version():
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (found["cff-version"], found["type"]) == ("1.2.0", "software")
    assert str(found["version"]) == PROJECT["version"]
    assert found["license"] == PROJECT["license"]
    assert found["message"]
    assert found["title"].startswith("Reverie")
    for work in [found, *found["references"]]:
        assert work["authors"]
        for author in work["authors"]:
            assert set(author) in ({"name"}, {"family-names", "given-names"})
    for work in found["references"]:
        assert (work["type"], type(work["year"])) == ("article", int)
        (number,) = work["identifiers"]
        assert re.fullmatch(r"arXiv:\d{4}\.\d{5}", number["value"])


def test_the_papers_of_the_citation_are_in_the_pages():
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    numbers = {work["identifiers"][0]["value"] for work in found["references"]}
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "".join(page.read_text() for page in pages)
    assert {number for number in numbers if number not in text} == set()
