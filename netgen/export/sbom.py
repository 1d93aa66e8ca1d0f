"""A bill of materials of an export, as CycloneDX 1.6 in JSON: its parts and their licences.

No date, no random number: equal exports have equal bills. Fields are those of
https://cyclonedx.org/docs/1.6/json/.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from netgen import __version__
from netgen.ir.origin import Origin

FILE = "sbom.cdx.json"


def sbom(name: str, version: str, origin: Origin, needs: Sequence[str] = ()) -> bytes:
    """The bill of a model that is exported under a name.

    The generated code is 0BSD. The weights have the licence that their file states, if it does.
    `needs` are packages of PyPI that the export loads.
    """
    code = _component("library", f"{name}-code", __version__, "C that netgen generated", "0BSD")
    parts = [code, _weights(name, origin)]
    loaded = [
        {
            "type": "library",
            "bom-ref": package,
            "name": package,
            "purl": f"pkg:pypi/{package}",
            "scope": "required",
        }
        for package in needs
    ]
    tool = _component("application", "netgen", __version__, "the compiler of the model", "MIT")
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "machine-learning-model",
                "bom-ref": name,
                "name": name,
                "version": version,
                "description": _description(origin),
            },
            "tools": {"components": [tool]},
        },
        "components": parts + loaded,
        "dependencies": [
            {"ref": name, "dependsOn": [part["bom-ref"] for part in (*parts, *loaded)]}
        ],
    }
    return (json.dumps(bill, indent=2) + "\n").encode()


def _component(
    kind: str, name: str, version: str, description: str, licence: str
) -> dict[str, Any]:
    return {
        "type": kind,
        "bom-ref": name,
        "name": name,
        "version": version,
        "description": description,
        "licenses": [{"license": {"id": licence}}],
    }


def _weights(name: str, origin: Origin) -> dict[str, Any]:
    """The weights: which file, its hash, the licence that it states."""
    found: dict[str, Any] = {"type": "data", "bom-ref": f"{name}-weights", "name": "weights"}
    if origin.weights_sha256 is None:
        found["description"] = "seeded numbers for tests and timing, not trained ones"
        found["licenses"] = [{"license": {"id": "0BSD"}}]
        return found
    found["name"] = origin.weights_file or "weights"
    found["hashes"] = [{"alg": "SHA-256", "content": origin.weights_sha256}]
    if origin.weights_licence is None:
        found["description"] = "trained weights; their file states no licence"
    else:
        found["licenses"] = [{"license": {"name": origin.weights_licence}}]
    return found


def _description(origin: Origin) -> str:
    given = ", ".join(f"{name}={value}" for name, value in origin.parameters.items())
    return f"{origin.model}({given})" if given else origin.model
