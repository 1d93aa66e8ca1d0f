"""The architectures, each readable beside its paper."""

from netgen.models.ds_cnn import ds_cnn
from netgen.models.mobilenet_v1 import mobilenet_v1
from netgen.models.mobilenet_v2 import mobilenet_v2
from netgen.models.mobilenet_v3 import mobilenet_v3_large, mobilenet_v3_small
from netgen.models.resnet import resnet18, resnet34, resnet50
from netgen.models.resnet_cifar import resnet8, resnet20
from netgen.models.shufflenet_v1 import shufflenet_v1
from netgen.models.shufflenet_v2 import shufflenet_v2
from netgen.models.squeezenet import squeezenet

NETWORKS = {
    network.name: network
    for network in (
        mobilenet_v1,
        mobilenet_v2,
        mobilenet_v3_large,
        mobilenet_v3_small,
        shufflenet_v1,
        shufflenet_v2,
        resnet18,
        resnet34,
        resnet50,
        resnet8,
        resnet20,
        ds_cnn,
        squeezenet,
    )
}

__all__ = ["NETWORKS"]
