"""A planned network to a compiled model as data: its C, the library of it, what a caller must know.

It is imported only where something is compiled, since it needs what writes C.
"""

from __future__ import annotations

from collections.abc import Callable

from netgen.emission.header import ERRORS
from netgen.emission.interface import input_as, model_bytes
from netgen.emission.options import EmitOptions
from netgen.emission.source import emit_files
from netgen.ir.normalisation import Normalisation
from netgen.ir.origin import Origin
from netgen.ir.tensor_type import TensorType
from netgen.kernels.targets import find_target
from netgen.pictures.memory_map import memory_map
from netgen.pictures.svg import standalone
from netgen.plan.data.plan import Plan
from netgen.plan.packing import PackedBytes
from netgen.runtime.build import build_library
from netgen.runtime.compilers import find_compiler
from netgen.runtime.model_image import ModelImage, ModelPort


def build_image(
    plan: Plan,
    packed: PackedBytes,
    name: str,
    normalisation: Normalisation | None = None,
    progress: Callable[[str], None] | None = None,
) -> ModelImage:
    """Compile a plan, for whichever processor, into data that holds the packed weights.

    `name` is the network's. Raises BuildError without a compiler, or where it fails.
    """
    target = find_target(plan.target)
    options = EmitOptions("model", "model", "blob", "netgen.compile")
    files = emit_files(plan, Origin(name), packed, options)
    source, header = files["model.c"].decode(), files["model.h"].decode()
    threaded = plan.threads > 1
    library = build_library(
        source, header, "model", target, find_compiler(), progress, threaded=threaded
    )
    return ModelImage(
        shared_object=library.read_bytes(),
        weights=files["model_weights.bin"],
        prefix="model",
        target=plan.target,
        cpu_features=target.cpu_features,
        arena_bytes=plan.certificate.arena_bytes,
        arena_alignment=plan.alignment,
        inputs=ports(plan, plan.inputs),
        outputs=ports(plan, plan.outputs),
        error_names=tuple((error.code, error.name) for error in ERRORS),
        normalisation=normalisation,
        input_as=input_as(plan),
        model_bytes=model_bytes(plan),
        fast_bytes=plan.fast_bytes if plan.slow_bytes else None,
        threads=plan.threads,
        state_bytes=plan.state_bytes,
        steps=tuple(step.name for step in plan.steps),
        memory_map=standalone(memory_map(plan)),
    )


def ports(plan: Plan, values: tuple[str, ...]) -> tuple[ModelPort, ...]:
    """Inputs or outputs of a plan as a caller sees them."""
    return tuple(_port(value, plan.values[value].type) for value in values)


def _port(name: str, kind: TensorType) -> ModelPort:
    codes = kind.quantisation
    scale = codes.scale if codes is not None and isinstance(codes.scale, float) else None
    return ModelPort(name, kind.shape[1:], kind.element.storage.name, scale, kind.zero)
