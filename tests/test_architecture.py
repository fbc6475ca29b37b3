"""The shape of the code base: station order, and what may not appear anywhere."""

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "reverie"

ORDER = [
    {"module"},
    {"records", "files"},
    {"part"},
    {"nn"},
    {"optim"},
    {"envs"},
    {"replay"},
    {"world"},
    {"behavior"},
    {"signals"},  # what an update says about rows: parts of replay that know networks
    {"config"},
    {"machine", "folder"},
    {"watch"},
    {"web"},
    {"callbacks"},
    {"train"},
    {"report", "bench", "export"},
    {"doctor", "dream", "live", "share"},
    {"sweeps"},
    {"cli", "verbs", "sweep_verb", "listings", "publish", "api", "launch", "help", "options"}
    | {"__main__", "__init__"},
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}

FILES = sorted(SOURCE.rglob("*.py"))


def station(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> set[str]:
    """Every module named by an import statement anywhere in the file."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def later(path: Path, tree: ast.AST) -> list[str]:
    """Imports of a station that comes after the importer's own."""
    here = station(path)
    stations = {name.split(".")[1] for name in imported(tree) if name.startswith("reverie.")}
    unknown = stations - set(RANK) - {"__version__"}
    assert not unknown, f"{path.name} imports {unknown}: name the station in the order above"
    return sorted(
        name
        for name in stations & set(RANK)
        if RANK[name] > RANK[here] or (RANK[name] == RANK[here] < len(ORDER) - 1 and name != here)
    )


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_backwards(path):
    assert station(path) in RANK, "a new station needs a place in the order"
    if path != SOURCE / "__init__.py":  # the table of contents
        assert later(path, parsed(path)) == []


def test_the_order_test_sees_a_wrong_import():
    tree = ast.parse("def f():\n    from reverie.train.loop import train")
    assert later(SOURCE / "world" / "model.py", tree) == ["train"]
    assert later(SOURCE / "bench" / "x.py", ast.parse("import reverie.report.page")) == ["report"]
    assert later(SOURCE / "cli.py", tree) == []


def test_every_file_says_what_it_is_about():
    missing = [str(p.relative_to(ROOT)) for p in FILES if not ast.get_docstring(parsed(p))]
    assert missing == []


def calls(tree: ast.AST) -> set[str]:
    """Names of the plain functions that are called."""
    nodes = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def test_nothing_is_printed_evaluated_or_probed():
    banned = {"print", "eval", "exec", "hasattr"}
    found = {str(p.relative_to(ROOT)): calls(parsed(p)) & banned for p in FILES}
    assert {name: names for name, names in found.items() if names} == {}


def test_equinox_stays_in_one_file():
    users = [
        str(path.relative_to(SOURCE))
        for path in FILES
        if any(name.split(".")[0] == "equinox" for name in imported(parsed(path)))
    ]
    assert users == ["module.py"]


def test_stations_before_the_networks_know_no_jax():
    names = ("records.py", "part", "config", "envs", "replay")
    for path in FILES:
        if path.relative_to(SOURCE).parts[0] in names:
            if path.parent == SOURCE / "envs" / "functional":
                continue  # JAX-native environments; imported when such a task is made
            roots = {name.split(".")[0] for name in imported(parsed(path))}
            assert not roots & {"jax", "torch"}, path


def tracked() -> list[Path]:
    """Files under version control, without the arrays and pictures."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in done.stdout.split("\0") if name]
    texts = [ROOT / name for name in names if not name.endswith((".npz", ".png", ".mp4", ".html"))]
    return [path for path in texts if path.is_file()]


# Written in pieces so that this file does not name what it forbids.
HOSTS = ["py" + "pi.org", "pythonhosted" + ".org", "npmjs" + ".org", "conda" + ".anaconda.org"]
OPTIONS = ["--index" + "-url", "--extra-index" + "-url", "--find" + "-links"]
FOLDERS = re.compile(r"(?<![\w.~/$}])/(?:home|root|work|tmp|Users|mnt|opt)/\w")


def test_no_registry_and_no_absolute_path_is_named():
    found = []
    for path in tracked():
        text = path.read_text(errors="replace")
        found += [(path.name, word) for word in (*HOSTS, *OPTIONS) if word in text]
        found += [(path.name, match.group()) for match in FOLDERS.finditer(text)]
    assert found == []


def test_the_folder_pattern_sees_what_it_should():
    for text in ('open("/tmp' + '/x")', "cd /work" + "/main", "= /home" + "/me"):
        assert FOLDERS.search(text), text
    for text in ("runs/tmp/x", "~/work/x", "https://host/home/x", "$DIR/tmp/x"):
        assert not FOLDERS.search(text), text


def test_set_up_files_agree():
    """What is installed is pinned, for both Pythons, and what the Makefile installs exists."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = (ROOT / "constraints.txt").read_text()
    extras = project["optional-dependencies"]
    wanted = re.search(r"^EXTRAS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert wanted is not None
    names = wanted.group(1).split(",")
    assert set(names) <= set(extras)
    needed = [*project["dependencies"], *(line for name in names for line in extras[name])]
    for line in needed:
        name = re.split(r"[\[<>=;]", line)[0].lower().replace("_", "-")
        assert re.search(rf"^{re.escape(name)}==", pins, re.MULTILINE), f"{name} is not pinned"
    jax = re.findall(r"^jax==(\S+); python_version (<|>=) \"3.12\"$", pins, re.MULTILINE)
    assert [sign for _, sign in jax] == ["<", ">="]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_test_files_have_names_of_their_own():
    """pytest cannot collect two files of one name, wherever they stand."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert sorted({name for name in names if names.count(name) > 1}) == []
