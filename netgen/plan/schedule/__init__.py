"""Graph -> schedule: which kernel computes what, in which order, in which places of a pixel."""
