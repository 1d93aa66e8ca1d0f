"""`.safetensors` -> named arrays.

The library checks the file (sizes, offsets, overlaps) and cuts out the tensors' bytes. It knows
neither the file's order nor bfloat16 in plain numpy, and lets a name occur twice, the last one
winning; so the header is read here as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, deserialize

from netgen.errors import WeightsError
from netgen.weights.elements import ELEMENT_TYPES, decode, is_too_large
from netgen.weights.naming import shown

# The library has no types of its own.
_deserialize: Callable[[bytes], list[tuple[str, dict[str, Any]]]] = deserialize

_METADATA = "__metadata__"


def read_safetensors(
    content: bytes, where: str
) -> tuple[dict[str, npt.NDArray[np.generic]], str | None]:
    """Read a safetensors file; `where` names it in errors.

    Returns the tensors in the header's order, as read-only arrays (`elements` says which types),
    and the licence that the metadata states under `license` or `licence`, if any.

    Raises WeightsError where the file is damaged, or has a tensor of a type that netgen does not
    read.
    """
    try:
        tensors = dict(_deserialize(content))
        header = _read_header(content)
    except (SafetensorError, ValueError) as error:
        raise WeightsError(
            f"the safetensors file is damaged or incomplete: {shown(str(error))}",
            where=where,
            hint="download or save it again",
        ) from error
    metadata = header.pop(_METADATA, None) or {}
    arrays = {}
    for name, entry in header.items():
        kind, shape = entry["dtype"], entry["shape"]
        if kind not in ELEMENT_TYPES or is_too_large(shape):
            raise WeightsError(
                f"tensor {shown(name)} cannot be read",
                where=where,
                expected=f"one of {', '.join(sorted(ELEMENT_TYPES))}, at most 2**31 elements",
                found=f"{kind} {shape}",
                hint="convert it to F32",
            )
        arrays[name] = decode(tensors[name]["data"], kind, "<").reshape(shape)
    return arrays, metadata.get("license") or metadata.get("licence")


def _read_header(content: bytes) -> dict[str, Any]:
    """Parse the JSON header; raises ValueError where a name occurs twice."""
    size = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(content[8 : 8 + size], object_pairs_hook=_unique)
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {shown(twice)} occurs twice")
    return result
