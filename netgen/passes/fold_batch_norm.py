"""Fold batch norm into the layer before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netgen.errors import WeightsError
from netgen.ir.graph import ConstantArray, Graph, Node
from netgen.ir.operator import Const
from netgen.ir.tensor_type import TensorType
from netgen.ops.batch_norm import BatchNorm


def fold_batch_norm(graph: Graph) -> Graph:
    """Scale the weights and shift the bias, elementwise in float64, rounded to float32 once.

    %c = conv2d(%x, %w, %b)                        %y = conv2d(%x, %y.w, %y.b)
    %y = batch_norm(%c, %g, %t, %m, %v)     ->     y.w = w * g / sqrt(v + eps)
                                                   y.b = (b - m) * g / sqrt(v + eps) + t

    Only where nothing else reads %c, it has neither activation nor residual yet, and all parameters
    are constants. Of several batch norms in a row, all are folded.
    """
    folded = _fold_first_of_each_row(graph)
    while folded is not graph:
        graph, folded = folded, _fold_first_of_each_row(folded)
    return graph


def _fold_first_of_each_row(graph: Graph) -> Graph:
    """Fold every batch norm that stands directly behind a layer; the graph itself if none does."""
    nodes: dict[str, Node] = {}
    constants: dict[str, ConstantArray] = {}
    for norm in graph.activations:
        if not isinstance(norm.op, BatchNorm):
            continue
        layer = graph[norm.operands[0]]
        if graph.sole_user(layer.name) is not norm or not _foldable(graph, layer, norm):
            continue
        w, b = graph.fresh_name(f"{norm.name}.w"), graph.fresh_name(f"{norm.name}.b")
        channels = norm.type.shape[-1]
        nodes[w] = Node(w, Const(w), (), graph[layer.operands[1]].type, norm.source)
        nodes[b] = Node(b, Const(b), (), TensorType("f32", (channels,)), norm.source)
        nodes[norm.name] = replace(layer, name=norm.name, operands=(layer.operands[0], w, b))
        if _has_data(graph, (*layer.operands[1:], *norm.operands[1:])):
            constants[w], constants[b] = _folded(graph, layer, norm, norm.op.eps)
    return graph.rewrite(nodes, constants) if nodes else graph


def _foldable(graph: Graph, layer: Node, norm: Node) -> bool:
    if not layer.op.is_weighted or layer.op.activation != "none":
        return False
    parameters = (*layer.operands[1:], *norm.operands[1:])
    has_residual = len(layer.operands) > 3
    return not has_residual and all(graph.is_const(name) for name in parameters)


def _has_data(graph: Graph, names: tuple[str, ...]) -> bool:
    """Whether weights are loaded; a network's own constants have data from the beginning."""
    keys = {op.data for op in (graph[name].op for name in names) if isinstance(op, Const)}
    return bool(keys & graph.constants.keys())


def _folded(
    graph: Graph, layer: Node, norm: Node, eps: float
) -> tuple[ConstantArray, ConstantArray]:
    """Weights and bias that give the layer and the batch norm in one.

    Raises WeightsError where a variance is not positive, or float32 does not hold the results.
    """
    gamma, beta, mean, var = (graph.constant(name).astype(np.float64) for name in norm.operands[1:])
    if (var + eps <= 0.0).any():
        raise WeightsError(
            "a variance of batch norm is not positive",
            where=f"%{norm.operands[4]}",
            expected="more than -eps in every channel",
            found=str(float(var.min())),
            hint="check the weight file",
        )
    scale = gamma / np.sqrt(var + eps)
    w = graph.constant(layer.operands[1]).astype(np.float64)
    w = w * scale.reshape(-1, *(1,) * (w.ndim - 1))
    has_bias = len(layer.operands) > 2
    b = graph.constant(layer.operands[2]).astype(np.float64) if has_bias else np.zeros_like(mean)
    with np.errstate(over="ignore"):
        folded = w.astype(np.float32), ((b - mean) * scale + beta).astype(np.float32)
    beyond = sum(int(np.count_nonzero(np.isinf(array))) for array in folded)
    if beyond:
        raise WeightsError(
            "the weights do not fit into float32 once this batch norm is folded into them",
            where=f"%{norm.name}",
            found=f"{beyond} values beyond it, the largest scale is {np.abs(scale).max():.3g}",
            hint="check gamma and the variances in the weight file",
        )
    return folded
