"""A table made with pandas."""
