"""Split and match text."""
