"""The parent's side of a worker."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from typing import Any

from netgen.bench.worker import Job, Ready
from netgen.errors import BuildError

# Not multiprocessing's own processes, which would run the caller's script again. The core is chosen
# before anything is imported, so that no library counts more than one.
_START = """\
import json, os, sys
sys.path[:], core, handle = json.loads(sys.argv[1])
if core is not None:
    os.sched_setaffinity(0, {core})
from multiprocessing.connection import Connection
from netgen.bench.worker import serve
serve(Connection(handle))
"""


def default_core() -> int | None:
    """Choose the last core that this process may use; None where processes cannot be pinned."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    return max(os.sched_getaffinity(0))


class WorkerProcess:
    """A process that runs one runtime, until it is closed.

    Raises BuildError with the last line that the worker printed if it ends by itself.
    """

    def __init__(self, name: str, job: Job, core: int | None) -> None:
        self._name = name
        # What libraries print must not get into our own output; it is shown if the worker fails.
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self._connection, theirs = multiprocessing.Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, json.dumps([sys.path, core, theirs.fileno()])],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._printed,
                stderr=self._printed,
            )
        try:
            self.ready: Ready = self._ask(job)
        except BaseException:
            self.close()
            raise

    def time(self, count: int) -> float:
        """Let the worker run `count` inferences; returns the seconds that one took."""
        seconds: float = self._ask(count)
        return seconds

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._connection.close()
        self._printed.close()

    def _ask(self, message: object) -> Any:  # noqa: ANN401  # a Ready or a float
        try:
            self._connection.send(message)
            return self._connection.recv()
        except (EOFError, ConnectionError):
            raise BuildError(
                f"the worker of {self._name} ended with status {self._process.wait()}",
                found=self._last_line(),
            ) from None

    def _last_line(self) -> str:
        self._printed.seek(0)
        lines = self._printed.read().decode(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "no message")
