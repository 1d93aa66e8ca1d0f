"""Networks in a user's own file: `path/to/my_net.py:my_network`."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from netgen.dsl.author import described, failing_line
from netgen.dsl.network import Network
from netgen.errors import NetgenError, UsageError


def load_network(reference: str) -> Network:
    """Import the file of `FILE.py:NAME`, or `FILE.py` where it holds one network, and return it.

    The file may import modules that lie beside it. Raises UsageError where the file is missing,
    does not parse, fails while it is imported, or holds no such network; what netgen itself raises
    while it is imported stays as it is.
    """
    path, name = _split(reference)
    module = _import(path)
    found = {key: value for key, value in vars(module).items() if isinstance(value, Network)}
    if name:
        if name in found:
            return found[name]
        if name in vars(module):
            raise UsageError(
                f"'{name}' is no network",
                where=str(path),
                expected="a function decorated with @network",
                found=type(vars(module)[name]).__name__,
            )
        raise UsageError(f"there is no '{name}'", where=str(path), hint=_advice(found, path))
    # What the file imports from elsewhere does not make a choice necessary.
    own = {key: net for key, net in found.items() if net.builder.__module__ == module.__name__}
    if len(own) != 1:
        raise UsageError(
            "the file does not hold exactly one network",
            where=str(path),
            found=str(len(own)),
            hint=_advice(own or found, path),
        )
    return next(iter(own.values()))


def _split(reference: str) -> tuple[Path, str]:
    file, name = reference, ""
    if not reference.endswith(".py"):
        file, _, name = reference.rpartition(":")
    path = Path(file)
    if not file.endswith(".py"):
        raise UsageError(
            f"'{reference}' names no network", expected="FILE.py:NAME, for example my_net.py:my_net"
        )
    if not path.is_file():
        raise UsageError("there is no such file", where=file, hint="check the path")
    return path, name


def _advice(networks: dict[str, Network], path: Path) -> str:
    if not networks:
        return "decorate a function of it with @network"
    return "its networks: " + ", ".join(f"{path}:{name}" for name in networks)


class _FreshLoader(SourceFileLoader):
    """Reads the source every time, and leaves no __pycache__ beside the user's file."""

    def path_stats(self, path: str) -> dict[str, float]:
        """Say that nothing is known, which turns caching off."""
        raise OSError(path)


def _import(path: Path) -> ModuleType:
    absolute = path.resolve()
    # A name of its own: the file may be called like a module that is loaded already.
    name = f"netgen_network_{hashlib.sha256(str(absolute).encode()).hexdigest()[:16]}"
    loader = _FreshLoader(name, str(absolute))
    spec = importlib.util.spec_from_loader(name, loader)
    if spec is None:
        raise UsageError("cannot be imported", where=str(path))
    module = importlib.util.module_from_spec(spec)
    try:
        with _registered(module, absolute.parent):
            loader.exec_module(module)
    except NetgenError:
        raise
    except SyntaxError as error:
        where = f"{error.filename or path}:{error.lineno or 0}"
        raise UsageError(f"a syntax error: {error.msg}", where=where) from error
    except (Exception, SystemExit) as error:
        # The file is the user's and may raise anything; the chain of causes keeps the traceback.
        line = failing_line(error, str(absolute))
        raise UsageError(
            f"the import failed: {described(error)}", where=f"{path}:{line.line}"
        ) from error
    return module


@contextmanager
def _registered(module: ModuleType, folder: Path) -> Iterator[None]:
    """Register a module while it runs, and after it if it succeeds.

    It may import its neighbours, as it could if Python ran it.
    """
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    sys.modules[module.__name__] = module
    try:
        yield
    except BaseException:
        sys.modules.pop(module.__name__, None)
        raise
    finally:
        sys.path[:] = before
