"""C files to the bytes of a shared library: the one place that starts the user's compiler."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netgen.errors import BuildError
from netgen.runtime import cache
from netgen.runtime.compilers import CCompiler

if TYPE_CHECKING:  # all kernels come with it, and running a compiled model needs none
    from netgen.kernels.targets import Target

# Public functions must leave the library whatever default the user's CC asks for.
_SHARED_FLAGS = ("-shared", "-fPIC", "-fvisibility=default")


def library_flags(target: Target, compiler: CCompiler, *, threaded: bool) -> tuple[str, ...]:
    """The flags by which a compiler makes a library for a target; `threaded` C has threads."""
    threads = ["-pthread"] if threaded else []
    return (*target.flags(compiler.kind), *_SHARED_FLAGS, *threads)


def compile_files(
    files: Mapping[str, str | bytes], command: Sequence[str], target: str, stem: str = "library"
) -> bytes:
    """The shared library that a command makes of files, by their names; a header is not compiled.

    The command gets the sources and `-o STEM.so`. `target` names the processor class in the hint of
    an error. Raises BuildError, with the compiler's first complaint and the path of its whole
    output, if it fails.
    """
    with tempfile.TemporaryDirectory(prefix="netgen-build-") as name:
        folder = Path(name)
        for file, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / file).write_bytes(data)
        library = folder / f"{stem}.so"
        sources = [file for file in files if file.endswith((".c", ".S"))]
        whole = [*command, *sources, "-o", library.name]
        try:
            result = subprocess.run(
                whole,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                env={**os.environ, "LC_ALL": "C"},  # so that `error` is spelled so
            )
        except OSError as error:
            raise BuildError(
                f"the C compiler cannot be run: {error.strerror}",
                where=whole[0],
                hint="set CC to a working gcc or clang",
            ) from error
        if result.returncode == 0 and library.exists():
            return library.read_bytes()
    raise _compile_error(whole, result.returncode, result.stdout, target)


def _compile_error(command: Sequence[str], status: int, output: str, target: str) -> BuildError:
    log = cache.store_object(f"{' '.join(command)}\n{output}".encode(), ".log")
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\berror\b|undefined reference", line)]
    first = next(iter(errors or lines), f"no output, exit status {status}")
    hint = f"its whole output is in {log}"
    if re.search("-march|-mprefer|target CPU", first):
        hint += f"; this compiler is too old or too foreign for target {target}: set CC to "
        hint += "another one, or choose target generic"
    return BuildError(f"the C compiler failed: {first}", where=command[0], hint=hint)
