"""Seeded weights: what a network computes with when no file is given.

They are meant for tests and timing: every activation keeps a mean square near 1, so that errors of
a kernel stay visible to the last layer. The numbers come from integer hashes of the constants'
names (splitmix64, Steele et al. 2014) and from analytic gains (`spread.py`), never from a random
generator or a matrix product, and are therefore the same on every machine.
"""

from __future__ import annotations

import hashlib
from math import prod, sqrt

import numpy as np
import numpy.typing as npt

from netgen.ir.graph import ConstantArray, Graph
from netgen.ir.magnitude import Seed, Spread
from netgen.ir.operator import Const, State
from netgen.ir.tensor_type import Array, TensorType
from netgen.weights.spread import aim, spread_after

_BIAS_REACH = 0.1


def seeded_weights(graph: Graph) -> dict[str, ConstantArray]:
    """Draw an array for every constant that is read, by the name of its data.

    Constants whose data the network itself gives keep it. Inputs and states are taken to have mean
    square 1.
    """
    spreads = {node.name: Spread() for node in (*graph.inputs, *graph.states)}
    arrays: dict[str, ConstantArray] = dict(graph.constants)
    for node in graph.states:
        if isinstance(node.op, State) and node.op.data and node.op.data not in arrays:
            arrays[node.op.data] = _beginning(node.op.data, node.type)
    for node in graph.activations:
        # What reads constants alone is seeded as if they were of mean square 1.
        given = [spreads[name] for name in node.operands if name in spreads] or [Spread()]
        aimed = aim(graph, node, spreads) if node.op.is_weighted else 1.0
        for name, letter in zip(node.operands, node.op.letters(len(node.operands)), strict=False):
            operand = graph[name]
            if isinstance(operand.op, Const) and operand.op.data not in arrays:
                data = operand.op.data
                seed = node.op.seeds.get(letter) or _seed(
                    letter, operand.type.shape, given[0].square, aimed
                )
                arrays[data] = _draw(data, operand.type.shape, seed, given[0].square)
        spreads[node.name] = spread_after(node.op, given, aimed)
    return arrays


def _beginning(name: str, kind: TensorType) -> ConstantArray:
    """The content of a state before the first run: floats of mean square 1, codes of zero."""
    if not kind.element.is_float:
        return np.full(kind.shape, kind.zero, kind.element.storage)
    return _draw(name, kind.shape, Seed(0.0, sqrt(3.0)), 1.0)


def _seed(letter: str, shape: tuple[int, ...], square: float, aimed: float) -> Seed:
    """Weights, or a bias, given the mean squares of x and that of the result.

    Weights get a variance of `aimed` / (inputs * `square`).
    """
    if letter == "w":
        return Seed(0.0, sqrt(3.0 * aimed / (prod(shape[1:]) * square)))
    return Seed(0.0, _BIAS_REACH * sqrt(aimed))


def _draw(name: str, shape: tuple[int, ...], seed: Seed, square: float) -> ConstantArray:
    """Uniform numbers for one operand, given the mean square of x."""
    reach = seed.reach * sqrt(square) if seed.relative else seed.reach
    return (seed.centre + reach * uniform(name, shape)).astype(np.float32)


def uniform(name: str, shape: tuple[int, ...]) -> Array:
    """Numbers in [-1, 1), uniform, a function of `name` and the position alone."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    counter = np.arange(prod(shape), dtype=np.uint64) + np.uint64(1)
    bits = _splitmix64(np.uint64(seed) + counter * np.uint64(0x9E3779B97F4A7C15))
    # The upper 53 bits are exactly a float64 in [0, 1).
    return ((bits >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0).reshape(shape)


def _splitmix64(z: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
