"""Every source of the catalog keeps the interface, on one market that all of them deliver."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.errors import SettingsError, SourceError
from odyssey_assets.market_data.catalog import SOURCES, build_source
from odyssey_assets.market_data.ingestion import ingest_bars, ingest_macro
from odyssey_assets.market_data.source import RESPONSE_COLUMNS, PriceSource
from odyssey_assets.market_data.sources.simulated import SimulatedSource
from odyssey_assets.market_data.sources.yfinance import MACRO_SYMBOLS, YFinanceSource
from odyssey_assets.market_data.tables import MACRO, RAW_BARS
from odyssey_assets.settings import Settings, SourceName, build_settings
from odyssey_assets.settings_sections import YFinanceSettings
from odyssey_assets_tests.market_data.sources.price_files import yahoo_text
from odyssey_assets_tests.market_data.sources.yahoo_frames import history_frame

START, END = date(2012, 1, 1), date(2019, 12, 31)
NOW = datetime(2020, 1, 2, 3, tzinfo=UTC)
TICKERS = ("NVDA", "META", "SPY", "BIL")
SERIES = ("VIX", "TNX")


def market_settings() -> Settings:
    return build_settings(start=START, end=END, tickers=TICKERS, macro_series=SERIES)


def simulated(_: Path) -> PriceSource:
    return build_source(market_settings())


def files(folder: Path) -> PriceSource:
    market = SimulatedSource(market_settings())
    for ticker in TICKERS:
        rows = market.fetch_bars(ticker, START, END).rows
        (folder / f"{ticker}.csv").write_text(yahoo_text(rows, has_actions=True))
    (folder / "macro").mkdir()
    for series in SERIES:
        market.fetch_macro(series, START, END).to_csv(folder / "macro" / f"{series}.csv")
    settings = {"source": "files", "price_dir": folder, "macro_dir": folder / "macro"}
    return build_source(build_settings(**settings, tickers=TICKERS, start=START, end=END))


def yahoo(_: Path) -> PriceSource:
    market = SimulatedSource(market_settings())
    series_of = {symbol: series for series, symbol in MACRO_SYMBOLS.items()}

    def download(symbol: str, start: date, timeout_s: float) -> pd.DataFrame:
        del timeout_s
        if symbol in TICKERS:
            return history_frame(market.fetch_bars(symbol, start, END).rows)
        if symbol not in series_of:
            return pd.DataFrame()
        values = market.fetch_macro(series_of[symbol], start, END)
        closes = values.set_index("date")["value"].rename("Close")
        return closes.to_frame().tz_localize("America/New_York")

    return YFinanceSource(YFinanceSettings(), download, lambda _: None, lambda: NOW)


MAKERS: dict[str, Callable[[Path], PriceSource]] = {
    "simulated": simulated,
    "files": files,
    "yfinance": yahoo,
}


@pytest.fixture(scope="module", params=[entry.name for entry in SOURCES])
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PriceSource:
    return MAKERS[request.param](tmp_path_factory.mktemp(request.param))


def test_catalog_holds_exactly_the_sources_that_settings_may_name() -> None:
    assert tuple(entry.name for entry in SOURCES) == get_args(SourceName)
    assert all(entry.description.endswith(".") for entry in SOURCES)


@pytest.mark.parametrize("entry", SOURCES, ids=lambda entry: entry.name)
def test_entry_builds_the_source_of_its_name(tmp_path: Path, entry: object) -> None:
    name = getattr(entry, "name", "")
    settings = build_settings(source=name, price_dir=tmp_path)
    source = build_source(settings)
    assert source.name == name
    assert source.is_simulated == (name == "simulated")


def test_source_of_an_unknown_name_is_refused() -> None:
    settings = build_settings().model_copy(update={"source": "bloomberg"})
    with pytest.raises(SettingsError, match=r"No source is called 'bloomberg'.*simulated"):
        build_source(settings)


@pytest.mark.parametrize("ticker", TICKERS)
def test_response_keeps_columns_types_order_and_bounds(source: PriceSource, ticker: str) -> None:
    first, last = date(2013, 2, 1), date(2014, 3, 31)
    response = source.fetch_bars(ticker, first, last)
    rows = response.rows
    assert response.ticker == ticker
    assert tuple(rows.columns) == RESPONSE_COLUMNS
    assert len(response.sha256) == 64
    assert rows["date"].is_monotonic_increasing
    assert rows["date"].between(pd.Timestamp(first), pd.Timestamp(last)).all()
    assert len(rows) == 292
    for column in RAW_BARS.columns:
        if column.name in RESPONSE_COLUMNS:
            assert rows[column.name].dtype == column.dtype, column.name
    assert rows["split_adjustment"].gt(0).all()


@pytest.mark.parametrize("ticker", TICKERS)
def test_response_of_a_part_equals_that_part_of_the_whole(source: PriceSource, ticker: str) -> None:
    first, last = date(2013, 2, 1), date(2014, 3, 31)
    whole = source.fetch_bars(ticker, START, END).rows
    inside = whole["date"].between(pd.Timestamp(first), pd.Timestamp(last))
    part = source.fetch_bars(ticker, first, last).rows
    pd.testing.assert_frame_equal(part, whole[inside].reset_index(drop=True))


def test_response_times_split_adjustment_is_the_same_as_traded_market(source: PriceSource) -> None:
    reference = SimulatedSource(market_settings()).fetch_bars("NVDA", START, END).rows
    response = source.fetch_bars("NVDA", START, END)
    assert response.is_as_traded
    assert (reference["split_ratio"] != 1.0).any()
    for rows in (reference, response.rows):
        rows["as_traded"] = np.round(rows["close"] * rows["split_adjustment"], 4)
    assert np.array_equal(response.rows["as_traded"], reference["as_traded"])


def test_response_before_a_listing_is_empty_and_keeps_its_columns(source: PriceSource) -> None:
    rows = source.fetch_bars("META", START, date(2012, 5, 17)).rows
    assert rows.empty
    assert tuple(rows.columns) == RESPONSE_COLUMNS


def test_unknown_ticker_and_series_are_refused(source: PriceSource) -> None:
    with pytest.raises(SourceError, match="XYZ"):
        source.fetch_bars("XYZ", START, END)
    with pytest.raises(SourceError, match="CPI"):
        source.fetch_macro("CPI", START, END)


def test_macro_values_have_dates_in_order_and_no_nulls(source: PriceSource) -> None:
    values = source.fetch_macro("VIX", date(2013, 1, 1), date(2013, 12, 31))
    assert values.columns.tolist() == ["date", "value"]
    assert values["date"].dtype == "datetime64[us]"
    assert values["date"].is_monotonic_increasing
    assert values["value"].notna().all()
    assert len(values) == 252


def test_ingestion_conforms_and_one_unknown_ticker_stops_no_other(source: PriceSource) -> None:
    ingestion = ingest_bars(source, ["NVDA", "XYZ", "META"], START, END, NOW)
    assert list(ingestion.failures) == ["XYZ"]
    pd.testing.assert_frame_equal(RAW_BARS.conform(ingestion.rows), ingestion.rows)
    assert set(ingestion.rows["ticker"]) == {"NVDA", "META"}
    macro = ingest_macro(source, [*SERIES, "CPI"], START, END)
    assert list(macro.failures) == ["CPI"]
    pd.testing.assert_frame_equal(MACRO.conform(macro.rows), macro.rows)
