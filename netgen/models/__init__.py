"""The architectures, each readable beside its paper."""

from netgen.models.mobilenet_v1 import mobilenet_v1
from netgen.models.mobilenet_v2 import mobilenet_v2

NETWORKS = {network.name: network for network in (mobilenet_v1, mobilenet_v2)}

__all__ = ["NETWORKS"]
