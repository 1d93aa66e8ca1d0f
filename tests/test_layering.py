"""The shape of the package: imports go one way, and some things only one place may do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "netgen"

# Each imports only from those before it, whether at the top of a file or inside a function.
ORDER = (
    "errors", "ir", "dsl", "ops", "models", "weights", "frontends", "passes", "quantize", "kernels",
    "plan", "emission", "runtime", "compiler", "__init__", "export", "tune", "bench", "report",
    "cli",
)  # fmt: skip
# The names of `import netgen` are the compiler's; what stands on the compiler may use them.
ROOT = "__init__"
# The version is a string beside those names, and no layer.
FREE_OF_THE_ROOT = {"__version__"}

SOLE_IMPORTERS = {
    "networkx": {"ir/graph.py"},
    "jinja2": {"emission/environment.py"},
    "cffi": {"runtime/build.py"},
    "_cffi_backend": {"runtime/build.py"},
    "torch": {"bench/peers/torch_module.py"},
    "tensorflow": set(),
}
PRINTING_MODULES = {
    "cli.py", "cli_bench.py", "cli_challenge.py", "cli_output.py", "cli_plan.py", "cli_tune.py",
}  # fmt: skip
VAGUE = {"util", "utils", "common", "helper", "helpers", "misc", "manager", "managers"}
MOST_LINES = 350
MOST_LINES_OF_A_BODY = 40


def files(top: Path, *endings: str) -> list[Path]:
    """Files below a folder, without what Python or a user left there."""
    found = (path for ending in endings for path in top.rglob(f"*{ending}"))
    return sorted(
        path
        for path in found
        if "__pycache__" not in path.parts and path.resolve() == path.absolute()
    )


SOURCES = files(PACKAGE, ".py")


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def layer_of(path: Path) -> str:
    return layer(path.relative_to(PACKAGE).parts[0].removesuffix(".py"))


def layer(part: str) -> str:
    """The layer of a part of the package; the command line is one, in several files."""
    return "cli" if part.startswith("cli_") else part


def imports(tree: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every import of a module: its dotted name, and the names taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are banned"
            yield str(node.module), tuple(alias.name for alias in node.names)


def imported_layers(tree: ast.AST) -> Iterator[str]:
    """The layers of netgen that a module imports from."""
    for module, names in imports(tree):
        parts = module.split(".")
        if parts[0] != "netgen":
            continue
        if len(parts) > 1:
            yield layer(parts[1])
        elif not names:
            yield ROOT
        else:
            found = (layer(name) for name in names if name not in FREE_OF_THE_ROOT)
            yield from (name if name in ORDER else ROOT for name in found)


def outsiders(tree: ast.AST) -> set[str]:
    return {module.split(".")[0] for module, _ in imports(tree)}


def prints(tree: ast.AST) -> list[int]:
    """Lines that write to standard output: print, click.echo, sys.stdout, a rich Console."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in {"print", "click.echo", "click.secho"} or called.endswith("Console"):
                lines.append(node.lineno)
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.stdout", "sys.stderr"}:
            lines.append(node.lineno)
    return lines


def misplaced(path: Path, tree: ast.AST) -> list[str]:
    """Layers that a file imports although they stand after its own."""
    own = layer_of(path)
    rank = {name: place for place, name in enumerate(ORDER)}
    return [found for found in imported_layers(tree) if rank[found] > rank[own]]


def test_every_folder_has_its_place() -> None:
    assert {layer_of(path) for path in SOURCES} <= set(ORDER)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    assert misplaced(path, ast.parse(path.read_text())) == []


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_what_only_one_place_may_do(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for module in outsiders(tree) & SOLE_IMPORTERS.keys():
        assert name_of(path) in SOLE_IMPORTERS[module], module
    if name_of(path) not in PRINTING_MODULES:
        assert prints(tree) == []


@pytest.mark.parametrize(
    "path",
    files(PACKAGE, ".py") + files(REPOSITORY / "tests", ".py"),
    ids=lambda path: path.relative_to(REPOSITORY).as_posix(),
)
def test_names_say_what_is_inside_and_files_are_short(path: Path) -> None:
    text = path.read_text()
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    assert not {word for part in parts for word in part.split("_")} & VAGUE
    classes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]
    assert not [node.name for node in classes if node.name.lower().endswith(tuple(VAGUE))]
    assert len(text.splitlines()) <= MOST_LINES


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        ("ir/graph.py", "from netgen.errors import GraphError", []),
        ("ir/graph.py", "from netgen.ir.operator import Const", []),
        ("ir/graph.py", "def f():\n    from netgen.ops.add import Add", ["ops"]),
        ("dsl/tensor.py", "import netgen.ops.add", ["ops"]),
        ("dsl/tensor.py", "from netgen import ops", ["ops"]),
        ("passes/x.py", "if TYPE_CHECKING:\n    from netgen.plan.plan import Plan", ["plan"]),
        ("emission/x.py", "from netgen import __version__", []),
        ("emission/x.py", "import netgen", ["__init__"]),
        ("emission/x.py", "from netgen import load", ["__init__"]),
        ("bench/x.py", "import netgen", []),
        ("bench/x.py", "from netgen import cli", ["cli"]),
    ],
)
def test_the_test_sees_misplaced_imports(file: str, source: str, expected: list[str]) -> None:
    assert misplaced(PACKAGE / file, ast.parse(source)) == expected


@pytest.mark.parametrize(
    "source",
    ["print(1)", "sys.stdout.write(x)", "Console()", "rich.console.Console()", "click.echo(1)"],
)
def test_the_test_sees_printing(source: str) -> None:
    assert prints(ast.parse(source)) == [1]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_function_is_long(path: Path) -> None:
    """Its body, that is: signatures and docstrings may say what there is to say."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            documented = ast.get_docstring(node) is not None and len(node.body) > 1
            first, end = node.body[documented].lineno, node.end_lineno
            assert end is not None
            assert end - first < MOST_LINES_OF_A_BODY, f"{name_of(path)}: {node.name}"
