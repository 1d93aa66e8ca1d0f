"""Kernels of codes of one byte, signed and unsigned."""
