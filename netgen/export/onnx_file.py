"""Graph -> ONNX file, of standard operators only.

The interface stays netgen's: inputs and outputs are NHWC. Between them values of rank 4 are NCHW:

    %image : f32[1,8,8,3] = input            image       graph input, NHWC
    %y     : f32[1,8,8,4] = conv2d(%image)   image/nchw  = Transpose(image)
    return %y                                y/nchw      = Conv(image/nchw, y.w, y.b)
                                             y           = Transpose(y/nchw), NHWC

An ONNX value has the name of the netgen value that it carries, NCHW where it is of rank 4; of
inputs and outputs of rank 4 the NCHW form is called `NAME/nchw`. With an interface of NCHW there is
no such pair, and no transposition either. What else an operator needs on its way is called `NAME/`
and its ONNX operator. No name of netgen holds a slash.

What the weights expect of pixels stands in the model's metadata, if it is known: pixels of 0..255
become (x / 255 - mean) / std, where `netgen.mean` and `netgen.std` have one number per channel,
separated by commas.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from netgen.errors import GraphError, MissingExtraError
from netgen.export.onnx_operators import (
    MAPPINGS,
    TO_CHANNELS_FIRST,
    TO_CHANNELS_LAST,
    channels_first,
)
from netgen.export.onnx_resize import TO_INPUTS_FIRST
from netgen.export.onnx_stages import OPSET, Attribute, Call, Scalars, Stage
from netgen.ir.graph import Graph, Node
from netgen.ir.normalisation import Normalisation
from netgen.ir.operator import Const, Input
from netgen.ir.tensor_type import TensorType
from netgen.ops.transpose_conv2d import TransposeConv2d

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

Interface: TypeAlias = Literal["NHWC", "NCHW"]

IR_VERSION = 8


def graph_to_onnx(graph: Graph, interface: Interface = "NHWC") -> bytes:
    """Write the graph and its weights as an ONNX file; the same graph gives the same bytes.

    Works on graphs as written and on graphs after any pass. `interface` is the layout of inputs and
    outputs of rank 4. An output that is listed twice appears once.

    Raises GraphError for an operator that has no mapping, codes, states, constants without data,
    MissingExtraError where onnx is not installed.
    """
    onnx = _import_onnx()
    _check_floats(graph)
    _check_states(graph)
    _check_operators(graph)
    model = _Writer(onnx, graph, interface).model()
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _check_states(graph: Graph) -> None:
    """Raise GraphError for states: a run of an ONNX file leaves nothing for the next one."""
    if graph.states:
        raise GraphError(
            "networks with a state cannot be exported to ONNX",
            where=f"%{graph.states[0].name}",
            hint="export a network whose states are inputs and outputs",
        )


def _check_floats(graph: Graph) -> None:
    """Raise GraphError for codes: ONNX has other operators for them."""
    if (node := graph.first_codes()) is not None:
        raise GraphError(
            "codes cannot be exported to ONNX",
            where=f"%{node.name}",
            expected="f32",
            found=str(node.type),
            hint="export the network of floats that it was quantised from",
        )


def _check_operators(graph: Graph) -> None:
    """Raise GraphError for operators that have no mapping; it names a value of each."""
    unknown: dict[str, str] = {}
    for node in graph.activations:
        if type(node.op) not in MAPPINGS:
            unknown.setdefault(node.op.operator_name, f"%{node.name}")
    if unknown:
        which = "operators" if len(unknown) > 1 else "operator"
        raise GraphError(
            f"the {which} {', '.join(unknown)} cannot be exported to ONNX",
            where=", ".join(unknown.values()),
            expected="one of " + ", ".join(sorted(kind.operator_name for kind in MAPPINGS)),
        )


def _pixel_properties(normalisation: Normalisation) -> dict[str, str]:
    """The metadata that `frontends/onnx_file.py` reads back: the shortest texts of the numbers."""
    return {
        "netgen.mean": _numbers(normalisation.mean),
        "netgen.std": _numbers(normalisation.std),
    }


def _numbers(numbers: Sequence[float]) -> str:
    return ",".join(repr(float(number)) for number in numbers)


def _import_onnx() -> ModuleType:
    try:
        import onnx
        import onnx.checker
        import onnx.helper
    except ModuleNotFoundError:
        raise MissingExtraError("onnx", "onnx", "exporting to ONNX") from None
    return onnx


class _Writer:
    """Collects the parts of one ONNX graph."""

    def __init__(self, library: ModuleType, graph: Graph, interface: Interface) -> None:
        self._onnx = library
        self._graph = graph
        self._channels_last = interface == "NHWC"
        self._interface = {*graph.outputs, *(node.name for node in graph.inputs)}
        self._nodes: list[NodeProto] = []
        self._initializers: list[TensorProto] = []
        self._values: list[ValueInfoProto] = []
        self._shared: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def model(self) -> ModelProto:
        """Put the whole file together."""
        for node in self._graph.nodes:
            if isinstance(node.op, Input):
                self._enter(node)
            elif isinstance(node.op, Const):
                self._constant(node)
            else:
                self._activation(node)
        outputs = list(dict.fromkeys(self._graph.outputs))
        for name in outputs:
            self._leave(self._graph[name])
        helper = self._onnx.helper
        contents = helper.make_graph(
            self._nodes,
            self._graph.name,
            [self._interface_value(node.name) for node in self._graph.inputs],
            [self._interface_value(name) for name in outputs],
            self._initializers,
            value_info=self._values,
        )
        model: ModelProto = helper.make_model(
            contents,
            producer_name="netgen",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        origin = self._graph.origin
        if origin is not None and origin.normalisation is not None:
            helper.set_model_props(model, _pixel_properties(origin.normalisation))
        return model

    def _name(self, node: Node) -> str:
        """Name the ONNX value that operators read: NCHW if of rank 4."""
        at_edge = node.name in self._interface
        twofold = self._channels_last and at_edge and len(node.type.shape) == 4
        return f"{node.name}/nchw" if twofold else node.name

    def _enter(self, node: Node) -> None:
        name = self._name(node)
        if name != node.name:
            self._emit("Transpose", (node.name,), name, {"perm": TO_CHANNELS_FIRST})
            self._describe(name, node.type)

    def _leave(self, node: Node) -> None:
        name = self._name(node)
        # An output that is an input as well has its NHWC form already.
        if name != node.name and not isinstance(node.op, Input):
            self._emit("Transpose", (name,), node.name, {"perm": TO_CHANNELS_LAST})

    def _constant(self, node: Node) -> None:
        array = self._graph.constant(node.name)
        axes = self._axes_of(node) if array.ndim == 4 else tuple(range(array.ndim))
        first = array.transpose(axes)
        self._initializer(self._name(node), np.ascontiguousarray(first))

    def _axes_of(self, node: Node) -> tuple[int, ...]:
        """The axes of a constant of rank 4 as its readers take it; raises GraphError for both."""
        transposed = {isinstance(user.op, TransposeConv2d) for user in self._graph.users(node.name)}
        if len(transposed) > 1:
            raise GraphError(
                "weights of both a convolution and a transposed one cannot be exported to ONNX",
                where=f"%{node.name}",
            )
        return TO_INPUTS_FIRST if True in transposed else TO_CHANNELS_FIRST

    def _activation(self, node: Node) -> None:
        operands = [self._graph[name] for name in node.operands]
        x, *rest = map(self._name, operands)
        call = Call(tuple(rest), tuple(operand.type for operand in operands), node.type)
        self._run(node, x, MAPPINGS[type(node.op)](node.op, call))
        if node.name not in self._graph.outputs or self._name(node) != node.name:
            self._describe(self._name(node), node.type)

    def _run(self, node: Node, x: str, stages: Sequence[Stage]) -> None:
        """One ONNX node per stage; the last one makes the value."""
        for position, stage in enumerate(stages, start=1):
            step = f"{node.name}/{stage.operator}{position}"
            inputs = [
                value if isinstance(value, str) else self._share(f"{step}.{index}", value)
                for index, value in enumerate(stage.inputs, start=1)
            ]
            result = self._name(node) if position == len(stages) else step
            self._emit(stage.operator, (x, *inputs), result, stage.attributes)
            x = result

    def _emit(
        self, operator: str, inputs: Sequence[str], result: str, attributes: dict[str, Attribute]
    ) -> None:
        make_node = self._onnx.helper.make_node
        self._nodes.append(make_node(operator, inputs, [result], name=result, **attributes))

    def _share(self, name: str, array: Scalars) -> str:
        """Name the one initializer of all equal numbers; it is named after its first use."""
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._shared:
            self._shared[key] = name
            self._initializer(name, array)
        return self._shared[key]

    def _initializer(self, name: str, array: Scalars) -> None:
        helper = self._onnx.helper
        element = helper.np_dtype_to_tensor_dtype(array.dtype)
        raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
        self._initializers.append(helper.make_tensor(name, element, array.shape, raw, raw=True))

    def _describe(self, name: str, kind: TensorType) -> None:
        """Add a type that viewers show, and that the checker compares with its own."""
        self._values.append(self._value(name, channels_first(kind.shape)))

    def _interface_value(self, name: str) -> ValueInfoProto:
        shape = self._graph[name].type.shape
        return self._value(name, shape if self._channels_last else channels_first(shape))

    def _value(self, name: str, shape: tuple[int, ...]) -> ValueInfoProto:
        element = self._onnx.TensorProto.FLOAT
        value: ValueInfoProto = self._onnx.helper.make_tensor_value_info(name, element, shape)
        return value
