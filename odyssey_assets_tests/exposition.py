"""What `odyssey metrics` exposes of a home in which nothing has happened: every name, no value."""

from pathlib import Path

from odyssey_assets.backtesting.tables import TABLES as BACKTESTING_TABLES
from odyssey_assets.forecasting.tables import TABLES as FORECASTING_TABLES
from odyssey_assets.market_data.tables import TABLES as MARKET_DATA_TABLES
from odyssey_assets.metrics import serve_home
from odyssey_assets.monitoring.ledgers import TABLES as LEDGERS
from odyssey_assets.monitoring.tables import TABLES as MONITORING_TABLES
from odyssey_assets.portfolio.tables import TABLES as PORTFOLIO_TABLES
from odyssey_assets_tests.contract_rows import Rows, store
from odyssey_assets_tests.samples import fetch_text

EMPTY: Rows = {
    contract: []
    for contract in (
        *MARKET_DATA_TABLES, *FORECASTING_TABLES, *PORTFOLIO_TABLES, *BACKTESTING_TABLES,
        *MONITORING_TABLES, *LEDGERS,
    )
}  # fmt: skip


def empty_exposition(root: Path) -> str:
    """Return the text that a scrape of an empty publication gets, in a new home."""
    store(root, EMPTY).publish()
    with serve_home(root, "127.0.0.1", 0) as port:
        return fetch_text(port)
