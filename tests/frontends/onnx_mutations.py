"""Faults for ONNX models: each mutation changes one thing of a model, by a seeded draw.

The models stay ones that protobuf can read: what is wrong is what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from onnx import AttributeProto, TensorProto
from onnx.helper import make_function, make_node, make_opsetid
from onnx.numpy_helper import from_array

from netgen.frontends.onnx_versions import NEWEST
from tests.frontends.onnx_oddities import (
    FLOATS,
    INTEGERS,
    NAMES,
    WORDS,
    Draw,
    known_attributes,
    of_kind,
    pick,
    some_array,
    some_attribute,
)

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

Mutation = Callable[[Draw, "ModelProto"], None]


def _node(draw: Draw, model: ModelProto) -> NodeProto:
    node: NodeProto = pick(draw, model.graph.node)
    return node


def _attribute(draw: Draw, model: ModelProto) -> AttributeProto:
    """An attribute of some node, which gets one if there is none."""
    found = [attribute for node in model.graph.node for attribute in node.attribute]
    if not found:
        _node(draw, model).attribute.add(name=pick(draw, NAMES))
        return _attribute(draw, model)
    attribute: AttributeProto = pick(draw, found)
    return attribute


def change_number(draw: Draw, model: ModelProto) -> None:
    """One number of an attribute."""
    attribute = _attribute(draw, model)
    if attribute.ints:
        attribute.ints[int(draw.integers(len(attribute.ints)))] = pick(draw, INTEGERS)
    elif attribute.type == AttributeProto.INT:
        attribute.i = pick(draw, INTEGERS)
    elif attribute.type == AttributeProto.FLOAT:
        attribute.f = pick(draw, FLOATS)
    elif attribute.type == AttributeProto.STRING:
        attribute.s = pick(draw, WORDS)


def change_count(draw: Draw, model: ModelProto) -> None:
    """The number of numbers that an attribute has."""
    attribute = _attribute(draw, model)
    wanted = pick(draw, ([], [1], [*attribute.ints][:-1], [*attribute.ints, 1], [1] * 9))
    del attribute.ints[:]
    attribute.ints.extend(wanted)


def change_kind(draw: Draw, model: ModelProto) -> None:
    """The kind of an attribute, or the one that it says it has."""
    attribute = _attribute(draw, model)
    if draw.integers(4):
        attribute.CopyFrom(some_attribute(draw, attribute.name))
    else:
        attribute.type = pick(draw, AttributeProto.AttributeType.values())


def refer_to_function(draw: Draw, model: ModelProto) -> None:
    """An attribute that stands for one of a function which is not there."""
    attribute = _attribute(draw, model)
    attribute.ref_attr_name = "alpha"
    if draw.integers(2):
        for field in ("i", "f", "s", "t", "ints", "floats"):
            attribute.ClearField(field)


def give_attribute(draw: Draw, model: ModelProto, node: NodeProto) -> None:
    """One that the operator has, of the right kind; seldom any."""
    known = known_attributes(node.op_type, model.opset_import[0].version)
    if not known or not draw.integers(8):
        node.attribute.append(some_attribute(draw, pick(draw, NAMES)))
        return
    name = pick(draw, sorted(known))
    for at in reversed([k for k, own in enumerate(node.attribute) if own.name == name]):
        del node.attribute[at]
    node.attribute.append(of_kind(draw, name, known[name]))


def add_attribute(draw: Draw, model: ModelProto) -> None:
    give_attribute(draw, model, _node(draw, model))


def drop_attribute(draw: Draw, model: ModelProto) -> None:
    node = _node(draw, model)
    if node.attribute:
        del node.attribute[int(draw.integers(len(node.attribute)))]


def change_input_shape(draw: Draw, model: ModelProto) -> None:
    dims = pick(draw, model.graph.input).type.tensor_type.shape.dim
    which = int(draw.integers(4))
    if which == 0:
        dims.add(dim_value=pick(draw, INTEGERS))
    elif which == 1 and dims:
        del dims[-1]
    elif dims:
        extent = pick(draw, dims)
        extent.Clear()
        if which == 2:
            extent.dim_value = pick(draw, INTEGERS)
        else:
            extent.dim_param = pick(draw, ("N", "", "T"))


def open_batch(draw: Draw, model: ModelProto) -> None:
    """The first axis of every input."""
    for value in model.graph.input:
        if value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].Clear()
            value.type.tensor_type.shape.dim[0].dim_param = pick(draw, ("N", "M"))


def change_input_kind(draw: Draw, model: ModelProto) -> None:
    value = pick(draw, model.graph.input)
    if draw.integers(4):
        value.type.tensor_type.elem_type = int(draw.integers(0, 30))
    else:
        value.type.sequence_type.elem_type.tensor_type.elem_type = 1


def _initializer(draw: Draw, model: ModelProto) -> TensorProto:
    """A constant; one is made if there is none."""
    found = [*model.graph.initializer]
    found += [attribute.t for node in model.graph.node for attribute in node.attribute
              if attribute.type == AttributeProto.TENSOR]  # fmt: skip
    if not found:
        model.graph.initializer.append(from_array(some_array(draw), "made"))
    tensor: TensorProto = pick(draw, found or model.graph.initializer)
    return tensor


def change_dims(draw: Draw, model: ModelProto) -> None:
    tensor = _initializer(draw, model)
    if tensor.dims and draw.integers(2):
        tensor.dims[int(draw.integers(len(tensor.dims)))] = pick(draw, INTEGERS)
    else:
        tensor.dims.append(pick(draw, INTEGERS))


def change_type(draw: Draw, model: ModelProto) -> None:
    _initializer(draw, model).data_type = int(draw.integers(0, 30))


def change_data(draw: Draw, model: ModelProto) -> None:
    tensor = _initializer(draw, model)
    data = bytearray(tensor.raw_data)
    if draw.integers(2):
        data = data[: int(draw.integers(len(data) + 1))] + bytes(int(draw.integers(3)))
    for _ in range(int(draw.integers(4)) if data else 0):
        data[int(draw.integers(len(data)))] = int(draw.integers(256))
    tensor.raw_data = bytes(data)


def change_values(draw: Draw, model: ModelProto) -> None:
    """The numbers of a constant, in its shape and type."""
    tensor = _initializer(draw, model)
    kind = {1: "<f4", 7: "<i8", 6: "<i4"}.get(tensor.data_type)
    if kind is None or not tensor.raw_data or len(tensor.raw_data) % np.dtype(kind).itemsize:
        return
    array = np.frombuffer(tensor.raw_data, kind).copy()
    seldom: Sequence[float] = FLOATS if kind == "<f4" else INTEGERS
    with np.errstate(all="ignore"):
        for at in draw.integers(len(array), size=pick(draw, (1, 2, len(array)))):
            array[at] = np.array(pick(draw, seldom)).astype(kind)
    tensor.raw_data = array.tobytes()


def replace_constant(draw: Draw, model: ModelProto) -> None:
    tensor = _initializer(draw, model)
    tensor.CopyFrom(from_array(some_array(draw), tensor.name))


def outside(draw: Draw, model: ModelProto) -> None:
    """A constant that is said to be in a file beside the model."""
    tensor = _initializer(draw, model)
    tensor.data_location = TensorProto.EXTERNAL
    for key in ("location", "offset", "length")[: int(draw.integers(4))]:
        value = pick(draw, ("m.onnx", "..", "/etc/passwd", "0", "-1", "99999999999999999999", ""))
        tensor.external_data.add(key=key, value=value)


def sparse(draw: Draw, model: ModelProto) -> None:
    made = model.graph.sparse_initializer.add(dims=[pick(draw, INTEGERS)])
    made.values.CopyFrom(from_array(some_array(draw), "sparse"))
    made.indices.CopyFrom(from_array(some_array(draw), "places"))


def _names(model: ModelProto) -> list[str]:
    """Names that a node may read, and now and then some that it may not."""
    names = [tensor.name for tensor in model.graph.initializer]
    names += [value.name for value in model.graph.input]
    names += [name for node in model.graph.node for name in node.output]
    return [*names * 4, "", "unknown"]


def change_input(draw: Draw, model: ModelProto) -> None:
    """An input of a node: mostly of what is there already."""
    at = int(draw.integers(len(model.graph.node)))
    node = model.graph.node[at]
    made = {name for later in model.graph.node[at:] for name in later.output}
    names = [name for name in _names(model) if name not in made or not draw.integers(20)]
    which = int(draw.integers(3))
    if which == 0 or not node.input:
        node.input.append(pick(draw, names))
    elif which == 1:
        node.input[int(draw.integers(len(node.input)))] = pick(draw, names)
    else:
        del node.input[int(draw.integers(len(node.input)))]


def change_output(draw: Draw, model: ModelProto) -> None:
    """An output of a node, or of the network."""
    node = _node(draw, model)
    which = int(draw.integers(5))
    if which == 0:
        node.output.append(pick(draw, ("extra", "", *node.output)))
    elif which == 1 and node.output:
        node.output[0] = pick(draw, ("", "other", *_names(model)))
    elif which == 2 and node.output:
        del node.output[-1]
    elif which == 3:
        model.graph.output[0].name = pick(draw, _names(model))
    else:
        model.graph.output.add().CopyFrom(model.graph.output[0])
        model.graph.output[-1].name = pick(draw, _names(model))


def change_operator(draw: Draw, model: ModelProto) -> None:
    node = _node(draw, model)
    node.op_type = pick(draw, [*NEWEST, "If", "Erf", ""])
    if not draw.integers(8):
        node.domain = pick(draw, ("ai.onnx", "ai.onnx.ml", "own"))


def add_node(draw: Draw, model: ModelProto) -> None:
    """An operator on what is there, whose result becomes the network's."""
    operator = pick(draw, [*NEWEST])
    inputs = [pick(draw, _names(model)) for _ in range(int(draw.integers(1, 4)))]
    model.graph.node.append(make_node(operator, inputs, ["more"]))
    for _ in range(int(draw.integers(3))):
        give_attribute(draw, model, model.graph.node[-1])
    model.graph.output[0].name = "more"


def repeat_node(draw: Draw, model: ModelProto) -> None:
    nodes = [*model.graph.node]
    nodes.insert(int(draw.integers(len(nodes) + 1)), pick(draw, nodes))
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def drop_node(draw: Draw, model: ModelProto) -> None:
    del model.graph.node[int(draw.integers(len(model.graph.node)))]
    if not model.graph.node:
        model.graph.node.append(make_node("Identity", ["x"], ["y"]))


def change_opset(draw: Draw, model: ModelProto) -> None:
    version = pick(draw, (*range(1, 40), 0, -1, 2**31, 2**62))
    if draw.integers(3):
        model.opset_import[0].version = version
    else:
        model.opset_import.append(make_opsetid(pick(draw, ("", "ai.onnx", "own")), version))


def change_ir_version(draw: Draw, model: ModelProto) -> None:
    model.ir_version = pick(draw, (*range(14), 2**31))


def say_of_pixels(draw: Draw, model: ModelProto) -> None:
    for key in ("netgen.mean", "netgen.std"):
        text = ",".join(str(pick(draw, FLOATS)) for _ in range(int(draw.integers(0, 7))))
        model.metadata_props.add(key=key, value=text)


def call_functions(draw: Draw, model: ModelProto) -> None:
    """Functions that call each other, twice each, to any depth, or in a ring."""
    depth = int(draw.integers(1, 40))
    opset = [make_opsetid("", model.opset_import[0].version), make_opsetid("own", 1)]
    for level in range(depth):
        last = level == depth - 1
        callee = pick(draw, (0, level)) if last and draw.integers(2) else level + 1
        body = [
            make_node(f"f{callee}", ["a"], ["b"], domain="own"),
            make_node(f"f{callee}", ["b"], ["c"], domain="own"),
        ]
        if last and callee == level + 1:
            body = [make_node(pick(draw, [*NEWEST]), ["a"], ["c"])]
            body[0].attribute.add(
                name=pick(draw, NAMES), ref_attr_name="k", type=pick(draw, (1, 2))
            )
        model.functions.append(make_function("own", f"f{level}", ["a"], ["c"], body, opset, ["k"]))
    model.opset_import.append(make_opsetid("own", 1))
    model.graph.node.append(make_node("f0", [model.graph.output[0].name], ["more"], domain="own"))
    model.graph.output[0].name = "more"


MUTATIONS: tuple[Mutation, ...] = (
    change_number, change_number, change_number, change_count, change_kind, refer_to_function,
    add_attribute, drop_attribute, change_input_shape, change_input_shape, open_batch,
    change_input_kind, change_dims, change_type, change_data, change_values, change_values,
    change_values, replace_constant, replace_constant, outside, sparse, change_input, change_input,
    change_output, change_operator, add_node, add_node, repeat_node, drop_node, change_opset,
    change_ir_version, say_of_pixels, call_functions,
)  # fmt: skip


def mutate(draw: Draw, model: ModelProto) -> list[str]:
    """Change one to three things; gives the names of the mutations."""
    chosen = [pick(draw, MUTATIONS) for _ in range(pick(draw, (1, 1, 2, 3)))]
    for mutation in chosen:
        if model.graph.node and model.graph.input and model.graph.output:
            mutation(draw, model)
    return [mutation.__name__ for mutation in chosen]
