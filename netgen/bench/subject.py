"""The network that is timed: a graph, the file that it was read from, its inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

from netgen.bench.worker import Array
from netgen.export.float_twin import float_twin, real_numbers
from netgen.ir.graph import Graph
from netgen.runtime.compare import seeded_inputs

Precision: TypeAlias = Literal["fp32", "int8"]


@dataclass(frozen=True)
class Subject:
    """A network; `file` is the `.tflite` file that it was read from, None if there is none."""

    graph: Graph
    file: Path | None = None

    @cached_property
    def coded(self) -> bool:
        """Whether it computes with codes."""
        return self.graph.first_codes() is not None

    @cached_property
    def floats(self) -> Graph:
        """The same network with floats alone. Raises what `float_twin` raises."""
        return float_twin(self.graph)

    @property
    def precision(self) -> Precision:
        """The kind of its numbers."""
        return "int8" if self.coded else "fp32"

    @cached_property
    def _inputs(self) -> tuple[Array, ...]:
        images = seeded_inputs(self.graph)
        return tuple(images[node.name] for node in self.graph.inputs)

    def inputs(self, precision: Precision) -> tuple[Array, ...]:
        """The same inputs as codes and as the numbers that these stand for."""
        if precision == "int8":
            return self._inputs
        kinds = (node.type for node in self.graph.inputs)
        return tuple(map(real_numbers, self._inputs, kinds))

    def meant(self, outputs: Sequence[Array], precision: Precision) -> tuple[Array, ...]:
        """Outputs by what they stand for; as they are where there are too many or too few."""
        if precision == "fp32" or len(outputs) != len(self.graph.outputs):
            return tuple(outputs)
        kinds = (self.graph[name].type for name in self.graph.outputs)
        return tuple(map(real_numbers, outputs, kinds))
