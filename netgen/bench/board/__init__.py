"""Compiled models on emulated boards: instructions, an estimate of cycles, flash and stack."""
