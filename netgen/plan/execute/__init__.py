"""The plan interpreter: NumPy on one poisoned arena of bytes."""
