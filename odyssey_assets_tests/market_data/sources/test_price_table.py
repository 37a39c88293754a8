"""Every vendor's columns become the same rows; what cannot be read keeps its reason and content."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.source import RESPONSE_COLUMNS
from odyssey_assets.market_data.sources.file_table import read_table
from odyssey_assets.market_data.sources.price_table import DATE_NAMES, price_rows
from odyssey_assets.market_data.sources.simulated import SimulatedSource
from odyssey_assets.settings import build_settings
from odyssey_assets_tests.market_data.sources.price_files import (
    YAHOO_HEADER,
    alpha_vantage_text,
    yahoo_text,
)

START, END = date(2012, 1, 1), date(2020, 12, 31)


@pytest.fixture(scope="module")
def delivered() -> pd.DataFrame:
    source = SimulatedSource(build_settings(start=START, end=END, tickers="NVDA,SPY"))
    return source.fetch_bars("NVDA", START, END).rows


def read(text: str) -> tuple[pd.DataFrame, bool]:
    table = read_table(text.encode(), "AAA.csv", DATE_NAMES, date(2024, 6, 28), is_parquet=False)
    return price_rows(table)


def test_yahoo_rows_with_actions_are_read_as_delivered(delivered: pd.DataFrame) -> None:
    assert (delivered["split_ratio"] != 1.0).any()
    rows, is_as_traded = read(yahoo_text(delivered, has_actions=True))
    assert is_as_traded
    pd.testing.assert_frame_equal(rows, delivered)


def test_yahoo_rows_without_actions_have_implied_dividends(delivered: pd.DataFrame) -> None:
    rows, is_as_traded = read(yahoo_text(delivered))
    assert not is_as_traded
    assert (rows["split_ratio"] == 1.0).all()
    assert (rows["split_adjustment"] == 1.0).all()
    assert np.allclose(rows["dividend"], delivered["dividend"], atol=1e-4)
    assert ((rows["dividend"] > 0) == (delivered["dividend"] > 0)).all()


@pytest.mark.parametrize("is_numbered", [False, True])
def test_alpha_vantage_rows_are_as_traded(delivered: pd.DataFrame, is_numbered: bool) -> None:
    rows, is_as_traded = read(alpha_vantage_text(delivered, is_numbered))
    assert is_as_traded
    assert (rows["split_adjustment"] == 1.0).all()
    as_traded = np.round(delivered["close"] * delivered["split_adjustment"], 4)
    assert np.array_equal(rows["close"], as_traded)
    assert np.array_equal(rows["split_ratio"], delivered["split_ratio"])
    assert rows["date"].is_monotonic_increasing


def test_prices_without_actions_or_adjusted_closes_are_kept_as_delivered() -> None:
    rows, is_as_traded = read("date,open,high,low,close,volume\n2024-01-02,1,2,0.5,1.5,10\n")
    assert not is_as_traded
    assert np.isnan(rows["adj_close"].iloc[0])
    assert rows[["dividend", "split_ratio", "split_adjustment"]].iloc[0].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("line", "defect"),
    [
        ("2024-01-03,1,2,0.5,abc,1.5,10", "unreadable_number"),
        ("2024-01-03,1,2,0.5,inf,1.5,10", "unreadable_number"),
        ("2024-01-03,1,2,0.5,1.5,1.5,many", "unreadable_number"),
        ("2024-01-03,1,2,0.5,1.5,1.5,", "unreadable_number"),
        ("2024-01-03,1,2,0.5,1.5,1.5,10,11", "unreadable_number"),
        ("2024-01-03,1,NaN,0.5,1.5,1.5,10", "missing_price"),
        ("2024-01-03,null,null,null,null,null,null", "missing_price"),
        ("2024-01-03,1,2,0.5", "missing_price"),
        ("03.01.2024,1,2,0.5,1.5,1.5,10", "unreadable_date"),
        ("2034-01-03,1,2,0.5,1.5,1.5,10", "future_date"),
    ],
)
def test_row_that_cannot_be_read_keeps_defect_and_content(line: str, defect: str) -> None:
    rows, _ = read(
        f"{YAHOO_HEADER}\n2024-01-02,1,2,0.5,1.5,1.5,10\n{line}\n2024-01-04,1,2,0.5,1.6,1.6,10\n"
    )
    bad = rows[rows["defect"].notna()].iloc[0]
    assert bad["defect"] == defect
    assert list(json.loads(bad["content"]).values()) == line.split(",")
    assert bad[["open", "close", "volume", "dividend", "split_ratio"]].isna().all()
    assert rows.loc[rows["defect"].isna(), "close"].tolist() == [1.5, 1.6]
    assert rows.loc[rows["defect"].isna(), "content"].isna().all()


def test_row_half_written_at_the_end_is_a_defect_of_the_day_before() -> None:
    rows, _ = read(f"{YAHOO_HEADER}\n2024-01-02,1,2,0.5,1.5,1.5,10\n2024-0")
    assert rows["defect"].iloc[1] == "unreadable_date"
    assert rows["date"].iloc[1] == pd.Timestamp("2024-01-02")


def test_split_in_a_repeated_or_spoiled_row_counts_once() -> None:
    header = f"{YAHOO_HEADER},Dividends,Stock Splits"
    split = "2024-01-03,1,2,0.5,1.5,1.5,10,0,4"
    tail = "2024-01-04,1,2,0.5,1.5,1.5,10,0,0"
    rows, _ = read(f"{header}\n2024-01-02,1,2,0.5,1.5,1.5,10,,\n{split}\n{split}\n{tail}\n")
    assert rows["split_adjustment"].tolist() == [4.0, 1.0, 1.0, 1.0]
    spoiled = split.replace("0.5", "x")
    rows, _ = read(f"{header}\n2024-01-02,1,2,0.5,1.5,1.5,10,,\n{spoiled}\n{tail}\n")
    assert rows["split_adjustment"].tolist() == [4.0, 1.0, 1.0]
    future = split.replace("2024-01-03", "2034-01-03")
    rows, _ = read(f"{header}\n{tail}\n{future}\n")
    assert rows["split_adjustment"].tolist() == [1.0, 1.0]


def test_header_without_a_price_is_refused_with_what_was_found() -> None:
    with pytest.raises(SourceError, match=r"lacks the columns low, volume; found date, open"):
        read("date,open,high,close\n2024-01-02,1,2,1.5\n")


def test_rows_have_the_columns_and_types_of_a_response(delivered: pd.DataFrame) -> None:
    rows, _ = read(yahoo_text(delivered))
    assert tuple(rows.columns) == RESPONSE_COLUMNS
    assert rows.dtypes.equals(delivered.dtypes)
