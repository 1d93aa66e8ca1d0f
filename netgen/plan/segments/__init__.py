"""Schedule -> segments: runs of calls executed band by band, and the rings that they need."""
