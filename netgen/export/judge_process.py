"""A judge of a `.tflite` file in a process of its own: it may end by itself, and say why to no one.

TensorFlow Lite ends the whole process where a check inside it fails.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from netgen.errors import GraphError, NetgenError
from netgen.export.tflite_judge import TFLiteJudge
from netgen.ir.tensor_type import Array

_LONGEST_GOODBYE = 5.0


class JudgeProcess:
    """Runs of a file that follow each other; raises what the judge raises.

    Raises GraphError where the process of the judge ends.
    """

    def __init__(self, judge: type[TFLiteJudge], path: Path, outputs: str = "") -> None:
        self._title, self._path = judge.title, path
        # Others would copy threads that hold locks.
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(other, judge, path, outputs), daemon=True
        )
        self._process.start()
        other.close()
        self._answer()

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The next run: as that of the judge."""
        with suppress(BrokenPipeError):  # reading tells it
            self._connection.send(dict(inputs))
        return self._answer()

    def _answer(self) -> dict[str, Array]:
        try:
            found: dict[str, Array] | NetgenError = self._connection.recv()
        except (EOFError, ConnectionResetError) as error:
            self._process.join(_LONGEST_GOODBYE)
            raise GraphError(
                f"{self._title} ends itself while it runs this file",
                where=str(self._path),
                found=f"exit code {self._process.exitcode}",
                hint="what it printed says why; --against numpy compares without it",
            ) from error
        if isinstance(found, NetgenError):
            raise found
        return found


def _serve(connection: Connection, kind: type[TFLiteJudge], path: Path, outputs: str) -> None:
    """Answer with what the judge finds, or with its error, until nobody asks."""
    try:
        judge = kind(path, outputs)
        connection.send({})
        while True:
            connection.send(judge.run(connection.recv()))
    except NetgenError as error:
        connection.send(error)
    except EOFError:
        return
