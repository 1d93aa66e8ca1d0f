"""Kernels of float32, one a file."""
