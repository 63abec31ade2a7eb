"""Understand what is asked."""
