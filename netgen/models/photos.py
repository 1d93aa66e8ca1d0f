"""Normalisations of pixels that trained networks expect."""

from netgen.ir.normalisation import Normalisation

# torchvision's: (rgb / 255 - mean) / std with the statistics of ImageNet.
IMAGENET = Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))

# TensorFlow's training code: pixels from -1 to 1.
SYMMETRIC = Normalisation(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))

# The statistics of CIFAR-10.
CIFAR = Normalisation(mean=(0.4914, 0.4822, 0.4465), std=(0.2023, 0.1994, 0.2010))
