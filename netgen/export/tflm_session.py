"""TensorFlow Lite Micro on a `.tflite` file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from netgen.errors import MissingExtraError
from netgen.export.tflite_judge import TFLiteJudge
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array

# The arena holds all tensors at once, and what the interpreter needs for each of them.
_FOR_A_TENSOR, _FOR_ALL = 4096, 2**20


def arena_bytes(graph: Graph) -> int:
    """Bytes that are enough for its arena, of a graph that was read from the file."""
    return 2 * sum(node.type.bytes + _FOR_A_TENSOR for node in graph.nodes) + _FOR_ALL


class TFLM(TFLiteJudge):
    """Runs of a file; raises MissingExtraError where tflite-micro is not installed."""

    title: ClassVar[str] = "TensorFlow Lite Micro"
    profile: ClassVar[str] = "tflm"

    def __init__(self, path: Path, outputs: str = "") -> None:
        try:
            from tflite_micro.python.tflite_micro import runtime
        except ModuleNotFoundError:
            raise MissingExtraError("tflite_micro", "tflm", "TensorFlow Lite Micro") from None
        super().__init__(path, outputs)
        with self.refusing():
            self._interpreter = runtime.Interpreter.from_bytes(
                self._content,
                arena_size=arena_bytes(self._lowered.graph),
                intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
            )

    def _invoke(self, inputs: Mapping[int, Array]) -> None:
        for position, index in enumerate(self._lowered.inputs):
            details = self._interpreter.get_input_details(position)
            self._interpreter.set_input(inputs[index].reshape(details["shape"]), position)
        self._interpreter.invoke()

    def _tensor(self, index: int) -> Array:
        found: Array = self._interpreter.GetTensor(index, 0)["tensor_data"]
        return found
