"""Maintain a library: back it up and restore it, repair its indexes, remove papers and sources."""
