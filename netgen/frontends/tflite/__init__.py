"""TensorFlow Lite's files -> graphs with their weights."""
