"""The shape of the package: imports go one way, and some things only one place may do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "netgen"

# Each imports only from those before it, whether at the top of a file or inside a function.
ORDER = (
    "errors", "ir", "dsl", "ops", "models", "weights", "frontends", "passes", "quantisation",
    "kernels", "plan", "pictures", "emission", "runtime", "compiler", "__init__", "export", "tune",
    "bench", "report", "onnx_backend", "cli", "__main__",
)  # fmt: skip
# Likewise inside a folder. `files` are those that stand in it, `list` is its __init__.
ROOMS = {
    "kernels": ("files", "f32", "i8", "moves", "conversions", "list"),
    "plan": (
        "list", "data", "json", "schedule", "segments", "arena", "check", "execute",
        "files",
    ),
}  # fmt: skip
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
PRINTING_FOLDER = "cli/"
ASKING = {
    *("subprocess", "time", "shutil.which", "os.popen", "os.spawnvp", "os.times"),
    *("pytest.skip", "pytest.mark.skipif", "pytest.mark.skip", "pytest.importorskip"),
}
ASKING_ENDS = {name.rpartition(".")[2] for name in ASKING}
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
TESTS = files(REPOSITORY / "tests", ".py")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


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
            yield parts[1]
        elif not names:
            yield ROOT
        else:
            found = (name for name in names if name not in FREE_OF_THE_ROOT)
            yield from (name if name in ORDER else ROOT for name in found)


def outsiders(tree: ast.AST) -> set[str]:
    return {module.split(".")[0] for module, _ in imports(tree)}


def prints(tree: ast.AST) -> list[int]:
    """Lines that write to standard output: print, click.echo, sys.stdout, a rich Console."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = ast.unparse(node.func)
            if called in {"print", "click.echo", "click.secho"} or called.endswith("Console"):
                lines.append(node.lineno)
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in {"stdout", "stderr"}
            and ast.unparse(node) in {"sys.stdout", "sys.stderr"}
        ):
            lines.append(node.lineno)
    return lines


def machine_uses(tree: ast.AST) -> set[str]:
    """The names in a test that start a process, ask what is installed, or read a clock."""
    names = {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ASKING_ENDS
    }
    for module, taken in imports(tree):
        names |= {module, *(f"{module}.{name}" for name in taken)}
    return names & ASKING


def misplaced(path: Path, tree: ast.AST) -> list[str]:
    """Layers that a file imports although they stand after its own."""
    own = layer_of(path)
    rank = {name: place for place, name in enumerate(ORDER)}
    return [found for found in imported_layers(tree) if rank[found] > rank[own]]


def room(parts: tuple[str, ...]) -> str | None:
    """The room of a module, by its dotted name below netgen; None outside of divided folders."""
    if parts[0] not in ROOMS:
        return None
    if len(parts) == 1:
        return "list"
    return parts[1] if parts[1] in ROOMS[parts[0]] else "files"


def misplaced_rooms(path: Path, tree: ast.AST) -> list[str]:
    """Rooms of a file's own folder that it imports from although they stand after its own."""
    own = tuple(part for part in path.relative_to(PACKAGE).with_suffix("").parts)
    own = own[:-1] if own[-1] == "__init__" else own
    mine = room(own) if own else None
    if mine is None:
        return []
    order = ROOMS[own[0]]
    found = []
    for module, _ in imports(tree):
        parts = tuple(module.split("."))
        if parts[0] != "netgen" or parts[1:2] != own[:1]:
            continue
        other = room(parts[1:])
        if other is not None and order.index(other) > order.index(mine):
            found.append(other)
    return found


def test_every_folder_has_its_place() -> None:
    assert {layer_of(path) for path in SOURCES} <= set(ORDER)
    for folder, rooms in ROOMS.items():
        inside = {p.relative_to(PACKAGE).parts[1] for p in SOURCES if layer_of(p) == folder}
        assert {name for name in inside if not name.endswith(".py")} <= set(rooms)


def test_imports_go_one_way() -> None:
    wrong = {name_of(path): misplaced(path, tree_of(path)) for path in SOURCES}
    assert {name: found for name, found in wrong.items() if found} == {}
    wrong = {name_of(path): misplaced_rooms(path, tree_of(path)) for path in SOURCES}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_what_only_one_place_may_do() -> None:
    for path in SOURCES:
        tree, name = tree_of(path), name_of(path)
        for module in outsiders(tree) & SOLE_IMPORTERS.keys():
            assert name in SOLE_IMPORTERS[module], (name, module)
        if not name.startswith(PRINTING_FOLDER):
            assert prints(tree) == [], name


def test_names_say_what_is_inside_and_files_are_short() -> None:
    for path in SOURCES + TESTS:
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        assert not {word for part in parts for word in part.split("_")} & VAGUE, path
        classes = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef)]
        assert not [node.name for node in classes if node.name.lower().endswith(tuple(VAGUE))]
        assert len(path.read_text().splitlines()) <= MOST_LINES, path


def test_one_place_of_the_tests_starts_processes_and_asks_what_is_installed() -> None:
    """`tests/tools.py`, which refuses what this processor lacks; and none reads a clock."""
    for path in TESTS:
        name = path.relative_to(REPOSITORY / "tests").as_posix()
        used = machine_uses(tree_of(path))
        if name == "tools.py":
            assert used == {"subprocess", "shutil.which", "pytest.skip", "pytest.importorskip"}
        elif path.name in {"conftest.py", "test_tools.py"}:
            assert used <= {"pytest.skip"}, name  # a fixture may decide for a need of its folder
        else:
            assert not used, name


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import subprocess", {"subprocess"}),
        ("def f():\n    from subprocess import run", {"subprocess"}),
        ("shutil.which('gcc')", {"shutil.which"}),
        ("from shutil import which", {"shutil.which"}),
        ("os.popen('gcc')", {"os.popen"}),
        ("pytest.skip('no gcc')", {"pytest.skip"}),
        ("@pytest.mark.skipif(True, reason='')\ndef f(): ...", {"pytest.mark.skipif"}),
        ("pytest.importorskip('torch')", {"pytest.importorskip"}),
        ("import time", {"time"}),
        ("import shutil, pytest, os", set()),
    ],
)
def test_the_test_sees_what_asks_the_machine(source: str, expected: set[str]) -> None:
    assert machine_uses(ast.parse(source)) == expected


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        ("ir/graph.py", "from netgen.errors import GraphError", []),
        ("ir/graph.py", "from netgen.ir.operator import Const", []),
        ("ir/graph.py", "def f():\n    from netgen.ops.add import Add", ["ops"]),
        ("dsl/tensor.py", "import netgen.ops.add", ["ops"]),
        ("dsl/tensor.py", "from netgen import ops", ["ops"]),
        ("passes/x.py", "if TYPE_CHECKING:\n    from netgen.plan.data.plan import Plan", ["plan"]),
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
    ("file", "source", "expected"),
    [
        ("plan/data/x.py", "from netgen.plan.arena.shapes import Shape", ["arena"]),
        ("plan/data/x.py", "from netgen.plan.build import build_plan", ["files"]),
        ("plan/arena/x.py", "from netgen.plan.segments.flood import Ring", []),
        ("plan/build.py", "from netgen.plan.arena.shapes import Shape", []),
        ("kernels/f32/x.py", "from netgen.kernels import find_kernel", ["list"]),
        ("kernels/f32/x.py", "from netgen.kernels.moves.pad import PadKernel", ["moves"]),
        ("kernels/tiles.py", "from netgen.kernels.f32.conv2d import Conv2dF32", ["f32"]),
        ("kernels/__init__.py", "from netgen.kernels.f32.conv2d import Conv2dF32", []),
        ("plan/data/x.py", "from netgen.kernels import find_kernel", []),
    ],
)
def test_the_test_sees_misplaced_rooms(file: str, source: str, expected: list[str]) -> None:
    assert misplaced_rooms(PACKAGE / file, ast.parse(source)) == expected


@pytest.mark.parametrize(
    "source",
    ["print(1)", "sys.stdout.write(x)", "Console()", "rich.console.Console()", "click.echo(1)"],
)
def test_the_test_sees_printing(source: str) -> None:
    assert prints(ast.parse(source)) == [1]


def test_no_function_is_long() -> None:
    """Its body, that is: signatures and docstrings may say what there is to say."""
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef):
                documented = ast.get_docstring(node) is not None and len(node.body) > 1
                first, end = node.body[documented].lineno, node.end_lineno
                assert end is not None
                assert end - first < MOST_LINES_OF_A_BODY, f"{name_of(path)}: {node.name}"


# Files whose classes are the words that ARCHITECTURE explains.
WORDS = (
    "ir/graph.py",
    "ir/operator.py",
    "ir/tensor_type.py",
    "kernels/layer.py",
    "plan/data/plan.py",
)


def classes(path: Path) -> set[str]:
    return {node.name for node in tree_of(path).body if isinstance(node, ast.ClassDef)}


def test_words_of_graph_layer_and_plan_name_nothing_else() -> None:
    taken = {word: path for path in WORDS for word in classes(PACKAGE / path)}
    assert {"Graph", "Instance", "Step", "Buffer", "View"} <= taken.keys()
    twice = [
        f"{name_of(path)}: {word} is a word of {taken[word]}"
        for path in SOURCES
        for word in classes(path) & taken.keys()
        if name_of(path) != taken[word]
    ]
    assert twice == []
