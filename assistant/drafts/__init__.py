"""Check a draft: read its sentences and citations, and compare them with the papers of the library."""
