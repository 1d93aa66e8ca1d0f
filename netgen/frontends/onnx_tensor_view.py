"""ONNX tensors in terms of stored values: the same elements in another order.

A stored value is a row of *atoms*, extents in row-major order; an axis of the ONNX tensor is some
of these atoms. An image is stored as H W C, while ONNX has it as N C H W:

    storage (h, w, c)    axes ((), (c), (h), (w))

Transposing and reshaping an ONNX tensor then moves nothing: atoms change their axes, or split.
Only where an operator needs another order something has to be computed. A channel shuffle is

    Reshape to [1,g,c/g,H,W]    storage (h, w, g, k)    axes ((), (g), (k), (h), (w))
    Transpose (0,2,1,3,4)       storage (h, w, g, k)    axes ((), (k), (g), (h), (w))
    Reshape to [1,c,H,W]        storage (h, w, g, k)    axes ((), (k, g), (h), (w))

and the next convolution, which needs (h, w, k, g), finds that only channels trade places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias


@dataclass(frozen=True, eq=False)
class Atom:
    """An extent of at least 2 that has not been split; two atoms of one size are not equal."""

    size: int


Atoms: TypeAlias = tuple[Atom, ...]


@dataclass(frozen=True)
class TensorView:
    """An ONNX tensor of activations: the netgen value that holds it, and where its axes are there.

    `storage` and the atoms of all `axes` are the same atoms. Axes of extent 1 have none.
    """

    value: str
    storage: Atoms
    axes: tuple[Atoms, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the ONNX tensor."""
        return tuple(prod(atom.size for atom in axis) for axis in self.axes)

    @property
    def order(self) -> Atoms:
        """All atoms in the row-major order of the ONNX tensor."""
        return tuple(atom for axis in self.axes for atom in axis)

    def transposed(self, perm: Sequence[int]) -> TensorView:
        """Axis `k` of the result is axis `perm[k]`."""
        return TensorView(self.value, self.storage, tuple(self.axes[axis] for axis in perm))

    def reshaped(self, shape: Sequence[int]) -> TensorView | None:
        """Give the elements, in row-major order, another shape of as many elements.

        None where an atom would have to be cut across: then the order must be computed first.
        """
        storage = self.storage
        pending = list(self.order)
        axes: list[Atoms] = []
        for extent in shape:
            axis: list[Atom] = []
            missing = extent
            while missing > 1:
                atom = pending.pop(0)
                if atom.size % missing == 0 and atom.size > missing:
                    parts = Atom(missing), Atom(atom.size // missing)
                    storage = _replaced(storage, (atom,), parts)
                    pending.insert(0, parts[1])
                    atom = parts[0]
                if missing % atom.size:
                    return None
                missing //= atom.size
                axis.append(atom)
            axes.append(tuple(axis))
        return TensorView(self.value, storage, tuple(axes))


def row_major(value: str, shape: Sequence[int]) -> TensorView:
    """View a value whose elements are stored in the order of the ONNX tensor's shape."""
    axes = tuple((Atom(extent),) if extent > 1 else () for extent in shape)
    return TensorView(value, tuple(atom for axis in axes for atom in axis), axes)


def as_image(shape: Sequence[int]) -> tuple[int, ...]:
    """Shape of a tensor for the caller of a network, who hands in and gets back one image.

    A first axis of more than 1 is no batch, and an only axis is none. One of 1 then stands before.
    What has no axes is one number.
    """
    if not shape:
        return (1, 1)
    return tuple(shape) if (shape[0] == 1 and len(shape) > 1) else (1, *shape)


def channels_last(value: str, shape: Sequence[int]) -> TensorView:
    """View a value stored as N H W C, given the ONNX tensor's shape [1, C, H, W]."""
    view = row_major(value, shape)
    batch, channels, *pixels = view.axes
    storage = (*batch, *(atom for axis in pixels for atom in axis), *channels)
    return TensorView(value, storage, view.axes)


def merged(storage: Atoms, wanted: Atoms) -> tuple[Atoms, Atoms]:
    """Both orders of the same atoms, with those that stay side by side as one atom."""
    at = 0
    while at + 1 < len(storage):
        first, second = storage[at], storage[at + 1]
        place = wanted.index(first)
        if wanted[place + 1 : place + 2] == (second,):
            both = Atom(first.size * second.size)
            storage = _replaced(storage, (first, second), (both,))
            wanted = _replaced(wanted, (first, second), (both,))
        else:
            at += 1
    return storage, wanted


def grouped(atoms: Atoms, shape: Sequence[int]) -> tuple[Atoms, ...] | None:
    """The atoms of each axis of a shape, in order; None where an atom belongs to two axes."""
    groups = []
    pending = list(atoms)
    for extent in shape:
        group: list[Atom] = []
        while pending and prod(atom.size for atom in group) < extent:
            group.append(pending.pop(0))
        if prod(atom.size for atom in group) != extent:
            return None
        groups.append(tuple(group))
    return tuple(groups)


def alike(a: TensorView, b: TensorView) -> bool:
    """Whether two tensors have one shape and keep their elements in the same order."""
    if len(a.storage) != len(b.storage):
        return False
    twins = dict(zip(a.storage, b.storage, strict=True))
    return all(one.size == other.size for one, other in twins.items()) and b.axes == tuple(
        tuple(twins[atom] for atom in axis) for axis in a.axes
    )


def _replaced(atoms: Atoms, old: Atoms, new: Atoms) -> Atoms:
    """The atoms with neighbours `old` replaced."""
    at = atoms.index(old[0])
    return (*atoms[:at], *new, *atoms[at + len(old) :])
