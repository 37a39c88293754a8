"""Rows are named by what was delivered; failures stay with their ticker."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.ingestion import (
    MacroIngestion,
    ingest_bars,
    ingest_macro,
    with_stored_series,
)
from odyssey_assets.market_data.source import VendorResponse
from odyssey_assets.market_data.tables import MACRO, RAW_BARS

START, END = date(2024, 1, 1), date(2024, 12, 31)
NOW = datetime(2024, 6, 28, 22, tzinfo=UTC)


class FixedSource:
    """Delivers the rows it was given; any other name is unknown."""

    name = "files"
    is_simulated = False

    def __init__(self, rows: Mapping[str, pd.DataFrame]) -> None:
        self.rows = rows

    def fetch_bars(self, ticker: str, start: date, end: date) -> VendorResponse:
        """Return the fixed rows of `ticker`."""
        del start, end
        if ticker not in self.rows:
            raise SourceError(f"No prices of {ticker}.")
        return VendorResponse(ticker, self.rows[ticker], "0" * 64, is_as_traded=True)

    def fetch_macro(self, series: str, start: date, end: date) -> pd.DataFrame:
        """Know no series."""
        raise SourceError(f"No series {series} from {start} to {end}.")

    def problems(self) -> list[str]:
        """Have none."""
        return []


def delivered(count: int = 3) -> pd.DataFrame:
    price = np.arange(count, dtype=np.float64) + 10.0
    rows = pd.DataFrame({"date": pd.date_range("2024-01-02", periods=count, unit="us")})
    for name in ("open", "high", "low", "close", "adj_close", "volume"):
        rows[name] = price
    rows = rows.assign(dividend=0.0, split_ratio=1.0, split_adjustment=1.0)
    for name in ("defect", "content"):
        rows[name] = pd.Series([None] * count, dtype="str")
    return rows


def hashes(rows: pd.DataFrame, ticker: str = "AAA") -> list[str]:
    return (
        ingest_bars(FixedSource({ticker: rows}), [ticker], START, END, NOW)
        .rows["row_sha256"]
        .tolist()
    )


def test_rows_delivered_again_keep_their_names() -> None:
    one = ingest_bars(FixedSource({"AAA": delivered()}), ["AAA"], START, END, NOW).rows
    later = NOW + timedelta(days=1)
    two = ingest_bars(FixedSource({"AAA": delivered(5)}), ["AAA"], START, END, later).rows
    assert one["row_sha256"].tolist() == two["row_sha256"].tolist()[:3]
    assert (two["ingested_at"] > one["ingested_at"].iloc[0]).all()


@pytest.mark.parametrize(
    "name",
    ["open", "high", "low", "close", "adj_close", "volume", "dividend", "split_ratio",
     "split_adjustment"],
)  # fmt: skip
def test_row_whose_number_changes_by_one_bit_gets_another_name(name: str) -> None:
    changed = delivered()
    changed.loc[1, name] = np.nextafter(changed.loc[1, name], 100.0)
    before, after = hashes(delivered()), hashes(changed)
    assert [one == two for one, two in zip(before, after, strict=True)] == [True, False, True]


def test_row_names_depend_on_ticker_date_defect_and_content() -> None:
    moved = delivered().assign(date=delivered()["date"] + pd.Timedelta(days=1))
    spoiled = delivered().assign(
        defect=pd.Series(["missing_price"] * 3, dtype="str"),
        content=pd.Series(["a", "b", "c"], dtype="str"),
    )
    named = [hashes(delivered()), hashes(delivered(), "BBB"), hashes(moved), hashes(spoiled)]
    assert len({name for group in named for name in group}) == 12


def test_nulls_and_zeros_have_one_name_each() -> None:
    one, two = delivered(), delivered()
    one["adj_close"], two["adj_close"] = np.nan, -np.float64("nan")
    one["dividend"], two["dividend"] = 0.0, -0.0
    assert hashes(one) == hashes(two)


def test_row_twice_in_one_response_is_stored_once_and_a_different_one_twice() -> None:
    rows = pd.concat([delivered(), delivered()], ignore_index=True)
    assert len(hashes(rows)) == 3
    rows.loc[3, "close"] = 99.0
    assert len(hashes(rows)) == 4


def test_moment_of_ingestion_is_stored_in_utc() -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    rows = ingest_bars(FixedSource({"AAA": delivered()}), ["AAA"], START, END, tokyo).rows
    assert (rows["ingested_at"] == pd.Timestamp("2024-06-28 22:00")).all()


def test_failures_name_their_tickers_and_only_all_of_them_stop_the_run() -> None:
    source = FixedSource({"AAA": delivered()})
    ingestion = ingest_bars(source, ["BBB", "AAA"], START, END, NOW)
    assert ingestion.failures == {"BBB": "No prices of BBB."}
    assert set(ingestion.rows["ticker"]) == {"AAA"}
    with pytest.raises(SourceError, match=r"none of 2 tickers. First: No prices of BBB"):
        ingest_bars(source, ["BBB", "CCC"], START, END, NOW)


def test_nothing_delivered_is_an_empty_frame_of_the_contract() -> None:
    rows = ingest_bars(FixedSource({"AAA": delivered(0)}), ["AAA"], START, END, NOW).rows
    pd.testing.assert_frame_equal(rows, RAW_BARS.empty())
    macro = ingest_macro(FixedSource({}), ["VIX"], START, END)
    pd.testing.assert_frame_equal(macro.rows, MACRO.empty())
    assert list(macro.failures) == ["VIX"]


def macro_rows(values: Mapping[str, float], *, is_simulated: bool = False) -> pd.DataFrame:
    return MACRO.conform(
        pd.DataFrame({"series": list(values), "value": list(values.values())}).assign(
            date=pd.Timestamp("2024-01-02"), is_simulated=is_simulated
        )
    )


def test_series_that_failed_keeps_its_stored_rows_and_a_delivered_one_is_replaced() -> None:
    ingestion = MacroIngestion(macro_rows({"VIX": 14.0}), {"TNX": "no network"})
    stored = macro_rows({"VIX": 13.0, "TNX": 4.0, "GOLD": 2000.0})
    rows = with_stored_series(ingestion, stored, FixedSource({}))
    assert dict(zip(rows["series"], rows["value"], strict=True)) == {"TNX": 4.0, "VIX": 14.0}


def test_simulated_values_of_a_series_never_stand_in_for_real_ones() -> None:
    ingestion = MacroIngestion(MACRO.empty(), {"VIX": "no network"})
    stored = macro_rows({"VIX": 13.0}, is_simulated=True)
    rows = with_stored_series(ingestion, stored, FixedSource({}))
    pd.testing.assert_frame_equal(rows, MACRO.empty())
