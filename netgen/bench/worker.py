"""A worker: the process in which one runtime loads its model and is timed.

It receives a Job, answers with a Ready, and from then on answers each number of inferences with the
seconds that one of them took.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

import numpy.typing as npt

# Of floats, or of codes, which netgen alone takes.
Array: TypeAlias = "npt.NDArray[Any]"


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to run on the inputs of its job.

    `outputs` are those of one inference, laid out as in netgen; `infer` is what is timed.
    """

    version: str
    outputs: tuple[Array, ...]
    infer: Callable[[], object]


Loader: TypeAlias = "Callable[[Any, tuple[Array, ...], int], Loaded]"


@dataclass(frozen=True)
class Job:
    """The task of a worker: a function of a module, its payload, inputs as netgen shapes them.

    `threads` is the number that the runtime is to use.
    """

    load: Loader
    payload: object
    inputs: tuple[Array, ...]
    threads: int = 1


@dataclass(frozen=True)
class Ready:
    """A worker's first answer."""

    version: str
    outputs: tuple[Array, ...]


def serve(connection: Connection) -> None:
    """Work until the other side closes the connection."""
    job: Job = connection.recv()
    loaded = job.load(job.payload, job.inputs, job.threads)
    gc.disable()
    connection.send(Ready(loaded.version, loaded.outputs))
    while True:
        try:
            count: int = connection.recv()
        except EOFError:
            return
        connection.send(seconds_per_inference(loaded.infer, count))


def seconds_per_inference(infer: Callable[[], object], count: int) -> float:
    """Time `count` inferences after one that refills the caches, which another worker had."""
    infer()
    start = time.perf_counter()
    for _ in range(count):
        infer()
    return (time.perf_counter() - start) / count
