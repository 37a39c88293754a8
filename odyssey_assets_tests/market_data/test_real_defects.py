"""Two vendors' real downloads: every known defect is caught, and nothing honest is thrown out."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.market_data.cleaning import CleanedBars, clean_bars
from odyssey_assets.market_data.ingestion import ingest_bars
from odyssey_assets.market_data.sources.files import FileSource
from odyssey_assets.settings import DEFAULT_TICKERS, build_settings
from odyssey_assets.settings_sections import CleaningSettings

START = date(2008, 1, 1)
NOW = datetime(2025, 1, 2, tzinfo=UTC)
LATE_LISTINGS = {"TSLA": "2010-06-29", "META": "2012-05-18"}
FUNDS = ("BIL", "EFA", "HYG", "IEF", "QQQ", "SPY")
IEF_IDLE_DAYS = (
    "2009-07-31", "2009-08-31", "2009-09-30", "2009-11-30", "2009-12-28",
    "2010-01-29", "2010-02-26", "2010-03-31", "2010-04-30",
)  # fmt: skip
HONEST_FLAT_DAYS_OF_BIL = {
    "yahoo": ("2017-06-21",),
    "alpha_vantage": ("2017-11-14", "2017-12-04"),
}


@dataclass(frozen=True)
class Vendor:
    raw: pd.DataFrame
    end: date
    result: CleanedBars

    def bar(self, ticker: str, day: str) -> pd.Series:
        bars = self.result.bars
        found = bars[(bars["ticker"] == ticker) & (bars["date"] == day)]
        assert len(found) == 1
        return found.iloc[0]

    def findings(self) -> set[tuple[str, str, str, bool]]:
        rows = self.result.quarantine
        days = rows["date"].dt.strftime("%Y-%m-%d")
        return set(zip(rows["ticker"], days, rows["reason"], rows["is_rejected"], strict=True))


def _vendor(market: Path, name: str, tickers: tuple[str, ...], end: date) -> Vendor:
    settings = build_settings(
        source="files", price_dir=market / name, start=START, end=end, tickers=tickers
    )
    ingestion = ingest_bars(FileSource(settings), tickers, START, end, NOW)
    assert ingestion.failures == {}
    result = clean_bars(ingestion.rows, CleaningSettings(), "files", end, now=NOW)
    return Vendor(ingestion.rows, end, result)


@pytest.fixture(scope="module")
def yahoo(real_market: Path) -> Vendor:
    return _vendor(real_market, "yahoo", DEFAULT_TICKERS, date(2024, 12, 31))


@pytest.fixture(scope="module")
def alpha_vantage(real_market: Path) -> Vendor:
    tickers = tuple(ticker for ticker in DEFAULT_TICKERS if ticker not in LATE_LISTINGS)
    return _vendor(real_market, "alpha_vantage", tickers, date(2020, 12, 11))


def test_yahoo_has_one_made_up_bar_and_no_other_finding(yahoo: Vendor) -> None:
    assert yahoo.findings() == {("AMD", "2015-01-02", "stale_bar", True)}
    assert len(yahoo.raw) == 13 * 4279 + 3652 + 3175
    assert (~yahoo.result.bars["is_filled"]).sum() == len(yahoo.raw) - 1


def test_alpha_vantage_has_the_known_defects_and_no_other_finding(alpha_vantage: Vendor) -> None:
    assert alpha_vantage.findings() == {
        ("AAPL", "2014-06-09", "inexact_split_ratio", False),
        ("EFA", "2009-12-21", "stale_bar", True),
        ("GOOGL", "2014-04-03", "implausible_dividend", True),
        ("GOOGL", "2014-04-03", "split_booked_as_dividend", False),
        ("INTC", "2014-06-13", "stale_bar", True),
        *(("IEF", day, "zero_volume", True) for day in IEF_IDLE_DAYS),
    }
    assert len(alpha_vantage.raw) == 13 * 3261
    traded = ~alpha_vantage.result.bars["is_filled"]
    assert traded.sum() == len(alpha_vantage.raw) - 12


@pytest.mark.parametrize("name", ["yahoo", "alpha_vantage"])
def test_rejected_rows_never_become_bars(name: str, request: pytest.FixtureRequest) -> None:
    vendor: Vendor = request.getfixturevalue(name)
    rejected = {(ticker, day) for ticker, day, _, is_rejected in vendor.findings() if is_rejected}
    assert rejected
    for ticker, day in rejected:
        bar = vendor.bar(ticker, day)
        assert bar["is_filled"]
        assert bar["volume"] == 0


@pytest.mark.parametrize("name", ["yahoo", "alpha_vantage"])
def test_honest_flat_days_of_bil_are_kept(name: str, request: pytest.FixtureRequest) -> None:
    vendor: Vendor = request.getfixturevalue(name)
    bars = vendor.result.bars
    flat = bars[(bars["high"] == bars["low"]) & ~bars["is_filled"]]
    assert set(flat["ticker"]) == {"BIL"}
    assert tuple(flat["date"].dt.strftime("%Y-%m-%d")) == HONEST_FLAT_DAYS_OF_BIL[name]


@pytest.mark.parametrize("name", ["yahoo", "alpha_vantage"])
def test_every_session_since_the_listing_has_a_bar(
    name: str, request: pytest.FixtureRequest
) -> None:
    vendor: Vendor = request.getfixturevalue(name)
    for ticker, bars in vendor.result.bars.groupby("ticker"):
        listed = date.fromisoformat(LATE_LISTINGS.get(str(ticker), "2008-01-02"))
        expected = sessions_between(listed, vendor.end)
        pd.testing.assert_index_equal(pd.DatetimeIndex(bars["date"]), expected)
    assert vendor.result.gaps["is_filled"].all()
    assert vendor.result.gaps["sessions"].sum() == vendor.result.bars["is_filled"].sum()


def test_share_class_split_booked_as_dividend_is_a_split_and_pays_nothing(
    alpha_vantage: Vendor,
) -> None:
    before, day, after = (alpha_vantage.bar("GOOGL", f"2014-04-0{number}") for number in (2, 3, 4))
    assert day["split_ratio"] == 2.0
    assert day["dividend"] == 0.0
    assert day["close"] == before["close"] / 2
    assert (before["split_factor"], after["split_factor"]) == (1.0, 2.0)
    move = np.log(after["close"] * after["total_return_factor"] / before["close"])
    assert abs(move) < 0.05


def test_splits_have_exact_ratios_and_dates(alpha_vantage: Vendor) -> None:
    bars = alpha_vantage.result.bars
    splits = bars[bars["split_ratio"] != 1.0]
    days = splits["date"].dt.strftime("%Y-%m-%d")
    assert set(zip(splits["ticker"], days, splits["split_ratio"], strict=True)) == {
        ("AAPL", "2014-06-09", 7.0),
        ("AAPL", "2020-08-31", 4.0),
        ("BIL", "2017-11-30", 0.5),
        ("GOOGL", "2014-04-03", 2.0),
    }


def test_known_closes_are_kept_to_the_cent(yahoo: Vendor) -> None:
    assert round(yahoo.bar("SPY", "2020-03-23")["close"], 2) == 222.95
    assert round(yahoo.bar("SPY", "2024-12-31")["close"], 2) == 586.08


def test_dividends_are_implied_for_the_funds_and_absent_from_adjusted_stocks(
    yahoo: Vendor, alpha_vantage: Vendor
) -> None:
    bars = yahoo.result.bars
    assert set(bars.loc[bars["dividend"] > 0, "ticker"]) == set(FUNDS)
    assert not bars["is_as_traded"].any()
    other = alpha_vantage.result.bars
    assert other["is_as_traded"].all()
    for ticker in ("SPY", "IEF"):
        own, reference = (
            frame[(frame["ticker"] == ticker) & (frame["date"] <= "2020-12-11")].set_index("date")
            for frame in (bars, other)
        )
        paid = reference["dividend"][reference["dividend"] > 0]
        implied = own["dividend"][own["dividend"] > 0]
        assert implied.index.equals(paid.index)
        np.testing.assert_allclose(implied, paid, atol=0.01)


@pytest.mark.parametrize("ticker", ["SPY", "IEF", "BIL", "AAPL", "GOOGL"])
def test_two_vendors_agree_on_total_returns(
    ticker: str, yahoo: Vendor, alpha_vantage: Vendor
) -> None:
    """Adjusted by the vendor or by our factors from raw prices, the returns are the same."""
    one, two = (_returns(vendor.result.bars, ticker) for vendor in (yahoo, alpha_vantage))
    joined = pd.concat([one, two], axis=1, join="inner").dropna()
    difference = (joined.iloc[:, 0] - joined.iloc[:, 1]) * 1e4
    assert len(joined) > 3200
    assert difference.abs().median() < 0.01
    assert difference.abs().quantile(0.99) < 3.0
    assert abs(difference.sum()) < 1.0


def _returns(bars: pd.DataFrame, ticker: str) -> pd.Series:
    """Return adjusted log returns between sessions that both traded, by date."""
    own = adjusted_bars(bars[bars["ticker"] == ticker]).set_index("date")
    is_real = ~(own["is_filled"] | own["is_filled"].shift(fill_value=False))
    return np.log(own["close"]).diff()[is_real]


@pytest.mark.parametrize("cut", [date(2009, 12, 21), date(2014, 4, 3), date(2017, 11, 30)])
def test_real_bars_up_to_a_day_do_not_see_their_future(cut: date, alpha_vantage: Vendor) -> None:
    day = pd.Timestamp(cut)
    whole = alpha_vantage.result.bars
    head = whole[whole["date"] <= day].reset_index(drop=True)
    raw = alpha_vantage.raw

    shortened = clean_bars(raw[raw["date"] <= day], CleaningSettings(), "files", cut, now=NOW)
    pd.testing.assert_frame_equal(head, shortened.bars, check_exact=True)

    changed = raw.copy()
    later = changed["date"] > day
    prices = ["open", "high", "low", "close"]
    changed.loc[later, prices] = changed.loc[later, prices].to_numpy()[::-1] * 1.7
    changed.loc[later[later].index[::50], "split_ratio"] = 3.0
    other = clean_bars(changed, CleaningSettings(), "files", alpha_vantage.end, now=NOW).bars
    other_head = other[other["date"] <= day].reset_index(drop=True)
    pd.testing.assert_frame_equal(head, other_head, check_exact=True)


@pytest.mark.parametrize(
    ("series", "missing", "extra"), [("VIX", 0, 19), ("TNX", 2, 0), ("DXY", 2, 1), ("GOLD", 79, 95)]
)
def test_macro_series_are_delivered_with_the_days_they_trade(
    series: str, missing: int, extra: int, real_market: Path
) -> None:
    settings = build_settings(
        source="files", price_dir=real_market / "yahoo", macro_dir=real_market / "macro"
    )
    values = FileSource(settings).fetch_macro(series, START, date(2024, 12, 31))
    sessions = sessions_between(date(2008, 1, 2), date(2024, 12, 31))
    days = pd.DatetimeIndex(values["date"])
    assert len(sessions.difference(days)) == missing
    assert len(days.difference(sessions)) == extra
    assert values["value"].notna().all()
    if series == "VIX":
        assert values.set_index("date")["value"]["2020-03-16"] == pytest.approx(82.69, abs=0.005)
