"""A model as a wheel: libraries for several processor classes, and the Python that calls them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import keyword
import platform
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from netgen import __version__
from netgen.compiler import lower, several_targets, with_input_type
from netgen.emission.environment import render
from netgen.emission.header import ERRORS, title_of
from netgen.emission.interface import model_bytes
from netgen.emission.options import EmitOptions, prefix_of
from netgen.emission.source import emit_files
from netgen.errors import BuildError, UsageError
from netgen.export.sbom import FILE as SBOM
from netgen.export.sbom import sbom
from netgen.export.shared_library import linked_library
from netgen.export.wheel.elf import platform_tag
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin
from netgen.kernels.targets import Target
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import Plan
from netgen.runtime.build_image import ports
from netgen.runtime.cpu import machine
from netgen.runtime.top import read_labels

# By which a wheel runs on every processor of its architecture that is in use, and fast on new ones.
_TARGETS = {
    "x86_64": ("x86-64-v4", "x86-64-v3", "x86-64-v2"),
    "aarch64": ("aarch64-dotprod", "aarch64"),
}
_NUMPY = "numpy>=1.21"
_PYTHON = ">=3.10"
_DAY = (1980, 1, 1, 0, 0, 0)  # of every file: equal models are equal wheels


def default_targets() -> tuple[str, ...]:
    """The targets of a wheel where nobody names any."""
    return _TARGETS.get(machine(), ("generic",))


def wheel_file(
    graph: Graph,
    name: str,
    version: str,
    targets: Sequence[str],
    planning: PlanOptions,
    labels: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[str, bytes]:
    """The name and the content of a wheel of the package NAME.

    `labels` is a file with one label per line. Raises UsageError for names and versions that a
    package cannot have, InputError for labels, BuildError without a compiler or on another system
    than Linux.
    """
    _require_names(name, version)
    _require_plain(planning)
    if platform.system() != "Linux":
        raise BuildError(
            f"wheels are written on Linux, and this is {platform.system()}",
            hint="export --as make takes the C to other systems",
        )
    graph = with_input_type(graph, planning)
    origin = graph.origin or Origin(graph.name)
    names = [] if labels is None else read_labels(labels, graph[graph.outputs[0]].type.elements)
    found, libraries, plan = several_targets(targets), {}, None
    described = []
    for target in found:
        progress(f"compiling for {target.name}")
        lowered = lower(graph, target, planning)
        plan = lowered.plan
        options = EmitOptions(name, name, "incbin", "netgen export --as wheel")
        files = emit_files(plan, origin, lowered.packed, options)
        file = f"{target.name}.so"
        libraries[file] = linked_library(files, name, target, threaded=False)
        described.append(_described(plan, target, file))
    assert plan is not None
    facts = _facts(name, plan, origin, names, described)
    tag = f"py3-none-{platform_tag(libraries.values(), machine())}"
    package = {
        f"{name}/__init__.py": _init(name, version, plan, origin),
        f"{name}/_model.py": (Path(__file__).parent / "model.py").read_bytes(),
        f"{name}/model.json": (json.dumps(facts, indent=1) + "\n").encode(),
        f"{name}/py.typed": b"",
        **{f"{name}/{file}": content for file, content in libraries.items()},
    }
    info = _info(name, version, tag, origin)
    return f"{name}-{version}-{tag}.whl", _zipped(package | info, f"{name}-{version}.dist-info")


def _require_names(name: str, version: str) -> None:
    prefix_of(name)
    if name != name.lower() or keyword.iskeyword(name) or "__" in name or name.endswith("_"):
        raise UsageError(
            f"'{name}' cannot name a Python package",
            expected="lower-case letters, digits and single underscores between them",
            hint="choose another --name",
        )
    if name in sys.stdlib_module_names or name in {"numpy", "netgen"}:
        raise UsageError(f"a package '{name}' would hide another one", hint="choose another --name")
    if not all(part.isdecimal() for part in version.split(".")):
        raise UsageError(
            f"'{version}' is no version",
            expected="numbers with dots between them",
            hint="write it like --package-version 1.2.0",
        )


def _require_plain(planning: PlanOptions) -> None:
    if planning.threads > 1 or planning.input != "caller" or isinstance(planning.ram, tuple):
        raise UsageError(
            "a wheel takes whole images, with one thread and one arena",
            hint="leave out --input, --threads and --ram fast=...,slow=...",
        )


def _described(plan: Plan, target: Target, file: str) -> dict[str, Any]:
    """A library: for whom it is, and the memory that it takes."""
    return {
        "file": file,
        "target": target.name,
        "cpu_features": target.cpu_features,
        "arena_bytes": plan.certificate.arena_bytes,
        "arena_alignment": plan.alignment,
        "model_bytes": model_bytes(plan),
    }


def _facts(
    name: str,
    plan: Plan,
    origin: Origin,
    labels: Sequence[str],
    libraries: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The content of `model.json`."""
    return {
        "name": name,
        "prefix": name,
        "machine": machine(),
        "inputs": [asdict(port) for port in ports(plan, plan.inputs)],
        "outputs": [asdict(port) for port in ports(plan, plan.outputs)],
        "normalisation": origin.normalisation and asdict(origin.normalisation),
        "labels": list(labels),
        "stateful": plan.state_bytes > 0,
        "errors": {str(error.code): error.name for error in ERRORS},
        "libraries": list(libraries),
    }


def _init(name: str, version: str, plan: Plan, origin: Origin) -> bytes:
    takes = [f"{p.dtype} {p.shape} or a batch" for p in ports(plan, plan.inputs)]
    text = render(
        "wheel/init.py.j2",
        title=title_of(origin),
        version=__version__,
        name=name,
        package_version=version,
        takes=", and ".join(takes),
    )
    return text.encode()


def _info(name: str, version: str, tag: str, origin: Origin) -> dict[str, bytes]:
    """The files of the folder of metadata, but for RECORD."""
    folder = f"{name}-{version}.dist-info"
    licence = origin.weights_licence or "not stated in their file"
    if origin.weights_sha256 is None:
        licence = "none needed, they are seeded numbers"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {name.replace('_', '-')}",
        f"Version: {version}",
        f"Summary: {title_of(origin)}, compiled by netgen {__version__}",
        f"License: code 0BSD; weights: {' '.join(licence.split())}",
        f"Requires-Python: {_PYTHON}",
        f"Requires-Dist: {_NUMPY}",
    ]
    wheel = [
        "Wheel-Version: 1.0",
        f"Generator: netgen {__version__}",
        "Root-Is-Purelib: false",
        f"Tag: {tag}",
    ]
    return {
        f"{folder}/METADATA": ("\n".join(metadata) + "\n").encode(),
        f"{folder}/WHEEL": ("\n".join(wheel) + "\n").encode(),
        f"{folder}/licenses/LICENSE": render("bundles/LICENSE.j2").encode(),
        f"{folder}/sboms/{SBOM}": sbom(name, version, origin, ["numpy"]),
    }


def _zipped(files: Mapping[str, bytes], info: str) -> bytes:
    """The files and their RECORD, as an archive whose bytes depend on nothing else."""
    rows = [f"{path},sha256={_hash(content)},{len(content)}" for path, content in files.items()]
    record = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in {**files, f"{info}/RECORD": record}.items():
            entry = zipfile.ZipInfo(path, _DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return written.getvalue()


def _hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
