"""Bundles build as they stand: with their own tools, and what they build tests itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import netgen
from netgen.compiler import resolve_target
from netgen.dsl import Tensor, image, network
from netgen.emission.files import write_files
from netgen.errors import UsageError
from netgen.export.boards import find_board
from netgen.export.bundle import bundle_files
from netgen.export.bundles import KINDS
from netgen.ops import conv2d, flatten, global_avg_pool, linear, relu
from netgen.plan.data.options import DEFAULT, Image, PlanOptions
from tests.pictures import parse
from tests.tools import find_package, find_tool, run_python, run_tool

OK = b"selftest: ok, best output: "


@network
def tiny() -> Tensor:
    x = relu(conv2d(image(8, 8, 1), 4, 3, stride=2, pad=1, name="first"))
    return linear(flatten(global_avg_pool(x)), 3, name="classes")


def make(
    folder: Path, kind: str, board: str | None = None, planning: PlanOptions = DEFAULT
) -> None:
    chosen = None if board is None else find_board(board)
    target = resolve_target("generic")
    files = bundle_files(netgen.load(tiny), kind, "tiny", target, planning, chosen)
    folder.mkdir()
    write_files(folder, files)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tiny"


@pytest.mark.parametrize("kind", KINDS)
def test_every_bundle_has_the_c_a_page_and_a_licence(kind: str, folder: Path) -> None:
    make(folder, kind)
    assert {"tiny.c", "tiny.h", "tiny_weights.c"} == {p.name for p in (folder / "src").iterdir()}
    page = (folder / "README.md").read_text()
    assert "| multiply-accumulates | 588 |" in page
    assert "bytes |\n\nThe comment" in page  # the table ends there
    assert max(map(len, page.splitlines())) <= 110
    assert "SPDX-License-Identifier: 0BSD" in (folder / "LICENSE").read_text()
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in {".md", ".properties", ".json"}:
            assert "SPDX-License-Identifier: 0BSD" in path.read_text(), path


@pytest.mark.parametrize(
    "image_as",
    ["rows", *(pytest.param(each, marks=pytest.mark.heavy) for each in ("caller", "arena"))],
)
def test_make_builds_and_runs(image_as: Image, folder: Path) -> None:
    make(folder, "make", planning=PlanOptions(input=image_as))
    find_tool("cc")
    assert OK in run_tool(["make", "-s", "run"], folder)
    assert "gc-sections" not in (folder / "Makefile").read_text()  # Apple's linker refuses it


@pytest.mark.heavy
def test_cmake_builds_and_runs(folder: Path) -> None:
    make(folder, "cmake")
    find_tool("make")
    run_tool(["cmake", "-S", ".", "-B", "build", "-G", "Unix Makefiles"], folder)
    run_tool(["cmake", "--build", "build"], folder)
    assert OK in run_tool(["ctest", "--test-dir", "build", "--verbose"], folder)


@pytest.mark.heavy
@pytest.mark.parametrize("board", ["netduinoplus2", "mps3-an547", "riscv32"])
def test_make_builds_for_boards(board: str, folder: Path) -> None:
    make(folder, "make", board, PlanOptions(input="rows"))
    for tool in (find_board(board).compiler, find_board(board).emulator[0]):
        find_tool(tool)
    for given in ("", "'CFLAGS=-std=c99 -O1'"):
        command = f"make -s clean && make -s run {given} 2>&1"
        assert OK in run_tool(["sh", "-c", command], folder)


@pytest.mark.heavy
def test_cmake_builds_for_a_board(folder: Path) -> None:
    make(folder, "cmake", "mps2-an386")
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm", "make"):
        find_tool(tool)
    toolchain = "-DCMAKE_TOOLCHAIN_FILE=cmake/toolchain.cmake"
    run_tool(["cmake", "-S", ".", "-B", "build", "-G", "Unix Makefiles", toolchain], folder)
    run_tool(["cmake", "--build", "build"], folder)
    assert OK in run_tool(["ctest", "--test-dir", "build", "--verbose"], folder)


@pytest.mark.heavy
def test_a_build_that_runs_netgen_makes_the_c_anew_when_its_model_changes(folder: Path) -> None:
    make(folder, "cmake")
    function = folder / "cmake" / "netgen_add_model.cmake"
    project = folder / "project"
    project.mkdir()
    write_files(
        project,
        {
            "CMakeLists.txt": f"""cmake_minimum_required(VERSION 3.20)
project(own C)
include({function})
netgen_add_model(net net.py:net OPTIONS --small)
add_executable(own own.c)
target_link_libraries(own PRIVATE net)
""".encode(),
            "own.c": b'#include "net.h"\nint main(void) { return NET_OUTPUT_ELEMENTS - 3; }\n',
            "net.py": _NET.encode(),
            "netgen": f'#!/bin/sh\nexec {sys.executable} -m netgen "$@"\n'.encode(),
        },
    )
    (project / "netgen").chmod(0o755)
    find_tool("make")
    command = ["cmake", "-S", ".", "-B", "build", "-G", "Unix Makefiles"]
    run_tool([*command, f"-DNETGEN_COMMAND={project / 'netgen'}"], project)
    build = ["cmake", "--build", "build"]
    assert b"netgen compile" in run_tool(build, project, may_complain=True)
    run_tool(["sh", "-c", "build/own"], project)
    assert b"netgen compile" not in run_tool(build, project, may_complain=True)
    (project / "net.py").write_text(_NET.replace("3, name", "4, name"))
    assert b"netgen compile" in run_tool(build, project, may_complain=True)
    run_tool(["sh", "-c", "! build/own"], project)


_NET = """from netgen.dsl import image, network
from netgen.ops import flatten, linear

@network
def net():
    return linear(flatten(image(2, 2, 1)), 3, name="classes")
"""

CTAGS = (
    "tools.ctags.path=/usr/bin",
    "tools.ctags.cmd.path=/usr/bin/arduino-ctags",
    'tools.ctags.pattern="{cmd.path}" -u --language-force=c++ -f - --c++-kinds=svpf '
    '--fields=KSTtzns --line-directives "{source_file}"',
    # avr-libc has it in C alone.
    "compiler.cpp.extra_flags=-DDECIMAL_DIG=__DECIMAL_DIG__",
)


@pytest.mark.heavy
def test_arduino_builds_for_avr_and_runs(folder: Path) -> None:
    """The model tests itself on a processor whose `int` has 16 bits."""
    libraries, built = folder.parent, folder.parent / "build"
    make(folder, "arduino", planning=PlanOptions(small=True))
    built.mkdir()
    sketch = folder / "examples" / "Classify" / "Classify.ino"
    # The simulator ends where a processor sleeps without interrupts.
    ending = "#include <avr/sleep.h>\nvoid loop()\n{\n    cli();\n    sleep_mode();\n}"
    sketch.write_text(sketch.read_text().replace("void loop()\n{\n}", ending))
    preferences = [word for each in CTAGS for word in ("-prefs", each)]
    places = ["-hardware", "/usr/share/arduino/hardware", "-tools", "/usr/bin"]
    board = ["-fqbn", "arduino:avr:mega:cpu=atmega2560"]
    command = ["arduino-builder", "-compile", *places, *board, *preferences]
    for tool in ("avr-gcc", "simavr"):
        find_tool(tool)
    run_tool(
        [*command, "-libraries", libraries, "-build-path", built, sketch],
        libraries,
        may_complain=True,
    )
    simulator = ["simavr", "-m", "atmega2560", "-f", "16000000", built / "Classify.ino.elf"]
    printed = run_tool(["sh", "-c", f"{' '.join(map(str, simulator))} 2>&1"], libraries).decode()
    for line in ("init: 0", "selftest: 0", "run: 0", "best output: "):
        assert line in printed


@pytest.mark.heavy
def test_esp_idf_takes_the_component(folder: Path) -> None:
    make(folder, "esp-idf")
    find_package("idf_component_manager")
    run_python("-m", "idf_component_manager", "component", "pack", "--name", "tiny", folder=folder)
    assert [*(folder / "dist").glob("tiny_1.0.0.t*")]


@pytest.mark.heavy
def test_west_takes_the_manifest_and_cmake_the_module(folder: Path) -> None:
    make(folder, "zephyr")
    find_package("west")
    run_python("-m", "west", "init", "-l", "tiny", folder=folder.parent)
    run_python("-m", "west", "manifest", "--validate", folder=folder.parent)
    stand_in = """cmake_minimum_required(VERSION 3.20)
project(stand_in C)
set(CONFIG_NETGEN_TINY y)
function(zephyr_library)
  add_library(module STATIC)
endfunction()
function(zephyr_library_sources)
  target_sources(module PRIVATE ${ARGV})
endfunction()
function(zephyr_include_directories)
  target_include_directories(module PUBLIC ${ARGV})
endfunction()
add_subdirectory(tiny)
add_executable(example tiny/samples/classify/src/main.c)
target_include_directories(example PRIVATE tiny/src)
target_link_libraries(example PRIVATE module)
"""
    (folder.parent / "CMakeLists.txt").write_text(stand_in)
    find_tool("make")
    run_tool(["cmake", "-S", ".", "-B", "build", "-G", "Unix Makefiles"], folder.parent)
    run_tool(["cmake", "--build", "build"], folder.parent)
    assert OK in run_tool(["sh", "-c", "build/example"], folder.parent)


@pytest.mark.heavy
def test_platformio_packs_the_library(folder: Path) -> None:
    make(folder, "platformio")
    find_package("platformio")
    manifest = folder / "library.json"
    about = json.loads(manifest.read_text())
    assert about.pop("license") == "0BSD"  # the tool would look it up on the network
    manifest.write_text(json.dumps(about))
    run_python(
        *("-m", "platformio", "pkg", "pack", str(folder)),
        folder=folder.parent,
        PLATFORMIO_CORE_DIR=str(folder.parent / "core"),
    )
    assert [*folder.parent.glob("tiny-1.0.0.tar.gz")]


def test_a_pack_names_files_that_exist_in_the_order_of_the_schema(folder: Path) -> None:
    """CMSIS-Pack's own checker is in no registry: these are the schema's rules by hand."""
    make(folder, "cmsis-pack")
    (description,) = folder.glob("*.pdsc")
    root = parse(description.read_text(encoding="utf-8"))
    assert description.stem == f"{root.findtext('vendor')}.{root.findtext('name')}"
    order = ["vendor", "name", "description", "url", "license", "releases", "components"]
    assert [child.tag for child in root] == order
    assert root.findtext("license") == "LICENSE"
    release = root.find("releases/release")
    component = root.find("components/component")
    assert release is not None
    assert component is not None
    assert set(component.attrib) == {"Cclass", "Cgroup", "Csub", "Cversion"}
    assert component.get("Cversion") == release.get("version") == "1.0.0"
    assert [child.tag for child in component] == ["description", "files"]
    listed = {str(file.get("name")): str(file.get("category")) for file in component.iter("file")}
    assert all((folder / name).exists() for name in listed)
    categories = {"doc", "include", "header", "sourceC", "source"}
    assert set(listed.values()) == categories
    sources = {f"src/{path.name}" for path in (folder / "src").glob("*.c")}
    assert sources == {name for name, category in listed.items() if category == "sourceC"}


def test_boards_are_for_builds_of_our_own(folder: Path) -> None:
    with pytest.raises(UsageError, match="--as cmake or make beside --board"):
        make(folder, "arduino", "mps2-an386")


def test_bundles_are_reproducible() -> None:
    target, graph = resolve_target("generic"), netgen.load(tiny)
    first = bundle_files(graph, "cmake", "tiny", target, PlanOptions())
    assert first == bundle_files(netgen.load(tiny), "cmake", "tiny", target, PlanOptions())
    assert not any(b"/tmp" in content or b"/home" in content for content in first.values())
