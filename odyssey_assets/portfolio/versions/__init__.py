"""Versions of the learned policy that challenge the one that serves."""
