"""Values of many images at once: what the steps of quantisation compute with.

A batch of a value has its shape behind the axis of images. Floats are computed in float64 and kept
in float32, codes are exact. Images are computed one by one, on all cores, in their order: the
number of cores changes no result.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activate
from netgen.ops.conv2d import Conv2d
from netgen.ops.weighted import Weighted


def over_images(compute: Callable[[int], Array], count: int) -> Array:
    """The results of a function of the index of an image, as one batch."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.stack(list(pool.map(compute, range(count))))


def sums(op: Weighted, x: Array, w: Array) -> Array:
    """The sums of products of one image, before bias and activation, in float64."""
    if isinstance(op, Conv2d) and _is_pointwise(op, w):
        flat = x.reshape(-1, x.shape[-1]) @ w.reshape(w.shape[0], -1).T
        return np.asarray(flat.reshape(*x.shape[:-1], w.shape[0]))
    plain = op.with_activation("none")
    assert isinstance(plain, Weighted)
    plain = replace(plain, scale=0.0, zero=0, rounding=Weighted.rounding)
    floats = tuple(TensorType("f32", array.shape) for array in (x, w))
    return plain.reference([x, w], Signature(floats, TensorType("f32", (1,))))


def _is_pointwise(op: Conv2d, w: Array) -> bool:
    """Whether every pixel is multiplied by itself alone."""
    return w.shape[1:3] == (1, 1) and op.stride == (1, 1) and not any(op.pad) and op.groups == 1


def sums_of_floats(graph: Graph, node: Node, x: Array) -> Array:
    """The sums of a layer of floats for a batch, with their bias, before the activation."""
    assert isinstance(node.op, Weighted)
    op, w = node.op, graph.constant(node.operands[1]).astype(np.float64)
    b = graph.constant(node.operands[2]).astype(np.float64) if len(node.operands) > 2 else 0.0
    return over_images(
        lambda n: (sums(op, x[n].astype(np.float64), w) + b).astype(np.float32), len(x)
    )


def applied(node: Node, operands: Sequence[Array], signature: Signature, count: int) -> Array:
    """A node on batches of so many images, as its reference computes.

    Constants have no axis of images; what is made of them alone is computed once.
    """
    kinds, element = signature.operands, signature.result.element
    batched = [array.ndim > len(kind.shape) for array, kind in zip(operands, kinds, strict=True)]

    def one(n: int) -> Array:
        given = [
            (array[n] if several else array).astype(kind.element.working)
            for array, several, kind in zip(operands, batched, kinds, strict=True)
        ]
        return element.store(node.op.reference(given, signature))

    if not any(batched):
        once = one(0)
        return np.broadcast_to(once, (count, *once.shape))
    return over_images(one, count)


def value_of_floats(graph: Graph, node: Node, values: Mapping[str, Array], count: int) -> Array:
    """The batch of a node of floats for so many images, of these batches and constants."""
    if isinstance(node.op, Weighted) and len(node.operands) < 4:
        before = sums_of_floats(graph, node, values[node.operands[0]])
        return activate(node.op.activation or "none", before)
    operands = [graph.constant(n) if graph.is_const(n) else values[n] for n in node.operands]
    return applied(node, operands, graph.signature(node), count)


def last_uses(graph: Graph) -> dict[str, list[str]]:
    """The values that nothing reads after a node, by the name of that node."""
    last: dict[str, str] = {}
    for node in graph.activations:
        last |= dict.fromkeys(node.operands, node.name)
    ended: dict[str, list[str]] = {}
    for name, reader in last.items():
        if not graph.is_const(name):
            ended.setdefault(reader, []).append(name)
    return ended
