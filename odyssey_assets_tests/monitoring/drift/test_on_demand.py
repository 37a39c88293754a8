"""A drift report that a person asks for, on a tiny market."""

from pathlib import Path

import pytest

from odyssey_assets.core.windows import parse_window
from odyssey_assets.errors import ReportError
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.monitoring.drift.on_demand import write_report_of
from odyssey_assets.monitoring.promotion.champions import ChampionBook
from odyssey_assets_tests.tiny_market import WINDOWS, tiny_settings, warehouse_of

RUNNING = parse_window(WINDOWS[-1])


def test_report_is_written_though_nothing_drifted_and_the_oldest_goes(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy, drift={"reports_kept": 1})
    warehouse = warehouse_of(settings)
    folder = home_of(settings).reports / "drift"
    for ticker in ("AAPL", "SPY"):
        file = write_report_of(ticker, RUNNING, warehouse, ChampionBook(warehouse), settings)
        assert file.parent == folder / ticker
        title = f"<title>{ticker}: inputs of its model, {WINDOWS[-1]} to "
        assert title in file.read_text()
        assert list(folder.glob("*/*.html")) == [file]


def test_window_without_a_model_is_refused_with_the_reason(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    first = parse_window(WINDOWS[0])
    with pytest.raises(ReportError, match=f"AAPL .* {WINDOWS[0]}: training needs 1 years"):
        write_report_of("AAPL", first, warehouse, ChampionBook(warehouse), settings)


def test_ticker_that_nobody_knows_is_refused(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    with pytest.raises(ReportError, match="no session of it is stored"):
        write_report_of("ZZZ", RUNNING, warehouse, ChampionBook(warehouse), settings)
