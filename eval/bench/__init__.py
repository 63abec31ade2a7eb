"""Measure speed, beside other implementations."""
