"""Dagster and storage machinery. Knows no domain: contracts and frames come in as arguments."""
