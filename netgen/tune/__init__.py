"""Measured search: which choices of kernels are faster on this machine than their own."""
