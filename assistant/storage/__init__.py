"""Keep papers, indexes and conversations on disk."""
