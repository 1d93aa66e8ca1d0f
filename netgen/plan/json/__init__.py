"""Plans and tunings as JSON: written, and read strictly."""
