"""A run folder in, a page out."""
