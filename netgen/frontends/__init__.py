"""Foreign models -> graphs."""
