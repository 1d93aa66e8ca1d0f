"""The networks whose times are published together: one command measures all of them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from netgen.errors import NetgenNote, UsageError


@dataclass(frozen=True)
class Case:
    """One row: a model and its parameters, as the command line writes them.

    The model of a `published` file is the file's name.
    """

    model: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    published: bool = False

    @property
    def label(self) -> str:
        """The model with its parameters."""
        return " ".join([self.model, *(f"{name}={v}" for name, v in self.parameters.items())])


SUITES: Mapping[str, tuple[Case, ...]] = {
    "fp32": (
        Case("mobilenet_v1"),
        Case("mobilenet_v1", {"alpha": "0.25", "input_size": "96"}),
        Case("mobilenet_v2"),
        Case("mobilenet_v2", {"alpha": "0.35", "input_size": "96"}),
        Case("shufflenet_v1", {"groups": "3"}),
        Case("shufflenet_v2"),
        Case("resnet18"),
        Case("resnet50"),
    ),
    "int8": tuple(
        Case(f"{name}.tflite", published=True)
        for name in (
            "mobilenet_v2_1.0_224_ptq",
            "mobilenet_v1_0.25_128_quant",
            "vww_96_int8",
            "person_detect",
            "pretrainedResnet_quant",
            "kws_ref_model",
        )
    ),
}
# Against whom codes are timed, unless others are asked for: the first has the ratio to itself.
PEERS_OF_CODES = ("tflite", "onnxruntime", "openvino", "tflm")


def find_suite(name: str, models: Path | None = None) -> tuple[Case, ...]:
    """The rows of a table by name; published files are looked up by name below `models`.

    A note names those that are not there. Raises UsageError for an unknown table, where files need
    a folder, or other models none, and where no file is found.
    """
    if name not in SUITES:
        raise UsageError(f"unknown table '{name}'", expected=f"one of {', '.join(SUITES)}")
    cases = SUITES[name]
    if not any(case.published for case in cases):
        if models is not None:
            raise UsageError(f"the table {name} needs no files", hint="leave out --models")
        return cases
    if models is None or not models.is_dir():
        raise UsageError(
            f"the table {name} is of files that others published",
            expected="--models FOLDER, below which they are",
            found="none" if models is None else str(models),
        )
    found = [(case, sorted(models.rglob(case.model))) for case in cases]
    if missing := [case.model for case, files in found if not files]:
        text = f"left out, since they are not below {models}: {', '.join(missing)}"
        warnings.warn(text, NetgenNote, stacklevel=2)
    if len(missing) == len(cases):
        raise UsageError(f"no file of the table {name} is there", where=str(models))
    return tuple(replace(case, model=str(files[0])) for case, files in found if files)
