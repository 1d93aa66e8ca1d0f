"""A bundle for CMake: a library and an example, and a function that runs netgen in a build."""

from __future__ import annotations

from netgen.export.bundles.content import SOURCES, Bundle, Files
from netgen.export.bundles.make import example_board, runs_where

_BUILD = """
```sh
cmake -B build{toolchain}
cmake --build build
ctest --test-dir build    # {run}
```

Or `add_subdirectory` this folder and link `{name}`. `cmake/netgen_add_model.cmake` is for builds
that run netgen themselves: `netgen_add_model(net net.tflite OPTIONS --input rows)` makes a library
`net`.
"""
_TOOLCHAIN = "cmake/toolchain.cmake"


def cmake_files(bundle: Bundle) -> Files:
    """CMakeLists.txt, sources, example; with a board also a toolchain file, start and script."""
    board = bundle.board
    option = "" if board is None else f" -DCMAKE_TOOLCHAIN_FILE={_TOOLCHAIN}"
    build = _BUILD.format(name=bundle.name, toolchain=option, run=runs_where(bundle))
    files = {
        **bundle.under(SOURCES),
        "example/main.c": bundle.example(),
        "CMakeLists.txt": bundle.text("CMakeLists.txt.j2"),
        "cmake/netgen_add_model.cmake": bundle.text("netgen_add_model.cmake.j2"),
        **bundle.page(build),
    }
    if board is not None:
        files[_TOOLCHAIN] = bundle.text("toolchain.cmake.j2")
    return files | example_board(bundle)
