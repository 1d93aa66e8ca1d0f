"""A model as a shared library of its C interface, its weights inside, and the header beside it."""

from __future__ import annotations

import platform
from collections.abc import Callable
from os import PathLike

from netgen.compiler import emitted, several_targets
from netgen.emission.options import prefix_of
from netgen.ir.graph import Graph
from netgen.kernels.targets import Target
from netgen.plan.data.options import PlanOptions
from netgen.runtime.compile_files import compile_files, library_flags
from netgen.runtime.compilers import find_compiler

SUFFIX = ".so"


def library_files(
    graph: Graph,
    stem: str,
    target: str,
    planning: PlanOptions,
    prefix: str | None = None,
    *,
    selftest: bool = False,
    labels: str | PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> dict[str, bytes]:
    """The library STEM.so and the header STEM.h, which is what C that is written has.

    The library needs nothing but the C library. Raises BuildError without a compiler, where it
    fails, and for targets of other machines; UsageError as `emit` does.
    """
    (found,) = several_targets([target])
    prefix_of(stem if prefix is None else prefix)
    files = emitted(
        graph, stem, found.name, "incbin", planning, prefix, selftest=selftest, labels=labels
    )
    if progress is not None:
        progress(f"compiling for {found.name}")
    library = linked_library(files, stem, found, threaded=planning.threads > 1)
    return {f"{stem}{SUFFIX}": library, f"{stem}.h": files[f"{stem}.h"]}


def linked_library(files: dict[str, bytes], stem: str, target: Target, *, threaded: bool) -> bytes:
    """Compile emitted files, their weights as `incbin`; programs find the library as STEM.so."""
    compiler = find_compiler()
    named = "-install_name,@rpath" if platform.system() == "Darwin" else "-soname"
    separator = "/" if platform.system() == "Darwin" else ","
    flags = [
        *library_flags(target, compiler, threaded=threaded),
        f"-Wl,{named}{separator}{stem}{SUFFIX}",
        "-I.",  # where the assembler finds the weights
    ]
    return compile_files(files, (*compiler.command, *flags), target.name, stem)
