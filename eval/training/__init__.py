"""Fit the weights that the package ships, on the dev half of the suites."""
