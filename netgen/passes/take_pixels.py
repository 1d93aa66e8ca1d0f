"""Let a network take bytes as its image: no pass of `PIPELINE`, but what `input_type` asks for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from netgen.errors import UsageError
from netgen.ir.graph import ConstantArray, Graph, Node
from netgen.ir.normalisation import Normalisation
from netgen.ir.operator import Const, Operator
from netgen.ir.origin import Origin
from netgen.ir.tensor_type import Quantisation, TensorType
from netgen.ops.normalize import Normalize
from netgen.ops.quantize import Quantize
from netgen.ops.transpose import Transpose

# From a code of i8 to that of u8 for the same number.
_SHIFT = 128
_TO_CHANNELS_LAST = (0, 2, 3, 1)


def take_pixels(graph: Graph, normalisation: Normalisation | None = None) -> Graph:
    """The network with inputs of u8: pixels where it took floats, shifted codes where it took i8.

    %x : f32[1,4,4,3] = input     ->     %x : u8[1,4,4,3] = input
                                         %x.normalized : f32[1,4,4,3] = normalize(%x, %x.scale, ...)

    %x : i8[1,4] {scale=S, zero=Z} = input    ->    %x : u8[1,4] {scale=S, zero=Z+128} = input
                                                    %x.shifted : i8[1,4] {...} = quantize(%x) {...}

    Floats are normalised as their origin says, or by the `normalisation` given. Inputs of u8 stay.
    Raises UsageError for others, and where nobody says how floats are normalised.
    """
    if not any(_is_pixels(node.type) for node in graph.inputs):
        normalisation = _settled(graph, normalisation)
    changes = _Changes(graph, normalisation)
    for node in graph.inputs:
        changes.take(node)
    return changes.graph()


def _is_pixels(kind: TensorType) -> bool:
    return kind.dtype == "u8" and kind.quantisation is None


def _settled(graph: Graph, given: Normalisation | None) -> Normalisation | None:
    """The normalisation of floats, None where the network takes codes alone."""
    floats = [node for node in graph.inputs if node.type.element.is_float]
    if not floats:
        if given is not None:
            raise UsageError(
                "this network takes codes, which are not normalised",
                where=", ".join(f"input '{node.name}'" for node in graph.inputs),
                hint="leave out mean and std",
            )
        return None
    found = given or (graph.origin.normalisation if graph.origin else None)
    if found is None:
        raise UsageError(
            "this network does not say how its input is normalised",
            where=f"input '{floats[0].name}'",
            hint="give --mean and --std, in Python mean=(...) and std=(...)",
        )
    return found


@dataclass
class _Changes:
    """The nodes of a network under change; readers of an input read `instead` of it."""

    before: Graph
    normalisation: Normalisation | None
    nodes: dict[str, Node] = field(default_factory=dict)
    instead: dict[str, str] = field(default_factory=dict)
    constants: dict[str, ConstantArray] = field(default_factory=dict)

    def take(self, node: Node) -> None:
        """Make one input u8."""
        kind = node.type
        if kind.dtype == "u8":
            return
        if kind.element.is_float and self.normalisation is not None:
            self._normalise(node, self.normalisation)
        elif (
            kind.dtype == "i8" and kind.quantisation and isinstance(kind.quantisation.scale, float)
        ):
            codes = kind.quantisation
            shifted = Quantisation(codes.scale, codes.zero + _SHIFT)
            self.nodes[node.name] = replace(node, type=TensorType("u8", kind.shape, shifted))
            op = Quantize(kind.quantisation.scale, codes.zero)
            self._follow(node.name, "shifted", op, (), kind)
        else:
            raise UsageError(
                "this input has no form in bytes",
                where=f"input '{node.name}'",
                expected="f32, u8, or i8 of one scale",
                found=str(kind),
            )

    def _normalise(self, node: Node, normalisation: Normalisation) -> None:
        """Read pixels and make floats of them, behind what brings channels to the last axis."""
        mean, std = (np.array(part) for part in (normalisation.mean, normalisation.std))
        image = node
        while image.type.shape[-1:] != mean.shape:
            turned = self.before.sole_user(image.name)
            if turned is None or turned.op != Transpose(_TO_CHANNELS_LAST):
                raise UsageError(
                    "the normalisation is for other channels",
                    where=f"input '{node.name}'",
                    expected=f"(..., {len(mean)})",
                    found=str(node.type),
                )
            image = turned
        pixels = (node, image) if image is not node else (node,)
        for each in pixels:
            self.nodes[each.name] = replace(each, type=TensorType("u8", each.type.shape))
        numbers = {"scale": 1.0 / (255.0 * std), "shift": 0.0 - mean / std}
        constants = tuple(
            self._constant(f"{node.name}.{letter}", values.astype(np.float32))
            for letter, values in numbers.items()
        )
        self._follow(image.name, "normalized", Normalize(), constants, image.type)

    def _constant(self, wanted: str, values: ConstantArray) -> str:
        name = self.before.fresh_name(wanted)
        self.constants[name] = values
        self.nodes[name] = Node(name, Const(name), (), TensorType("f32", values.shape))
        return name

    def _follow(
        self, name: str, ending: str, op: Operator, constants: tuple[str, ...], kind: TensorType
    ) -> None:
        """Compute from a value what all its readers, and outputs that it is, had of it."""
        added = self.before.fresh_name(f"{name}.{ending}")
        self.nodes[added] = Node(added, op, (name, *constants), kind)
        self.instead[name] = added

    def graph(self) -> Graph:
        """The network as it has become."""
        before, instead = self.before, self.instead
        nodes = {node.name: node for node in before.declared}
        nodes = {
            name: replace(node, operands=tuple(instead.get(x, x) for x in node.operands))
            for name, node in nodes.items()
        }
        for name, node in self.nodes.items():
            nodes[name] = replace(node, operands=node.operands)
        origin = before.origin
        if self.constants:
            origin = replace(origin or Origin(before.name), normalisation=self.normalisation)
        return Graph(
            before.name,
            nodes.values(),
            [instead.get(name, name) for name in before.outputs],
            {**before.constants, **self.constants},
            origin,
            {state: instead.get(name, name) for state, name in before.next_values.items()},
        )
