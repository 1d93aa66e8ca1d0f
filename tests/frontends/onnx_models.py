"""ONNX models of a few nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from netgen.ir.graph import Graph
from netgen.weights.seeded import uniform

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

Floats = npt.NDArray[np.float32]
Shape = Sequence[int | str | None]

# Operators whose results are numbers of elements.
_COUNTING = {"ArgMax", "ArgMin"}


@dataclass
class Model:
    """An ONNX model under construction; every value of `shapes` is an input.

    A valid file says the shapes of its outputs. Those of a faulty model are not inferred.
    """

    shapes: Mapping[str, Shape]
    outputs: Sequence[str] = ("y",)
    opset: int = 17
    constants: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    nodes: list[NodeProto] = field(default_factory=list)
    faulty: bool = False
    # Outputs that are int64.
    counts: frozenset[str] = frozenset()

    def node(
        self, operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: object
    ) -> Model:
        """Add a node, with a name that errors can be searched for."""
        from onnx.helper import make_attribute, make_node

        name = str(attributes.pop("name", f"the_{operator}_of_{outputs[0]}"))
        made = make_node(operator, inputs, outputs, name=name)
        made.attribute.extend(make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(made)
        if operator in _COUNTING:
            self.counts |= {*outputs}
        return self

    def constant(self, name: str, value: npt.ArrayLike, kind: str = "float32") -> str:
        self.constants[name] = np.asarray(value, kind)
        return name

    def weights(self, name: str, *shape: int) -> str:
        return self.constant(name, uniform(name, shape))

    def proto(self) -> ModelProto:
        from onnx import TensorProto
        from onnx.helper import make_graph, make_model, make_opsetid, make_tensor_value_info
        from onnx.numpy_helper import from_array
        from onnx.shape_inference import infer_shapes

        def value(name: str, shape: Shape | None) -> ValueInfoProto:
            kind = TensorProto.INT64 if name in self.counts else TensorProto.FLOAT
            return make_tensor_value_info(name, kind, shape)

        graph = make_graph(
            self.nodes,
            "case",
            [value(name, shape) for name, shape in self.shapes.items()],
            [value(name, None) for name in self.outputs],
            [from_array(array, name) for name, array in self.constants.items()],
        )
        model = make_model(graph, opset_imports=[make_opsetid("", self.opset)], ir_version=8)
        model = model if self.faulty else infer_shapes(model, data_prop=True)
        for output in model.graph.output:
            output.type.tensor_type.shape.SetInParent()
        return model

    def images(self) -> dict[str, Floats]:
        """Inputs of unit variance; open extents are 1."""
        settled = {
            name: tuple(n if isinstance(n, int) else 1 for n in shape)
            for name, shape in self.shapes.items()
        }
        return {
            name: (uniform(name, shape) * 3**0.5).astype(np.float32)
            for name, shape in settled.items()
        }


def names(graph: Graph) -> list[str]:
    """The operators of a graph in order."""
    return [node.op.operator_name for node in graph.activations]
