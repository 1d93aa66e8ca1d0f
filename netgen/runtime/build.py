"""C text to shared library, and the library's functions: the only module that imports cffi.

cffi is used as its own out-of-line modules use it, through its backend: declaring the functions to
`cffi.FFI` would load a C parser first, which takes longer than running a small network. The backend
calls with the interpreter lock released.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _cffi_backend as cffi
import numpy as np
from numpy.typing import NDArray

from netgen.errors import BuildError
from netgen.runtime import cache
from netgen.runtime.compile_files import compile_files, library_flags
from netgen.runtime.compilers import CCompiler
from netgen.runtime.cpu import platform_name
from netgen.runtime.interface import Interface

if TYPE_CHECKING:  # all kernels come with it, and running a compiled model needs none
    from netgen.kernels.targets import Target


def build_library(
    source: str,
    header: str,
    prefix: str,
    target: Target,
    compiler: CCompiler,
    progress: Callable[[str], None] | None = None,
    *,
    threaded: bool = False,
) -> Path:
    """Compile C to a shared library in the cache, or find it there; returns the library's path.

    `source` is compiled as `PREFIX.c` with `header` beside it as `PREFIX.h`. `progress` gets one
    line if the compiler runs; `threaded` code uses POSIX threads. The cached library is checked
    against its sha256. Raises BuildError, with the compiler's first complaint and the path of its
    whole output, if it fails.
    """
    flags = library_flags(target, compiler, threaded=threaded)
    key = _build_key(
        (
            *(source, header, prefix, platform_name(), compiler.kind, compiler.version),
            *("command", *compiler.command[1:], *flags),
            *("features", *target.cpu_features),
        )
    )
    digest = cache.find_key(key)
    cached = cache.find_object(digest, ".so") if digest else None
    if cached:
        return cached
    if progress:
        kilobytes = (len(source) + 999) // 1000
        progress(f"compiling {kilobytes} kB of C for {target.name} with {compiler.summary}")
    files = {f"{prefix}.c": source, f"{prefix}.h": header}
    library = compile_files(files, (*compiler.command, *flags), target.name, prefix)
    path = cache.store_object(library, ".so")
    cache.store_key(key, cache.digest_of(library))
    return path


def _build_key(parts: Iterable[str]) -> str:
    # Each part with its length, so that no two lists of parts read alike.
    return cache.digest_of("".join(f"{len(part)}:{part}" for part in parts).encode())


@dataclass(frozen=True)
class CHook:
    """A hook written in C: addresses of `int32_t (*)(void *user, uint32_t step)` and of `user`."""

    function: int
    user: int


class Library:
    """A loaded model library; keeps it loaded as long as an instance lives."""

    def __init__(
        self, path: Path, prefix: str, interface: Interface, error_names: Mapping[int, str]
    ) -> None:
        """Load `path`. Raises BuildError if it cannot be loaded, or lacks one of the functions."""
        self.interface = interface
        self._error_names = error_names
        self._prefix = prefix
        try:
            self._library = cffi.load_library(str(path), cffi.RTLD_NOW)
            self._functions: dict[str, Callable[..., Any]] = {
                name: self._library.load_function(_ffi().typeof(signature), f"{prefix}_{name}")
                for name, signature in interface.signatures().items()
            }
        except (OSError, AttributeError) as error:
            raise BuildError(
                f"the compiled model cannot be loaded: {error}",
                where=prefix,
                hint="it must be built for this system, and the cache folder "
                "(NETGEN_CACHE_DIR) must allow programs",
            ) from error

    def new_instance(
        self,
        arena: NDArray[np.uint8],
        weights: NDArray[np.uint8],
        hook: Callable[[int], bool] | CHook | None = None,
    ) -> ModelInstance:
        """Initialise a model in an arena. `hook` gets each step's number; true cancels the run.

        Raises BuildError with the name of the error that PREFIX_init returns.
        """
        return ModelInstance(self, arena, weights, hook)

    def address(self, function: str) -> int:
        """The address of a function, by its name without the prefix."""
        return int(_ffi().cast("uintptr_t", self._functions[function]))

    def call(self, function: str, *arguments: object) -> int:
        """Call a function by its name without the prefix; its status."""
        return int(self._functions[function](*arguments))

    def place(self, function: str, model: object) -> int:
        """The address that a function gives for a `model_t`."""
        return int(_ffi().cast("uintptr_t", self._functions[function](model)))

    def check(self, function: str, status: int) -> None:
        """Raise BuildError, naming the error, unless a function's status is 0."""
        if status:
            name = self._error_names.get(status, "an unknown error")
            raise BuildError(
                f"returned {status} ({name})",
                where=f"{self._prefix}_{function}",
                expected="0",
                hint="the library and its weights do not belong together; compile the model again",
            )


def load_function(path: Path, name: str, signature: str) -> Callable[..., Any]:
    """One function of a library, of a type of C; raises BuildError if it cannot be loaded.

    The library stays loaded as long as the function is kept.
    """
    try:
        library = cffi.load_library(str(path), cffi.RTLD_NOW)
        function: Callable[..., Any] = library.load_function(_ffi().typeof(signature), name)
    except (OSError, AttributeError) as error:
        raise BuildError(f"the compiled C cannot be loaded: {error}", where=name) from error
    return functools.partial(_called, library, function)


def _called(_library: object, function: Callable[..., object], *arguments: object) -> object:
    return function(*arguments)


@dataclass
class _HookOutcome:
    """The outcome of the hook in one run: the error that it raised, or whether it cancelled."""

    error: BaseException | None = None
    cancelled: bool = False


class ModelInstance:
    """One `model_t` with its own arena: what one thread at a time may run."""

    def __init__(
        self,
        library: Library,
        arena: NDArray[np.uint8],
        weights: NDArray[np.uint8],
        hook: Callable[[int], bool] | CHook | None,
    ) -> None:
        ffi = _ffi()
        self._library = library
        self._outcome = _HookOutcome()
        user = hook.user if isinstance(hook, CHook) else 0
        if isinstance(hook, CHook):
            c_hook = ffi.cast("void *", hook.function)
        else:
            c_hook = _c_hook(hook, self._outcome) if hook else ffi.NULL
        self.arena = arena
        self._lent = (weights, c_hook)  # the C keeps their addresses
        # model_config, member by member: each is a pointer or a size_t, so one word.
        fast = library.interface.fast_bytes
        lent = [arena.ctypes.data, arena.nbytes if fast is None else fast]
        if fast is not None:
            lent += [arena.ctypes.data + fast, arena.nbytes - fast]
        lent += [weights.ctypes.data, weights.nbytes, int(ffi.cast("uintptr_t", c_hook)), user]
        if library.interface.threads > 1:
            lent += [0, 0]  # no parallel_for, all threads
        self._config = ffi.new("uintptr_t[]", lent)
        self._model = ffi.new(f"uint64_t[{library.interface.model_bytes // 8}]")
        library.check("init", library.call("init", self._model, self._config))

    def addresses(self) -> tuple[int, int]:
        """The addresses of PREFIX_run and the `model_t`, for C that runs it itself."""
        return self._library.address("run"), int(_ffi().cast("uintptr_t", self._model))

    def input_places(self) -> list[int]:
        """The first byte of each image in the arena; only with `input_as` "arena"."""
        places = [self._library.place(n, self._model) for n in self._library.interface.places()]
        return [place - self.arena.ctypes.data for place in places]

    def run(self, addresses: Sequence[int]) -> bool:
        """Run on the addresses of inputs and outputs, in order; false if the hook cancelled.

        An exception of the hook is raised again. Raises BuildError naming any other failure.
        """
        status = self._library.call("run", self._model, *_pointers(addresses))
        if self._outcome.error is not None:
            raise self._outcome.error
        if self._outcome.cancelled:
            return False
        self._library.check("run", status)
        return True

    def reset(self) -> None:
        """Let a stateful model's state be what it is before the first run; others have none."""
        if self._library.interface.stateful:
            self._library.check("reset", self._library.call("reset", self._model))

    def push_begin(self) -> None:
        """Begin a new image; with `input_as` "rows". Raises BuildError if the C refuses."""
        self._library.check("push_begin", self._library.call("push_begin", self._model))

    def push_rows(self, address: int, stride: int, count: int) -> None:
        """Push rows that are `stride` bytes apart. Raises BuildError if the C refuses them."""
        (rows,) = _pointers([address])
        status = self._library.call("push_rows", self._model, rows, stride, count)
        self._library.check("push_rows", status)

    def push_finish(self, addresses: Sequence[int]) -> None:
        """Compute the outputs, given where they go. Raises BuildError if the C refuses."""
        status = self._library.call("push_finish", self._model, *_pointers(addresses))
        self._library.check("push_finish", status)


def _pointers(addresses: Iterable[int]) -> list[Any]:
    cast = _ffi().cast
    return [cast("void *", address) for address in addresses]


def _c_hook(hook: Callable[[int], bool], outcome: _HookOutcome) -> cffi.FFI.CData:
    """Make a hook callable from C. It refers to no instance, whose arena must go when it goes."""

    def step_done(_user: object, step: int) -> int:
        outcome.cancelled = hook(step)
        return int(outcome.cancelled)

    def failed(_kind: object, error: BaseException, _traceback: object) -> None:
        outcome.error = error

    # If the hook raises, cffi calls `failed` and returns 1 to the C, which ends the run.
    return _ffi().callback("int32_t(*)(void *, uint32_t)", step_done, 1, failed)


@functools.cache
def _ffi() -> cffi.FFI:
    return cffi.FFI()
