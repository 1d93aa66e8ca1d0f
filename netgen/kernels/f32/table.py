"""A constant that is copied into memory: y = w."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import Json, Kernel, Layer, Packed
from netgen.kernels.targets import Target
from netgen.ops.table import Table


class TableF32(Kernel):
    """Any shape."""

    name: ClassVar[str] = "table_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Table,)
    numeric_form: ClassVar[str] = "copy"
    constants: ClassVar[tuple[str, ...]] = ("w",)

    def accepts(self, layer: Layer) -> bool:
        """Every table."""
        return isinstance(layer.op, Table)

    def title(self, layer: Layer) -> str:
        """Number of elements."""
        return f"table_{layer.result.elements}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements."""
        del target
        return {"elements": layer.result.elements}

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """The constant as it stands."""
        del layer, target
        return constants["w"].reshape(-1)

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All of it."""
        del target
        return layer.result.bytes
