"""What `odyssey drift` does: one report on demand, from what the home has stored."""

from pathlib import Path

from odyssey_assets.core.windows import parse_window, window_of
from odyssey_assets.errors import SettingsError
from odyssey_assets.infrastructure.home import home_of, load_settings
from odyssey_assets.infrastructure.partitions import last_session
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.drift.on_demand import write_report_of
from odyssey_assets.monitoring.promotion.champions import ChampionBook


def report_drift(ticker: str, window: str | None, home: Path | None) -> Path:
    """Write the drift report of a ticker's window; return its file.

    Args:
        ticker: One of the home's.
        window: First day of the window; None for the one that holds the last session.
        home: The home; None for the one of the settings.

    Raises:
        OdysseyError: No such ticker or window, nothing to judge, or a file cannot be written.
    """
    settings = load_settings(home=home)
    if ticker not in settings.tickers:
        raise SettingsError(f"{ticker} is no ticker of the home: {', '.join(settings.tickers)}.")
    chosen = window_of(last_session(settings)) if window is None else parse_window(window)
    warehouse = Warehouse(home_of(settings), settings.warehouse)
    return write_report_of(ticker, chosen, warehouse, ChampionBook(warehouse), settings)
