"""Graphs for other programs: ONNX files, and ONNX Runtime as an independent judge."""
