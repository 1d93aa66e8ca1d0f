"""Kernels that read one element type and write another."""
