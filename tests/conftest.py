"""Fixtures of all tests: the shared data, this machine's tools, a cache of their own."""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from netgen.bench import bench
from netgen.bench.worker import Job, serve
from netgen.runtime import compile_files
from tests import started, tools

# The same examples in every run, however slow the machine; a quarter of those that CI tries, which
# has --hypothesis-profile=all. Tests with another number take it from `tests.cases.examples`.
settings.register_profile("netgen", derandomize=True, deadline=None, max_examples=25)
settings.register_profile("all", derandomize=True, deadline=None, max_examples=100)
settings.load_profile("netgen")

# Operators are registered where their package is imported; graphs in text name them.
importlib.import_module("netgen.ops")

started.watch()

SHARED_FLAGS = compile_files._SHARED_FLAGS
REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Golden files change only on request, and the change is then reviewed like any other."""
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the files in tests/golden"
    )
    parser.addoption(
        "--models", type=int, help="models of one operator that a heavy test draws, of each"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Cases of one file are rewritten one after the other: workers would undo each other's."""
    if config.getoption("--update-golden"):
        config.option.numprocesses = 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Write into the report of a test how many processes it started: see .ci/started."""
    try:
        return (yield)
    finally:
        item.user_properties += started.taken()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """A function that compares a text with a file in tests/golden, by its path in there."""
    update = bool(request.config.getoption("--update-golden"))

    def compare(path: str, text: str) -> None:
        file = REPOSITORY / "tests" / "golden" / path
        if update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        assert file.is_file(), f"{path} is missing; pytest --update-golden writes it"
        assert text == file.read_text(encoding="utf-8"), f"{path}: --update-golden, then review"

    return compare


@pytest.fixture
def drawn(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """A function that gives how many models a heavy test draws: `--models`, or its own number."""
    given: int | None = request.config.getoption("--models")
    return lambda own: own if given is None else given


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of compiled models: never the user's own, one for all workers of a run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "netgen-cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NETGEN_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def quick_builds() -> Iterator[None]:
    """Compile what is called from Python as the programs of tests are: see tests.tools.quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compile_files, "_SHARED_FLAGS", (*SHARED_FLAGS, *tools.QUICK))
        yield


@pytest.fixture
def as_users_compile(monkeypatch: pytest.MonkeyPatch, short_headers: None) -> None:
    """Compile with -O3 and the compiler's own headers: the evidence for what users run."""
    del short_headers  # they are found by now, and are not any more
    monkeypatch.delenv("C_INCLUDE_PATH")
    monkeypatch.setattr(compile_files, "_SHARED_FLAGS", SHARED_FLAGS)
    monkeypatch.setattr(tools, "QUICK", ())


@pytest.fixture(scope="session", autouse=True)
def short_headers() -> Iterator[None]:
    """Compilers find `tests/headers` first: gcc's own <immintrin.h> takes 0.25 s each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("C_INCLUDE_PATH", str(REPOSITORY / "tests" / "headers"), prepend=os.pathsep)
        yield


class _WorkerThread:
    """The part of WorkerProcess that a bench uses, with its worker in a thread."""

    def __init__(self, _name: str, job: Job, _cores: object) -> None:
        self._connection, theirs = multiprocessing.Pipe()
        self._worker = threading.Thread(target=serve, args=(theirs,))
        self._worker.start()
        self._connection.send(job)
        self.ready = self._connection.recv()

    def time(self, count: int) -> float:
        self._connection.send(count)
        return float(self._connection.recv())

    def close(self) -> None:
        self._connection.close()
        self._worker.join()


@pytest.fixture
def worker_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Benches run workers in threads: to start Python for each takes longer than all they do."""
    monkeypatch.setattr(bench, "WorkerProcess", _WorkerThread)
    yield
    gc.enable()  # which workers disable


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real weights, photos and expected results beside the repository."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        # Too large for the repository: who clones it may not have them.
        pytest.skip("needs ../shared/data, which is not here")  # CI has them, and skips nothing
    return folder
