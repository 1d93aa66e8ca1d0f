"""The functions of an ONNX file, and of ONNX itself: how many nodes they come to; written out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from netgen.errors import GraphError

if TYPE_CHECKING:
    from onnx import FunctionProto, ModelProto, NodeProto

# The largest networks have some thousands.
_MOST_NODES = 100_000

_Key = tuple[str, str, str]


def check_functions(model: ModelProto, where: str) -> None:
    """Raise GraphError where functions call themselves, or come to too many nodes.

    A file of a few functions, each of which calls the one before twice, comes to any number.
    """
    functions = {(f.domain, f.name, f.overload): f for f in model.functions}
    sizes: dict[_Key, int] = {}
    for key in _callees_first(functions, where):
        sizes[key] = _size(functions[key].node, sizes)
    total = _size(model.graph.node, sizes)
    if total > _MOST_NODES:
        raise GraphError(
            "the functions of the model come to too many nodes",
            where=where,
            expected=f"at most {_MOST_NODES}",
            found=str(total),
        )


def _size(nodes: Sequence[NodeProto], sizes: dict[_Key, int]) -> int:
    return sum(sizes.get(_key(node), 1) for node in _all(nodes))


def _key(node: NodeProto) -> _Key:
    return node.domain, node.op_type, node.overload


def _all(nodes: Sequence[NodeProto]) -> Iterator[NodeProto]:
    """Nodes, and those of the graphs that they have as attributes."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                pending += graph.node


def _callees_first(functions: dict[_Key, FunctionProto], where: str) -> list[_Key]:
    """Order functions so that each comes behind those that it calls."""
    calls = {
        key: {_key(node) for node in _all(function.node)} & functions.keys()
        for key, function in functions.items()
    }
    order: list[_Key] = []
    while calls:
        ready = [key for key, needed in calls.items() if needed.isdisjoint(calls)]
        if not ready:
            raise GraphError(
                "functions of the model call themselves",
                where=where,
                found=", ".join(name for _, name, _ in sorted(calls)),
            )
        order += ready
        for key in ready:
            del calls[key]
    return order


def written_out(model: ModelProto, known: Collection[str]) -> ModelProto:
    """The model with operators that netgen does not know as ONNX defines them, in simpler ones.

    ONNX defines some operators by functions; so a layer normalisation becomes means and products.
    """
    from onnx import defs
    from onnx.inliner import inline_selected_functions

    unknown = {node.op_type for node in _all(model.graph.node) if not node.domain} - {*known}
    if not any(_is_function(defs, operator) for operator in unknown):
        return model
    return inline_selected_functions(
        _typed(model), [("", name) for name in known], exclude=True, inline_schema_functions=True
    )


def _typed(model: ModelProto) -> ModelProto:
    """The model with the types of all values, by which ONNX chooses among functions."""
    from onnx.helper import make_tensor_value_info
    from onnx.shape_inference import infer_shapes

    known = {value.name for value in (*model.graph.input, *model.graph.value_info)}
    typed = type(model)()
    typed.CopyFrom(model)
    typed.graph.value_info.extend(
        make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        for tensor in model.graph.initializer
        if tensor.name not in known
    )
    return infer_shapes(typed)


def _is_function(defs: ModuleType, operator: str) -> bool:
    if not defs.has(operator, ""):
        return False
    schema = defs.get_schema(operator)
    return bool(schema.has_function or schema.has_context_dependent_function)
