"""TensorFlow Lite Micro, as its Python package has it for this processor.

It is made for microcontrollers, and its package has the reference kernels: so it is timed only on
files that LiteRT refuses.
"""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass

import numpy as np

from netgen.bench.peers.peer import Form, Peer
from netgen.bench.peers.tflite import refusal
from netgen.bench.subject import Subject
from netgen.bench.worker import Array, Loaded
from netgen.errors import MissingExtraError, UsageError
from netgen.export.tflm_session import arena_bytes

_DAY = len("0.dev20250101")  # its versions go on with the time of day


@dataclass(frozen=True)
class _Model:
    content: bytes
    arena_bytes: int
    outputs: int


def _prepare(subject: Subject) -> _Model:
    assert subject.file is not None
    content = subject.file.read_bytes()
    if _refusal_by_litert(content) is None:
        raise UsageError("tflm is timed only on files that LiteRT refuses", hint="add --vs tflite")
    graph = subject.graph
    return _Model(content, arena_bytes(graph), len(graph.outputs))


def _refusal_by_litert(content: bytes) -> str | None:
    try:
        return refusal(content)
    except ModuleNotFoundError:
        raise MissingExtraError("ai_edge_litert", "litert", "timing tflm") from None


def _load(model: _Model, inputs: tuple[Array, ...], threads: int) -> Loaded:
    from tflite_micro.python.tflite_micro import runtime

    del threads  # it has one
    interpreter = runtime.Interpreter.from_bytes(model.content, arena_size=model.arena_bytes)
    for position, array in enumerate(inputs):
        shape = interpreter.get_input_details(position)["shape"]
        interpreter.set_input(array.reshape(shape), position)
    interpreter.invoke()
    outputs = [np.array(interpreter.get_output(position)) for position in range(model.outputs)]
    version = importlib.metadata.version("tflite-micro")[:_DAY]
    return Loaded(version, tuple(outputs), interpreter.invoke)


TFLM = Peer(("tflite_micro",), None, _load, extra="tflm", of_file=Form(_prepare, _load))
