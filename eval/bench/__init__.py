"""Measure speed and size, next to other implementations."""
