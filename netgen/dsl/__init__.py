"""The DSL: symbolic tensors, scopes that name them, networks with parameters."""

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, constant, image, scope

__all__ = ["Tensor", "constant", "image", "network", "scope"]
