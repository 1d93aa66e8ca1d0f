"""Buffers -> offsets: overlaps, placements and their proof."""
