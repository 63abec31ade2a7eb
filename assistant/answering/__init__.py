"""Decide whether the library answers, and which of its sentences do."""
