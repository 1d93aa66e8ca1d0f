"""The origin of a graph: printed in the header of the generated C, kept with compiled models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from netgen.errors import GraphError
from netgen.ir.normalisation import Normalisation


@dataclass(frozen=True)
class Origin:
    """Network and parameters, the weights' hash and licence, what the weights expect of pixels.

    `weights_sha256` is None for seeded weights. `model` is the name to give on the command line,
    `by_position` whether the weights were taken in their order.
    """

    model: str
    parameters: Mapping[str, int | float | str | bool] = field(default_factory=dict)
    weights_file: str | None = None
    weights_sha256: str | None = None
    weights_licence: str | None = None
    normalisation: Normalisation | None = None
    by_position: bool = False


def origin_to_json(origin: Origin) -> str:
    """One line of JSON, the same for equal origins."""
    return json.dumps({**asdict(origin), "parameters": dict(origin.parameters)}, sort_keys=True)


def origin_from_json(text: str, where: str) -> Origin:
    """Read what `origin_to_json` wrote; raises GraphError otherwise."""
    try:
        fields = json.loads(text)
        pixels = fields.pop("normalisation")
        if pixels is not None:
            pixels = Normalisation(tuple(pixels["mean"]), tuple(pixels["std"]))
        return Origin(**fields, normalisation=pixels)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise GraphError("the origin of the graph is malformed", where=where) from error
