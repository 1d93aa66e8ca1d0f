"""Whether the C compiler makes a library that loads here, and gives the right number."""

from __future__ import annotations

import tempfile
from pathlib import Path

from netgen.errors import BuildError
from netgen.kernels.targets import find_target
from netgen.runtime.build import load_function
from netgen.runtime.compile_files import compile_files, library_flags
from netgen.runtime.compilers import CCompiler

# All headers that generated C may ask for.
_SOURCE = """
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
int32_t probe_answer(int32_t x) { return (int32_t)sizeof(int32_t) * x + 2; }
"""


def require_working(compiler: CCompiler) -> None:
    """Raise BuildError unless a small library is compiled, loaded and called; nothing is cached."""
    flags = library_flags(find_target("generic"), compiler, threaded=False)
    library = compile_files({"probe.c": _SOURCE}, (*compiler.command, *flags), "generic")
    with tempfile.TemporaryDirectory(prefix="netgen-probe-") as folder:
        path = Path(folder) / "probe.so"
        path.write_bytes(library)
        answer = load_function(path, "probe_answer", "int32_t(*)(int32_t)")(10)
    if answer != 42:
        raise BuildError(
            "the compiled C computes a wrong number",
            where=compiler.command[0],
            expected="42",
            found=str(answer),
            hint="set CC to another gcc or clang",
        )
