"""Frames in yfinance's shapes become the rows they were made from."""

import json
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.sources.simulated import SimulatedSource
from odyssey_assets.market_data.sources.yahoo_frame import bar_rows, series_values
from odyssey_assets.settings import build_settings
from odyssey_assets_tests.market_data.sources.yahoo_frames import download_frame, history_frame

START, END = date(2013, 1, 1), date(2019, 12, 31)


@pytest.fixture(scope="module")
def delivered() -> pd.DataFrame:
    source = SimulatedSource(build_settings(start=START, end=END, tickers="NVDA,SPY"))
    rows = source.fetch_bars("NVDA", START, END).rows
    rows["volume"] = rows["volume"].round()
    return rows


def test_history_gives_the_rows_as_delivered(delivered: pd.DataFrame) -> None:
    assert (delivered["split_ratio"] != 1.0).any()
    pd.testing.assert_frame_equal(bar_rows(history_frame(delivered), "NVDA", END), delivered)


@pytest.mark.parametrize("group_by", ["column", "ticker"])
def test_download_gives_the_rows_as_delivered(
    delivered: pd.DataFrame, group_by: Literal["column", "ticker"]
) -> None:
    frame = download_frame(delivered, "NVDA", group_by)
    pd.testing.assert_frame_equal(bar_rows(frame, "NVDA", END), delivered)
    with pytest.raises(SourceError, match="not SPY"):
        bar_rows(frame, "SPY", END)


def test_bar_of_a_session_that_is_not_over_is_left_out_but_its_split_counts(
    delivered: pd.DataFrame,
) -> None:
    split = delivered["split_ratio"].ne(1.0).idxmax()
    running = delivered.loc[:split]
    last = running["date"].iloc[-2].date()
    rows = bar_rows(history_frame(running), "NVDA", last)
    assert rows["date"].iloc[-1].date() == last
    assert rows["split_adjustment"].iloc[-1] == delivered["split_ratio"].loc[split]


def test_capital_gains_of_a_fund_count_as_dividends(delivered: pd.DataFrame) -> None:
    frame = history_frame(delivered, is_fund=True)
    frame.loc[frame.index[5], "Capital Gains"] = 1.5
    rows = bar_rows(frame, "NVDA", END)
    assert rows["dividend"].iloc[5] == delivered["dividend"].iloc[5] + 1.5


def test_row_without_a_price_is_a_defect_with_its_content(delivered: pd.DataFrame) -> None:
    frame = history_frame(delivered)
    frame.loc[frame.index[3], ["Close", "Adj Close"]] = np.nan
    rows = bar_rows(frame, "NVDA", END)
    assert rows["defect"].tolist().index("missing_price") == 3
    assert rows["defect"].notna().sum() == 1
    content = json.loads(rows["content"].iloc[3])
    assert content["Close"] is None
    assert content["Open"] == delivered["open"].iloc[3]
    assert content["Date"].startswith(str(delivered["date"].iloc[3].date()))
    assert rows[["open", "volume", "split_ratio"]].iloc[3].isna().all()


def test_frame_that_is_empty_or_lacks_a_column_is_refused(delivered: pd.DataFrame) -> None:
    frame = history_frame(delivered)
    with pytest.raises(SourceError, match="no rows for NVDA"):
        bar_rows(frame.iloc[:0], "NVDA", END)
    with pytest.raises(SourceError, match=r"lacks Adj Close; found Open"):
        bar_rows(frame.drop(columns="Adj Close"), "NVDA", END)


def test_series_are_closes_of_sessions_that_are_over(delivered: pd.DataFrame) -> None:
    frame = history_frame(delivered)
    frame.loc[frame.index[2], "Close"] = np.nan
    last = delivered["date"].iloc[9].date()
    values = series_values(frame, "^VIX", last)
    expected = delivered.loc[[0, 1, *range(3, 10)], ["date", "close"]]
    assert np.array_equal(values["value"], expected["close"])
    assert np.array_equal(values["date"], expected["date"])
