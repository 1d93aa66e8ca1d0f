"""Pictures and tables of graphs, plans and results."""
