"""Plan -> text, through the templates."""
