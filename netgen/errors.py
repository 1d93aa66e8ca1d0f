"""The errors of netgen: one base class, a few kinds, and how a message is built.

Every error says what is wrong, where, what was expected and found, and what to do about it. The
message is one line, so that a build log shows all of it; only lists that would make it unreadable
follow on lines of their own. The command line prints it without a traceback and exits with the
kind's `exit_code`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class NetgenNote(UserWarning):
    """A remark on no fault: a warning in Python, a note on the command line."""


class NetgenError(Exception):
    """Base of all errors that netgen raises on purpose.

    `what` is the fault itself; `where` a value, layer, file or the user's own line; `expected` and
    `found` are printed together; `hint` is the way out. `summary` is the line that they make,
    `message` that line without the hint, `details` are the lines that follow it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
        details: Sequence[str] = (),
    ) -> None:
        parts = [f"{where}: {what}" if where else what]
        if expected is not None:
            parts.append(f"expected {expected}")
        if found is not None:
            parts.append(f"found {found}")
        self.message, self.hint = ", ".join(parts), hint or ""
        self.summary = f"{self.message}; {hint}" if hint else self.message
        self.details = tuple(details)
        super().__init__("\n".join((self.summary, *self.details)))

    def __reduce__(self) -> tuple[object, ...]:
        """Errors of other processes arrive whole, whatever their own `__init__` asks for."""
        return _unpickled, (type(self), self.args), self.__dict__


def _unpickled(kind: type[NetgenError], args: tuple[object, ...]) -> NetgenError:
    return kind.__new__(kind, *args)


class UsageError(NetgenError):
    """A name, parameter, option or path that cannot be used."""

    exit_code = 2


class GraphError(NetgenError):
    """A network that is not well formed: types, shapes, names, attributes, IR text."""

    exit_code = 3


class ElementError(GraphError):
    """An operand whose element type the operator does not take."""


class WeightsError(NetgenError):
    """A weight file that cannot be read, or does not fit the network."""

    exit_code = 4


class PlanError(NetgenError):
    """A plan that cannot be made, or that the independent checker rejects."""

    exit_code = 5


class BuildError(NetgenError):
    """A C compiler that is missing or fails, or a processor that lacks what a library needs."""

    exit_code = 6


class InputError(NetgenError):
    """An image or array that a model cannot take."""

    exit_code = 7


class VerifyError(NetgenError):
    """A compiled model that does not agree with its reference."""

    exit_code = 8


class BudgetError(NetgenError):
    """A model that takes more memory than its budget."""

    exit_code = 10


# What the optional dependencies of pyproject.toml are made of. A message names the packages, so
# that its command holds whether netgen came from an index or from a folder.
_ONNX = ("onnx", "onnxruntime")
EXTRAS: dict[str, tuple[str, ...]] = {
    "images": ("pillow",),
    "onnx": _ONNX,
    "tflite": ("tflite",),
    "litert": ("tflite", "ai-edge-litert"),
    "tflm": ("tflite", "tflite-micro"),
    "bench": (*_ONNX, "openvino", "ai-edge-litert", "flatbuffers"),
    "bench-torch": (*_ONNX, "torch", "ncnn", "pnnx"),
    "planner": ("ortools",),
}


class MissingExtraError(NetgenError):
    """An optional package that is not installed; the message names the command that installs it.

    `otherwise` is another way out, if there is one.
    """

    exit_code = 9

    def __init__(self, package: str, extra: str, purpose: str, otherwise: str = "") -> None:
        install = f"install it with: pip install {' '.join(EXTRAS[extra])}"
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed",
            hint=f"{install}, or {otherwise}" if otherwise else install,
        )
