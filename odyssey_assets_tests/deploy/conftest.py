"""What the deployed files are held against: the names that `odyssey metrics` really exposes."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from odyssey_assets_tests.exposition import empty_exposition
from odyssey_assets_tests.samples import Samples, samples_of


@pytest.fixture(scope="session")
def exposition(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the text of a scrape: every metric, no values."""
    return empty_exposition(tmp_path_factory.mktemp("exposition") / "home")


@pytest.fixture(scope="session")
def exposed(exposition: str) -> Samples:
    """Return what is in it."""
    return samples_of(text_string_to_metric_families(exposition))
