"""Metrics as tests read them: by name, then by labels written `one=a,two=b` in order of name."""

import urllib.request
from collections.abc import Iterable, Mapping

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

Samples = Mapping[str, Mapping[str, float]]


def samples_of(families: Iterable[Metric]) -> Samples:
    """Return the values of each metric; one without values is there, and empty."""
    found: dict[str, dict[str, float]] = {}
    for family in families:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        values = found.setdefault(name, {})
        for sample in family.samples:
            labels = ",".join(f"{label}={value}" for label, value in sorted(sample.labels.items()))
            assert labels not in values, f"{sample.name} has two values for {labels}"
            values[labels] = sample.value
    return found


def fetch_text(port: int) -> str:
    """Return what a server on this machine answers to a scrape."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as response:
        return bytes(response.read()).decode()


def scrape(port: int) -> Samples:
    """Return the samples that a server on this machine answers with."""
    return samples_of(text_string_to_metric_families(fetch_text(port)))
