"""Post-training quantisation: a graph of floats and images -> a graph of codes and a report."""
