"""A graph of codes -> an ONNX file of codes, for ONNX Runtime to be timed on.

Every operator stands between DequantizeLinear and QuantizeLinear, as ONNX Runtime's own quantiser
writes them; it joins the three to operators of integers. The operators are those of the float twin:

    x       codes, an input                 x/real = DequantizeLinear(x)
    y       = conv2d(x, w, b)               y      = Conv(x/real, w/real, b/real)
                                            y/codes = QuantizeLinear(y)
                                            y/real  = DequantizeLinear(y/codes)

Inputs and outputs are codes, NCHW. All codes of i8 but weights are written as u8, 128 higher: so
ONNX Runtime has them on x86, and where it has to change them itself it leaves some operators to
floats. It rounds as ONNX says, so single codes differ from TensorFlow Lite's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from netgen.errors import GraphError
from netgen.export.float_twin import float_twin
from netgen.export.onnx_file import graph_to_onnx
from netgen.export.onnx_operators import TO_CHANNELS_FIRST
from netgen.ir.graph import Graph
from netgen.ir.operator import Const, Input
from netgen.ir.tensor_type import ELEMENTS, Array, TensorType
from netgen.ops.rescaled import scale_of
from netgen.ops.weighted import Weighted
from netgen.passes import fuse_for_others

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

Scale: TypeAlias = "float | Array"

_CODES = ELEMENTS["u8"].storage  # of activations


def graph_to_onnx_codes(graph: Graph) -> bytes:
    """Write a graph of codes, after the passes that others have operators for, and its weights.

    Raises GraphError for codes that ONNX does not have, and for what `graph_to_onnx` refuses.
    """
    import onnx

    fused = fuse_for_others(graph)
    twin = float_twin(fused)
    model = onnx.load_from_string(graph_to_onnx(twin, "NCHW"))
    _Coder(model, fused, twin).write()
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


class _Coder:
    """Puts codes into the ONNX file of the float twin, whose values have the graph's names."""

    def __init__(self, model: ModelProto, graph: Graph, twin: Graph) -> None:
        self._model, self._graph, self._twin = model.graph, graph, twin
        self._behind: dict[str, list[NodeProto]] = {}  # by the value that they follow
        self._first: list[NodeProto] = []
        self._real: dict[str, str] = {}  # what is read in the place of a value
        self._read = {name for node in model.graph.node for name in node.input}

    def write(self) -> None:
        """Change the file in place."""
        for node in self._graph.nodes:
            if node.type.element.is_float or isinstance(node.op, Const):
                continue
            if node.type.element.bytes != 1:
                raise GraphError(
                    "ONNX Runtime is timed on codes of 8 bits", where=f"%{node.name}",
                    expected="i8 or u8", found=str(node.type),
                )  # fmt: skip
            self._value(node.name, node.type, given=isinstance(node.op, Input))
        self._constants()
        nodes = [*self._first]
        for node in self._model.node:
            for position, name in enumerate(node.input):
                node.input[position] = self._real.get(name, name)
            nodes.append(node)
            nodes += self._behind.get(node.output[0], [])
        del self._model.node[:]
        self._model.node.extend(nodes)
        self._interface()

    def _value(self, name: str, kind: TensorType, *, given: bool) -> None:
        scales = self._scales(name, scale_of(kind), kind.zero - kind.element.low, _CODES)
        codes = name if given else f"{name}/codes"
        made = self._first if given else self._behind.setdefault(name, [])
        if not given:
            made.append(self._node("QuantizeLinear", name, codes, scales))
        if name in self._read:
            made.append(self._node("DequantizeLinear", codes, f"{name}/real", scales))
        self._real[name] = f"{name}/real"

    def _constants(self) -> None:
        """Constants of codes in the place of those of floats."""
        found = self._integers()
        kept = [given for given in self._model.initializer if given.name not in found]
        del self._model.initializer[:]
        self._model.initializer.extend(kept)
        for name, (array, scale, zero) in found.items():
            first = array.transpose(TO_CHANNELS_FIRST) if array.ndim == 4 else array
            self._initializer(f"{name}/codes", np.ascontiguousarray(first))
            scales = self._scales(name, scale, zero, array.dtype)
            axis = 0 if np.ndim(scale) else None
            made = self._node("DequantizeLinear", f"{name}/codes", f"{name}/real", scales, axis)
            self._first.append(made)
            self._real[name] = f"{name}/real"

    def _integers(self) -> dict[str, tuple[Array, Scale, int]]:
        """Integers, scale and zero point of constants, by their names in the file."""
        graph, twin, found = self._graph, self._twin, dict[str, tuple[Array, Scale, int]]()
        layers = [node for node in graph.activations if isinstance(node.op, Weighted)]
        weights = {node.operands[1] for node in layers}
        for node in graph.nodes:
            if isinstance(node.op, Const) and node.name in twin and node.type.quantisation:
                own = node.type.quantisation.scale
                scale = own if isinstance(own, float) else graph.scales([node.type])[own]
                codes, zero = graph.constant(node.name), node.type.zero
                if node.name not in weights:
                    low = node.type.element.low
                    codes, zero = (codes.astype(int) - low).astype(_CODES), zero - low
                found[node.name] = codes, scale, zero
        for node in layers:
            types = graph.operand_types(node)
            if len(types) > 2 and not types[0].element.is_float:
                scale = np.ravel(found[node.operands[1]][1]) * scale_of(types[0])
                bias = graph.constant(node.operands[2])
                found[twin[node.name].operands[2]] = bias, np.broadcast_to(scale, bias.shape), 0
        return found

    def _scales(self, name: str, scale: Scale, zero: int, storage: np.dtype[Any]) -> list[str]:
        """Scale and zero point as initializers."""
        arrays = np.asarray(scale, np.float32), np.full(np.shape(scale), zero, storage)
        names = [f"{name}/scale", f"{name}/zero"]
        for given, array in zip(names, arrays, strict=True):
            self._initializer(given, array)
        return names

    def _initializer(self, name: str, array: Array) -> None:
        from onnx.numpy_helper import from_array

        self._model.initializer.append(from_array(array, name))

    def _node(
        self, operator: str, x: str, y: str, scales: list[str], axis: int | None = None
    ) -> NodeProto:
        from onnx.helper import make_node

        made: NodeProto = make_node(operator, [x, *scales], [y], name=y, axis=axis)
        return made

    def _interface(self) -> None:
        """Inputs and outputs of codes are of their element type."""
        from onnx.helper import np_dtype_to_tensor_dtype

        for given in (*self._model.input, *self._model.output):
            if given.name in self._real:
                given.type.tensor_type.elem_type = np_dtype_to_tensor_dtype(_CODES)
        for given in self._model.output:
            if given.name in self._behind:
                given.name = f"{given.name}/codes"
