"""An implementation of TensorFlow Lite that judges what was read from a `.tflite` file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import numpy as np

from netgen.errors import GraphError
from netgen.export.cut_bytes import cut_bytes
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.frontends.tflite.load import lower_tflite
from netgen.ir.tensor_type import Array


class TFLiteJudge(ABC):
    """Runs of a file that follow each other; of its graph as `load_tflite` reads it.

    Raises GraphError where the implementation refuses the file, and what reading the file raises.
    """

    title: ClassVar[str]
    profile: ClassVar[str]

    def __init__(self, path: Path, outputs: str = "") -> None:
        self._lowered, self._path = lower_tflite(path, self.profile, outputs), path
        content = path.read_bytes()
        self._content = cut_bytes(content, self._lowered) if outputs else content

    @abstractmethod
    def _invoke(self, inputs: Mapping[int, Array]) -> None:
        """Run once on inputs by the index of their tensor."""

    @abstractmethod
    def _tensor(self, index: int) -> Array:
        """The elements of a tensor after a run."""

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Name the file that is refused."""
        try:
            yield
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            where = str(self._path)
            message = f"{self.title} does not run this file: {reason}"
            raise GraphError(message, where=where) from error

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The next run: all values of the file's graph that stand for a tensor, by name.

        `inputs` are those of the graph, by name. Each value has the shape and order that it has in
        the graph as it was read.
        """
        lowered = self._lowered
        names = {node.name for node in lowered.graph.inputs}
        given = {
            index: inputs[view.value]
            for index, view in lowered.views.items()
            if view.value in names and index in lowered.inputs
        }
        with self.refusing():
            self._invoke(given)
            found = {
                view.value: _stored(view, self._tensor(index), lowered.shape(view.value))
                for index, view in lowered.views.items()
                if view.value in lowered.graph
            }
            for name, index in zip(lowered.graph.outputs, lowered.outputs, strict=True):
                found[name] = self._tensor(index).reshape(lowered.shape(name))
        return found


def _stored(view: TensorView, tensor: Array, shape: tuple[int, ...]) -> Array:
    """The elements of a tensor in the order in which the graph stores them."""
    order = view.order
    atoms = tensor.reshape([atom.size for atom in order])
    turned = atoms.transpose([order.index(atom) for atom in view.storage])
    return np.ascontiguousarray(turned).reshape(shape)
