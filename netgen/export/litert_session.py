"""LiteRT's reference kernels on a `.tflite` file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from netgen.errors import MissingExtraError
from netgen.export.tflite_judge import TFLiteJudge
from netgen.ir.tensor_type import Array


def run_litert(path: Path, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The first run of a file; see LiteRT."""
    return LiteRT(path).run(inputs)


class LiteRT(TFLiteJudge):
    """Runs of a file; raises MissingExtraError where LiteRT is not installed."""

    title: ClassVar[str] = "LiteRT"
    profile: ClassVar[str] = "litert"

    def __init__(self, path: Path, outputs: str = "") -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ModuleNotFoundError:
            raise MissingExtraError("ai_edge_litert", "litert", "LiteRT as a judge") from None
        super().__init__(path, outputs)
        with self.refusing():
            self._interpreter = Interpreter(
                model_content=self._content,
                experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
                experimental_preserve_all_tensors=True,
            )
            self._interpreter.allocate_tensors()

    def _invoke(self, inputs: Mapping[int, Array]) -> None:
        for given in self._interpreter.get_input_details():
            self._interpreter.set_tensor(
                given["index"], inputs[given["index"]].reshape(given["shape"])
            )
        self._interpreter.invoke()

    def _tensor(self, index: int) -> Array:
        found: Array = self._interpreter.get_tensor(index)
        return found
