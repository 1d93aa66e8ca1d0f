"""Timing against other runtimes: one process each, on the same cores, in interleaved rounds."""
