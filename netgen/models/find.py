"""MODEL as the user writes it -> a network."""

from __future__ import annotations

from pathlib import Path

from netgen.dsl.load import load_network
from netgen.dsl.network import Network
from netgen.errors import UsageError
from netgen.models import NETWORKS

# Files that users have of a trained network, and that do not say what it computes, or say it in
# the words of a framework.
CHECKPOINTS = (".pth", ".pt", ".th", ".pt2", ".ckpt", ".safetensors", ".npz", ".h5", ".keras")


def find_network(model: str | Network) -> Network:
    """A network of the list, one of a user's file (`my_net.py:my_network`), or the object itself.

    Raises UsageError for an unknown name, with the names there are.
    """
    if isinstance(model, Network):
        return model
    if model in NETWORKS:
        return NETWORKS[model]
    if ".py" in model:
        return load_network(model)
    if model.endswith(".netgen"):
        raise UsageError(f"'{model}' is compiled already", hint="`netgen run` is what takes it")
    if Path(model).suffix in CHECKPOINTS:
        raise UsageError(
            f"'{model}' has weights, and no network that netgen reads",
            hint="name the network too, as in mobilenet_v2 --weights FILE, or have its framework "
            "export it as .onnx or .tflite",
        )
    raise UsageError(
        f"unknown model '{model}'",
        expected=f"one of {', '.join(NETWORKS)}, a file.py:function, a .ir, .onnx or .tflite file",
        hint="`netgen list` shows the models and their parameters",
    )
