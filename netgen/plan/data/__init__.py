"""The plan's data, and what its fields mean: which rows are read, in which order bands run."""
