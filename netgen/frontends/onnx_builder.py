"""The graph under construction: names, nodes, constants, and values brought into NHWC."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_budget import Budget
from netgen.frontends.onnx_tensor_view import (
    Atoms,
    TensorView,
    as_image,
    channels_last,
    grouped,
    merged,
    row_major,
)
from netgen.ir.graph import ConstantArray, Graph, Node
from netgen.ir.operator import Const, Input, Operator, State
from netgen.ir.tensor_type import TensorType
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.channel_shuffle import ChannelShuffle
from netgen.ops.linear import Linear
from netgen.ops.reshape import Reshape
from netgen.ops.transpose import Transpose

# Between channels first and channels last, both ways.
_LAYOUT_CHANGES = ((0, 2, 3, 1), (0, 3, 1, 2))


def netgen_name(name: str) -> str:
    """Turn an ONNX name, which may hold anything, into one of netgen: `/features/0/Conv` too."""
    plain = re.sub(r"[^A-Za-z0-9_.\-]", "_", name.strip("/").replace("/", "."))
    return plain if re.match(r"[A-Za-z0-9_]", plain) else f"value{plain}"


@dataclass(frozen=True)
class Coded:
    """A known array that a file has as codes of the type `element` of NumPy.

    `centred` are the codes less their zero points, as int64; `scales` and `zeros` are one number
    each, or one for each index of an axis.
    """

    element: str
    centred: npt.NDArray[np.int64]
    scales: npt.NDArray[np.float32]
    zeros: npt.NDArray[np.int64]


class Builder:
    """Collects nodes and constants.

    `reserved` are ONNX names that keep their netgen names; constants are taken from `budget`.
    """

    def __init__(self, reserved: Iterable[str], budget: Budget | None = None) -> None:
        self._budget = budget or Budget()
        self.nodes: dict[str, Node] = {}
        self.constants: dict[str, ConstantArray] = {}
        self._reserved = {netgen_name(name): name for name in reserved}
        # One array may be needed in several layouts.
        self._forms: dict[str, list[str]] = {}
        self._stored: dict[tuple[object, ...], str] = {}
        # Names that values get in the end, where they are others.
        self.renames: dict[str, str] = {}
        # Known arrays that are codes in the file, by ONNX name; constants made of them.
        self.coded: dict[str, Coded] = {}
        self.coded_constants: dict[str, Coded] = {}
        # The last number given to a name: the names of any number of nodes may become one.
        self._count: dict[str, int] = {}

    def fresh(self, name: str) -> str:
        """Give a free netgen name for an ONNX name, which gets a suffix if it has to."""
        plain = candidate = netgen_name(name)
        while candidate in self.nodes or self._reserved.get(candidate, name) != name:
            self._count[plain] = self._count.get(plain, 1) + 1
            candidate = f"{plain}_{self._count[plain]}"
        return candidate

    def input(self, name: str, shape: Sequence[int], kind: TensorType | None = None) -> TensorView:
        """Declare an input, stored as the file says: of floats, or of elements of a kind."""
        fresh = self.fresh(name)
        given = TensorType("f32", tuple(shape)) if kind is None else kind.with_shape(tuple(shape))
        self.nodes[fresh] = Node(fresh, Input(), (), given)
        return row_major(fresh, shape)

    def emit(self, op: Operator, operands: Sequence[str], name: str) -> str:
        """Add a value; raises GraphError where the operands do not fit."""
        op.check_count(operands)
        kind = op.result_type([self.nodes[operand].type for operand in operands])
        fresh = self.fresh(name)
        self.nodes[fresh] = Node(fresh, op, tuple(operands), kind)
        return fresh

    def constant(self, name: str, array: npt.NDArray[np.floating]) -> str:
        """Add a constant, or find the equal one of that name.

        Raises WeightsError where it is not finite, GraphError where the budget is spent.
        """
        forms = self._forms.setdefault(name, [])
        self._budget.take(array.size * (1 + len(forms)))
        with np.errstate(over="ignore"):  # what becomes infinite is refused
            content = np.ascontiguousarray(array, np.float32)
        for known in forms:
            if np.array_equal(self.constants[known], content):
                return known
        if not np.isfinite(content).all():
            raise WeightsError(f"the weights {name} are not finite")
        fresh = self.fresh(name)
        kind = TensorType("f32", content.shape)
        self.nodes[fresh] = Node(fresh, Const(fresh), (), kind)
        self.constants[fresh] = content
        if name in self.coded:
            self.coded_constants[fresh] = self.coded[name]
        forms.append(fresh)
        return fresh

    def shape(self, value: str) -> tuple[int, ...]:
        """Shape of a netgen value."""
        return self.nodes[value].type.shape

    def image(self, view: TensorView) -> str:
        """Give a value f32[1,H,W,C] of a tensor [1,C,H,W]; raises GraphError for others."""
        shape = view.shape
        if len(shape) != 4 or shape[0] != 1:
            raise GraphError(
                "a batch of more than one" if len(shape) == 4 else "the tensor is no image",
                expected="[1,C,H,W]",
                found=f"{list(shape)}",
                hint="export the model for one image" if len(shape) == 4 else None,
            )
        _, channels, rows, columns = view.axes
        return self.stored(view, (*rows, *columns, *channels), (1, *shape[2:], shape[1]))

    def natural(self, view: TensorView) -> str:
        """Give the value as netgen keeps it: NHWC for rank 4, the order of ONNX for others."""
        return self.image(view) if len(view.shape) == 4 else self.as_in_file(view)

    def as_in_file(self, view: TensorView) -> str:
        """Give a value that has the shape and order of the ONNX tensor itself."""
        return self.stored(view, view.order, view.shape)

    def view(self, value: str, shape: Sequence[int]) -> TensorView:
        """View a value as `natural` gives it as the ONNX tensor of this shape."""
        return channels_last(value, shape) if len(shape) == 4 else row_major(value, shape)

    def reshaped(self, view: TensorView, shape: Sequence[int]) -> TensorView:
        """View a tensor under another shape, which moves data only where an axis is cut across."""
        if (result := view.reshaped(shape)) is not None:
            return result
        # Stored in the order of the file, the new shape can be taken as it stands.
        return row_major(self.as_in_file(view), shape)

    def with_bias(
        self, view: TensorView, bias: npt.NDArray[np.float64], name: str
    ) -> TensorView | None:
        """Give a linear layer that has none a bias; None where the value is something else.

        The layer without bias is left out in the end, unless something else reads it.
        """
        node = self.nodes[view.value]
        if not isinstance(node.op, Linear) or len(node.operands) > 2 or view.order != view.storage:
            return None
        outputs = node.type.shape[1]
        b = self.constant(f"{name}.b", np.broadcast_to(bias, (outputs,)))
        return replace(view, value=self.emit(node.op, [*node.operands, b], name))

    def affine(
        self,
        view: TensorView,
        scale: npt.NDArray[np.float64],
        shift: npt.NDArray[np.float64],
        name: str,
    ) -> TensorView:
        """Compute x * scale + shift with numbers per channel (axis 1), or one number for all.

        A batch norm of mean 0 and variance 1, which the passes fold into the layer before.
        """
        each = np.broadcast_shapes(scale.shape, shift.shape) != (1,)
        value = self.natural(view) if each else view.value
        result = self.normed(value, scale, shift, name)
        return (
            self.view(result, view.shape) if each else TensorView(result, view.storage, view.axes)
        )

    def normed(
        self,
        value: str,
        scale: npt.NDArray[np.float64],
        shift: npt.NDArray[np.float64],
        name: str,
    ) -> str:
        """A value * scale + shift, by numbers for each index of its last axis, or one for all."""
        channels = self.shape(value)[-1]
        arrays = {"gamma": scale, "beta": shift, "mean": np.zeros(1), "var": np.ones(1)}
        parameters = [
            self.constant(f"{name}.{letter}", np.broadcast_to(array, (channels,)))
            for letter, array in arrays.items()
        ]
        return self.emit(BatchNorm(eps=0.0), [value, *parameters], name)

    def stored(self, view: TensorView, order: Atoms, shape: Sequence[int]) -> str:
        """Give a value of this shape whose elements are in this order; made once, and only if new.

        Raises GraphError for a tensor without axes, which netgen does not have.
        """
        if not shape:
            raise GraphError("a tensor without axes is not supported", found=view.value)
        places = tuple(view.storage.index(atom) for atom in order)
        key = (view.value, tuple(atom.size for atom in view.storage), places, tuple(shape))
        if key not in self._stored:
            self._stored[key] = self._store(view, order, tuple(shape))
        return self._stored[key]

    def _store(self, view: TensorView, order: Atoms, shape: tuple[int, ...]) -> str:
        if view.storage == order:
            return self.reshape(view.value, shape)
        storage, wanted = merged(view.storage, order)
        *_, groups, each = storage
        if wanted == (*storage[:-2], each, groups) and groups.size * each.size == shape[-1]:
            value = self.reshape(view.value, shape)
            return self.emit(ChannelShuffle(groups.size), [value], f"{value}.channel_shuffle")
        name = f"{view.value}.transpose"
        if (axes := self._layout_change(view, order, shape)) is not None:
            return self.emit(Transpose(axes), [view.value], name)
        value = self.reshape(view.value, tuple(atom.size for atom in storage))
        perm = tuple(storage.index(atom) for atom in wanted)
        return self.reshape(self.emit(Transpose(perm), [value], name), shape)

    def reshape(self, value: str, shape: tuple[int, ...]) -> str:
        """A value under another shape, itself if it has that already."""
        if self.shape(value) == shape:
            return value
        return self.emit(Reshape(shape), [value], f"{value}.reshape")

    def _layout_change(
        self, view: TensorView, order: Atoms, shape: tuple[int, ...]
    ) -> tuple[int, ...] | None:
        """Find the one transposition that gives this order and shape, where it is that simple."""
        found = self.shape(view.value)
        groups = grouped(view.storage, found)
        if groups is None or len(found) != 4:
            return None
        for axes in _LAYOUT_CHANGES:
            atoms = tuple(atom for axis in axes for atom in groups[axis])
            if atoms == order and tuple(found[axis] for axis in axes) == shape:
                return axes
        return None

    def graph(
        self,
        name: str,
        outputs: Sequence[tuple[str, TensorView]],
        states: Mapping[str, TensorView] | None = None,
    ) -> Graph:
        """Finish: outputs as the file has them, each under its name in the file if it can be.

        A first or only axis that is no batch of images has one of 1 before it, as `as_image` says.

        `outputs` are ONNX names with their tensors, `states` what each of them becomes. What is not
        needed is left out.
        """
        following = {
            state: self.stored(view, view.order, self.shape(state))
            for state, view in (states or {}).items()
        }
        values = [self.stored(view, view.order, as_image(view.shape)) for _, view in outputs]
        renames = self.renames
        own = {
            value
            for (output, _), value in zip(outputs, values, strict=True)
            if value == netgen_name(output)
        }
        for (output, _), value in zip(outputs, values, strict=True):
            wanted = netgen_name(output)
            if value in renames or value in own or isinstance(self.nodes[value].op, Input | State):
                continue
            if wanted in self.nodes:
                renames[wanted] = self.fresh(f"{wanted}.inner")
            renames[value] = wanted
        nodes = [
            Node(
                renames.get(node.name, node.name),
                node.op,
                tuple(renames.get(operand, operand) for operand in node.operands),
                node.type,
            )
            for node in self.nodes.values()
        ]
        names = [renames.get(value, value) for value in values]
        becomes = {renames.get(a, a): renames.get(b, b) for a, b in following.items()}
        return Graph(netgen_name(name), nodes, names, self.constants, next_values=becomes).rewrite(
            {}
        )
