"""Habits of the house, held for every file: sizes, arguments, folder indexes, no import cycle."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "reverie"
FILES = sorted(SOURCE.rglob("*.py"))
FOLDERS = sorted(path.parent for path in FILES if path.name == "__init__.py")

LONGEST_FILE = 300
LONGEST_FUNCTION = 40  # lines of a definition, its docstring not counted
MOST_POSITIONAL = 5  # arguments that may be given by position, without self and cls
INDEX_FROM = 4  # files beside __init__.py from which a folder says what each is for

Function = ast.FunctionDef | ast.AsyncFunctionDef


def named(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Every function of a file, nested ones too, with the names around it."""

    def visit(node: ast.AST, around: str) -> Iterator[tuple[str, Function]]:
        for child in ast.iter_child_nodes(node):
            name = around
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{around}.{child.name}".lstrip(".")
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield name, child
            yield from visit(child, name)

    return visit(tree, "")


def num_lines(function: Function) -> int:
    """Lines from `def` to the end, decorators and docstring not counted."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        text = function.body[0]
        lines -= (text.end_lineno or text.lineno) - text.lineno + 1
    return lines


def positional(function: Function) -> list[ast.arg]:
    """Arguments that a caller may give by position."""
    found = [*function.args.posonlyargs, *function.args.args]
    return found[1:] if found and found[0].arg in ("self", "cls") else found


def positional_flags(function: Function) -> list[str]:
    """Arguments with the default True or False that may be given by position."""
    given = positional(function)
    defaults = function.args.defaults
    last = given[len(given) - len(defaults) :] if defaults else []
    return [
        argument.arg
        for argument, default in zip(last, defaults, strict=True)
        if isinstance(default, ast.Constant) and isinstance(default.value, bool)
    ]


def breaches(tree: ast.Module) -> list[str]:
    """What the functions of a file do against the habits."""
    found = []
    for name, function in functions(tree):
        if num_lines(function) > LONGEST_FUNCTION:
            found.append(f"{name}: {num_lines(function)} lines")
        if len(positional(function)) > MOST_POSITIONAL:
            found.append(f"{name}: {len(positional(function))} positional arguments")
        found += [f"{name}: flag {flag} by position" for flag in positional_flags(function)]
    return found


@pytest.mark.parametrize("path", FILES, ids=named)
def test_functions_are_small(path):
    assert breaches(ast.parse(path.read_text())) == []


def test_files_are_short():
    lengths = {named(path): len(path.read_text().splitlines()) for path in FILES}
    assert {n: long for n, long in lengths.items() if long > LONGEST_FILE} == {}


# -- indexes of folders


def indexed(text: str) -> set[str]:
    """Names of files, and of folders below, that a docstring lists."""
    return set(re.findall(r"(?<![\w/.])\w+(?:\.py\b|/(?=\s))", text))


def contents(folder: Path) -> set[str]:
    """Files of a folder beside its `__init__.py`, and folders below, as an index spells them."""
    files = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    return files | {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_the_index_of_a_folder_is_complete(folder):
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    there = contents(folder)
    listed = indexed(text)
    if listed or len(there) >= INDEX_FROM:
        assert {"missing": there - listed, "gone": listed - there} == {
            "missing": set(),
            "gone": set(),
        }


# -- imports


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def when_imported(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements that run with the file: none in functions or for type checkers only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from when_imported(node)


def needs(tree: ast.Module, known: set[str]) -> set[str]:
    """Files of ours that a file imports when it is imported itself."""
    names: set[str] = set()
    for node in when_imported(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        else:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
            names.add(node.module or "")
    return names & known


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """A circle of imports, its first name repeated at the end; empty if there is none."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph[name]):
            if found := visit(other, [*path, name]):
                return found
        done.add(name)
        return []

    return next((found for name in graph if (found := visit(name, []))), [])


def test_no_circle_of_imports():
    known = {module_name(path) for path in FILES}
    graph = {
        module_name(path): needs(ast.parse(path.read_text()), known) - {module_name(path)}
        for path in FILES
    }
    assert cycle(graph) == []


# -- the checks themselves can fail


def test_the_checks_see_what_they_should():
    long = "def f():\n" + "    x = 1\n" * 40
    assert breaches(ast.parse(long)) == ["f: 41 lines"]
    assert breaches(ast.parse('def f():\n    """A\n    text."""\n' + "    x = 1\n" * 39)) == []
    inside = "class A:\n    def g(self, a, b, c, d, e, f): ..."
    assert breaches(ast.parse(inside)) == ["A.g: 6 positional arguments"]
    assert breaches(ast.parse(inside.replace("f)", "*, f)"))) == []
    assert breaches(ast.parse("def f(a, on=True): ...")) == ["f: flag on by position"]
    assert breaches(ast.parse("def f(a, *, on=True): ...")) == []
    assert indexed("a.py  b.py   two\nsub/  more (reverie/signals), see `x/c.py`") == {
        "a.py",
        "b.py",
        "sub/",
    }


def test_the_circle_check_sees_what_it_should():
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    tree = ast.parse("import x\nif TYPE_CHECKING:\n    import y\ndef f():\n    import z\n")
    assert needs(tree, {"x", "y", "z"}) == {"x"}
