"""The graph IR: types, nodes, graphs, their text form, verifier and interpreter."""
