"""Timing against other runtimes: one process each, on one core, in interleaved rounds."""
