"""Wheels of one model: a library for each processor class, and the Python that calls it."""
