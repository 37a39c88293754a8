"""Measurements: each script prints a ratio against a named baseline, with versions and load."""
