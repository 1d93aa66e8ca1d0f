"""Tuning files: JSON, one choice per layer, read strictly."""

from __future__ import annotations

import json
from pathlib import Path

from netgen.errors import PlanError
from netgen.kernels.layer import Choice, Json
from netgen.kernels.targets import find_target
from netgen.plan.data.plan import MOST_BYTES
from netgen.plan.data.tuning import Tuning
from netgen.plan.json.strict_json import shown

VERSION = 1
_KEYS = ("version", "netgen", "target", "compiler", "layers")


def tuning_to_json(tuning: Tuning, netgen: str, compiler: str) -> dict[str, Json]:
    """A tuning as JSON can hold it, layers by name; `netgen` and `compiler` are for the reader."""
    layers: dict[str, Json] = {key: {**tuning.choices[key]} for key in sorted(tuning.choices)}
    return {
        "version": VERSION,
        "netgen": netgen,
        "target": tuning.target,
        "compiler": compiler,
        "layers": layers,
    }


def read_tuning(path: Path) -> Tuning:
    """Read a tuning that `netgen tune -o` wrote.

    Layers that a model does not have are no fault: one file may serve several models. Raises
    PlanError for a file that cannot be read, is of another version, or is malformed anywhere, and
    UsageError for a target that netgen does not know.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"the tuning cannot be read: {error.strerror}", where=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise PlanError(f"the tuning is no JSON: {error}", where=str(path)) from error
    if not isinstance(document, dict) or document.keys() != set(_KEYS):
        raise _fault(path, "$", f"an object with the keys {', '.join(_KEYS)}", document)
    if document["version"] != VERSION or type(document["version"]) is not int:
        raise _fault(path, "$.version", str(VERSION), document["version"])
    if not isinstance(document["target"], str):
        raise _fault(path, "$.target", "the name of a target", document["target"])
    find_target(document["target"])
    if not isinstance(document["layers"], dict):
        raise _fault(path, "$.layers", "an object", document["layers"])
    choices = {key: _choice(path, key, found) for key, found in document["layers"].items()}
    return Tuning(document["target"], choices, str(path))


def _choice(path: Path, key: str, found: object) -> Choice:
    """One entry: a few numbers by name."""
    if not isinstance(found, dict) or not found or not all(_fits(n) for n in found.values()):
        expected = f"an object of whole numbers from 0 to {MOST_BYTES}"
        raise _fault(path, f"$.layers.{key}", expected, found)
    return found


def _fits(number: object) -> bool:
    return type(number) is int and 0 <= number <= MOST_BYTES


def _fault(path: Path, where: str, expected: str, found: object) -> PlanError:
    return PlanError(
        "this tuning file is malformed",
        where=f"{path}: {where}",
        expected=expected,
        found=shown(found),
        hint="make it anew: netgen tune MODEL -o FILE",
    )
