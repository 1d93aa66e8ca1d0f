"""The kernel that computes a node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from netgen.errors import PlanError
from netgen.ir.graph import Graph, Node
from netgen.kernels import select_kernel
from netgen.kernels.compressed import PLAIN_WEIGHTS
from netgen.kernels.layer import Kernel, Layer
from netgen.kernels.targets import Target


@dataclass(frozen=True)
class Call:
    """A step before buffers have offsets and kernels are specialised."""

    node: Node
    layer: Layer
    kernel: Kernel
    reads: Mapping[str, str]
    constants: Mapping[str, str]

    @property
    def scratch(self) -> str:
        """The name of the buffer that the call has for itself, where it needs one.

        No value has such a name.
        """
        return f"{self.node.name}:scratch"


def find_call(
    graph: Graph,
    node: Node,
    target: Target,
    *,
    winograd: bool = True,
    small: bool = False,
    weights: str = PLAIN_WEIGHTS,
) -> Call:
    """The kernel for a node, its operands by letter. Raises PlanError where none fits.

    `weights` is the element type in which weights of floats are to be stored.
    """
    letters = dict(zip(node.op.letters(len(node.operands)), node.operands, strict=False))
    types = {letter: graph[name].type for letter, name in letters.items()}
    constant = frozenset(letter for letter, name in letters.items() if graph.is_const(name))
    layer = Layer(node.op, types, node.type, constant, weights=weights)
    kernel = select_kernel(layer, target, winograd=winograd, small=small)
    if weights not in kernel.widens:
        layer = replace(layer, weights=PLAIN_WEIGHTS)
    if unpacked := sorted(constant - set(kernel.constants)):
        raise PlanError(
            f"the operand {unpacked[0]} of {node.op.operator_name} is a constant",
            where=f"%{node.name}",
            expected="an activation",
            hint="compute this value before and declare the result as a constant",
        )
    constants = {a: name for a, name in letters.items() if a in kernel.constants}
    reads = {a: name for a, name in letters.items() if a not in kernel.constants}
    return Call(node, layer, kernel, reads, constants)
