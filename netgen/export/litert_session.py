"""LiteRT's reference kernels on a `.tflite` file: an independent judge of what was read from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from netgen.errors import GraphError, MissingExtraError
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.frontends.tflite.load import lower_tflite
from netgen.ir.tensor_type import Array


def run_litert(path: Path, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The first run of a file; see LiteRT."""
    return LiteRT(path).run(inputs)


class LiteRT:
    """Runs of a file that follow each other.

    Raises MissingExtraError where LiteRT is not installed, GraphError where it refuses the file,
    and what reading the file raises.
    """

    def __init__(self, path: Path) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ModuleNotFoundError:
            raise MissingExtraError("ai_edge_litert", "litert", "LiteRT as a judge") from None
        self._lowered, self._path = lower_tflite(path), path
        with self._refusing():
            self._interpreter = Interpreter(
                model_content=path.read_bytes(),
                experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
                experimental_preserve_all_tensors=True,
            )
            self._interpreter.allocate_tensors()

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Name the file that LiteRT refuses."""
        try:
            yield
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            where = str(self._path)
            raise GraphError(f"LiteRT does not run this file: {reason}", where=where) from error

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The next run: all values of the file's graph that stand for a tensor, by name.

        `inputs` are those of the graph, by name. Each value has the shape and order that it has in
        the graph as it was read.
        """
        lowered, interpreter = self._lowered, self._interpreter
        with self._refusing():
            for given in interpreter.get_input_details():
                array = inputs[lowered.views[given["index"]].value]
                interpreter.set_tensor(given["index"], array.reshape(given["shape"]))
            interpreter.invoke()
        found = {
            view.value: _stored(view, interpreter.get_tensor(index), lowered.shape(view.value))
            for index, view in lowered.views.items()
            if view.value in lowered.graph
        }
        for name, index in zip(lowered.graph.outputs, lowered.outputs, strict=True):
            found[name] = interpreter.get_tensor(index).reshape(lowered.shape(name))
        return found


def _stored(view: TensorView, tensor: Array, shape: tuple[int, ...]) -> Array:
    """The elements of a tensor in the order in which the graph stores them."""
    order = view.order
    atoms = tensor.reshape([atom.size for atom in order])
    turned = atoms.transpose([order.index(atom) for atom in view.storage])
    return np.ascontiguousarray(turned).reshape(shape)
