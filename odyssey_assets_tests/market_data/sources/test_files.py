"""The folder source on folders that are whole, spoiled, missing or forbidden, and on real files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.sources.files import FileSource
from odyssey_assets.settings import DEFAULT_MACRO_SERIES, DEFAULT_TICKERS, build_settings
from odyssey_assets_tests.market_data.sources.price_files import YAHOO_HEADER

START, END = date(2008, 1, 1), date(2024, 12, 31)
NOBODY = 65534
TEXT = f"{YAHOO_HEADER}\n2024-01-02,1,2,0.5,1.5,1.5,10\n2024-01-03,1,2,0.5,1.6,1.6,10\n"


def source_of(folder: Path, macro: Path | None = None, tickers: str = "AAA") -> FileSource:
    settings = build_settings(
        source="files", price_dir=folder, macro_dir=macro, tickers=tickers, start=START, end=END
    )
    return FileSource(settings, today=lambda: date(2025, 1, 10))


@contextmanager
def forbidden(path: Path) -> Iterator[None]:
    """Take away every permission; as root, act as nobody, for whom permissions count."""
    mode = path.stat().st_mode
    path.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        path.chmod(mode)


@pytest.mark.parametrize("name", ["AAA.csv", "aaa.csv", "Aaa.CSV"])
def test_file_is_found_whatever_its_case(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(TEXT)
    response = source_of(tmp_path).fetch_bars("AAA", START, END)
    assert response.rows["close"].tolist() == [1.5, 1.6]
    assert response.ticker == "AAA"
    assert len(response.sha256) == 64


def test_unknown_ticker_is_refused_with_the_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"No prices of XYZ.*XYZ\.csv"):
        source_of(tmp_path).fetch_bars("XYZ", START, END)


def test_ticker_with_two_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "AAA.csv").write_text(TEXT)
    (tmp_path / "aaa.parquet").write_bytes(b"")
    with pytest.raises(SourceError, match=r"AAA\.csv, aaa\.parquet for AAA; keep one"):
        source_of(tmp_path).fetch_bars("AAA", START, END)


@pytest.mark.parametrize(("name", "content"), [("AAA.csv", ""), ("AAA.parquet", "PAR1")])
def test_empty_or_half_written_file_is_refused(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceError, match=rf"{name} is .*Fetch it again|fetch it again"):
        source_of(tmp_path).fetch_bars("AAA", START, END)


def test_missing_folder_is_refused_and_is_a_problem(tmp_path: Path) -> None:
    source = source_of(tmp_path / "nowhere", tmp_path)
    with pytest.raises(SourceError, match=r"nowhere cannot be read.*--price-dir"):
        source.fetch_bars("AAA", START, END)
    assert len(source.problems()) == 1


def test_folder_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "AAA.csv").write_text(TEXT)
    source = source_of(tmp_path)
    with forbidden(tmp_path), pytest.raises(SourceError, match="Permission denied"):
        source.fetch_bars("AAA", START, END)


def test_file_without_permission_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "AAA.csv"
    target.write_text(TEXT)
    source = source_of(tmp_path)
    with forbidden(target), pytest.raises(SourceError, match="permissions"):
        source.fetch_bars("AAA", START, END)


def test_macro_series_without_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"--macro-dir or ODYSSEY_MACRO_DIR"):
        source_of(tmp_path).fetch_macro("VIX", START, END)


def test_problems_name_every_ticker_without_a_file(tmp_path: Path) -> None:
    (tmp_path / "AAA.csv").write_text(TEXT)
    problems = source_of(tmp_path, tmp_path, tickers="AAA,BBB,CCC").problems()
    assert [problem.split(":")[0] for problem in problems] == [
        "No prices of BBB",
        "No prices of CCC",
    ]
    assert source_of(tmp_path, tmp_path).problems() == []


def test_row_dated_tomorrow_is_a_defect(tmp_path: Path) -> None:
    (tmp_path / "AAA.csv").write_text(TEXT + "2099-01-03,1,2,0.5,1.6,1.6,10\n")
    settings = build_settings(source="files", price_dir=tmp_path, tickers="AAA", start=START)
    rows = FileSource(settings).fetch_bars("AAA", START, END).rows
    assert rows["defect"].tolist()[2] == "future_date"


@pytest.mark.parametrize("ticker", DEFAULT_TICKERS)
def test_real_yahoo_file_is_read_whole(real_market: Path, ticker: str) -> None:
    path = real_market / "yahoo" / f"{ticker}.csv"
    response = source_of(path.parent).fetch_bars(ticker, START, END)
    oracle = pd.read_csv(path)
    assert len(response.rows) == len(oracle)
    assert response.rows["defect"].isna().all()
    assert not response.is_as_traded
    for name in ("open", "high", "low", "close", "adj_close", "volume"):
        assert np.array_equal(response.rows[name], oracle[name]), name


@pytest.mark.parametrize(
    "ticker", [name for name in DEFAULT_TICKERS if name not in ("TSLA", "META")]
)
def test_real_alpha_vantage_file_is_read_whole(real_market: Path, ticker: str) -> None:
    path = real_market / "alpha_vantage" / f"{ticker}.csv"
    response = source_of(path.parent).fetch_bars(ticker, START, END)
    oracle = pd.read_csv(path).iloc[::-1]
    assert len(response.rows) == len(oracle)
    assert response.rows["defect"].isna().all()
    assert response.is_as_traded
    assert np.array_equal(response.rows["close"], oracle["close"])
    assert np.array_equal(response.rows["split_ratio"], oracle["split_coefficient"])


@pytest.mark.parametrize("ticker", ["SPY", "QQQ", "EFA", "HYG", "IEF"])
def test_real_implied_dividends_agree_with_the_other_vendor(real_market: Path, ticker: str) -> None:
    end = date(2020, 12, 11)
    implied = source_of(real_market / "yahoo").fetch_bars(ticker, START, end).rows
    booked = source_of(real_market / "alpha_vantage").fetch_bars(ticker, START, end).rows
    both = implied.merge(booked, on="date", suffixes=("", "_booked"))
    paid = both[(both["dividend"] > 0) & (both["dividend_booked"] > 0)]
    assert len(paid) >= 0.95 * (both["dividend_booked"] > 0).sum()
    assert (paid["dividend"] / paid["dividend_booked"] - 1).abs().median() < 0.01
    assert both["dividend"].sum() == pytest.approx(both["dividend_booked"].sum(), rel=0.05)


@pytest.mark.parametrize("series", DEFAULT_MACRO_SERIES)
def test_real_macro_file_is_read_whole(real_market: Path, series: str) -> None:
    source = source_of(real_market / "yahoo", real_market / "macro")
    values = source.fetch_macro(series, START, END)
    oracle = pd.read_csv(real_market / "macro" / f"{series}.csv").dropna()
    assert np.array_equal(values["value"], oracle["close"])
    assert values["date"].is_monotonic_increasing
