"""Foreign weight files -> named arrays -> a network's parameters."""
