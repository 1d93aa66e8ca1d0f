"""The parent's side of a worker."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack

from netgen.bench.worker import Job, Ready
from netgen.errors import BuildError, UsageError

# Not multiprocessing's own processes, which would run the caller's script again. The cores are
# chosen before anything is imported, so that no library counts more.
_START = """\
import json, os, sys
sys.path[:], cores, handle = json.loads(sys.argv[1])
if cores is not None:
    os.sched_setaffinity(0, cores)
from multiprocessing.connection import Connection
from netgen.bench.worker import serve
serve(Connection(handle))
"""


def default_cores(threads: int = 1) -> tuple[int, ...] | None:
    """Choose the last cores that this process may use, one for each thread.

    None where processes cannot be pinned. Raises UsageError where there are fewer cores.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise UsageError(
            f"{threads} threads need a core each",
            expected=f"at most {len(allowed)}, the cores that this process may use",
            found=str(threads),
        )
    return tuple(allowed[-threads:])


class WorkerProcess:
    """A process that runs one runtime, until it is closed.

    Raises BuildError with the last line that the worker printed if it ends by itself.
    """

    def __init__(self, name: str, job: Job, cores: Sequence[int] | None) -> None:
        self._name = name
        with ExitStack() as stack:
            # What libraries print must not get into our own output: it is shown only if the
            # worker fails.
            self._printed = stack.enter_context(tempfile.TemporaryFile())
            self._connection, theirs = multiprocessing.Pipe()
            stack.callback(self._connection.close)
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _START, json.dumps([sys.path, cores, theirs.fileno()])],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=self._printed,
                    stderr=self._printed,
                )
            stack.callback(self._process.wait)
            stack.callback(self._process.kill)
            ready = self._ask(job)
            assert isinstance(ready, Ready)
            self.ready = ready
            self._ends = stack.pop_all()

    def time(self, count: int) -> float:
        """Let the worker run `count` inferences; returns the seconds that one took."""
        seconds = self._ask(count)
        assert isinstance(seconds, float)
        return seconds

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._ends.close()

    def _ask(self, message: object) -> object:
        """The worker's answer: Ready to a job, seconds to a count."""
        try:
            self._connection.send(message)
            answer: object = self._connection.recv()
        except (EOFError, ConnectionError):
            raise BuildError(
                f"the worker of {self._name} ended with status {self._process.wait()}",
                found=self._last_line(),
            ) from None
        return answer

    def _last_line(self) -> str:
        self._printed.seek(0)
        lines = self._printed.read().decode(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "no message")
