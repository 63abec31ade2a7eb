"""Check statements against the abstracts that they cite."""
