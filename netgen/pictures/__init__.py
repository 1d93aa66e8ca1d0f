"""Pictures as SVG: shapes and colours, and the map of the memory."""
