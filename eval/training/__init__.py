"""Fit the weights in the package, and measure checks on text with planted errors."""
