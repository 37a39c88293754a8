"""One small market for all tests of the SQL models; tests that change it work on a copy."""

import pytest

from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets_tests.dbt_like_sql.market import MarketSize, build_tables
from odyssey_assets_tests.dbt_like_sql.stored import Tables, store_market


@pytest.fixture(scope="session")
def tables() -> Tables:
    """Return the frames of the market's Python tables."""
    return build_tables(MarketSize())


@pytest.fixture(scope="session")
def warehouse(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return a warehouse with the tables and every model; never change it."""
    return store_market(tables, tmp_path_factory.mktemp("home"))
