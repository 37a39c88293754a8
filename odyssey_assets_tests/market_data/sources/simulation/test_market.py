"""The market as a whole: stylised facts, consistency, and that the past is never rewritten."""

import time
from dataclasses import fields, replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.market_data.sources.simulation.market import (
    MarketPlan,
    SimulatedMarket,
    simulate_market,
)
from odyssey_assets.settings import DEFAULT_TICKERS

PLAN = MarketPlan(
    seed=42,
    tickers=DEFAULT_TICKERS,
    start=date(2010, 1, 1),
    end=date(2024, 12, 31),
    predictability=0.05,
    break_start=date(2024, 7, 1),
    break_tickers=("INTC", "HYG"),
)
STOCKS = ("AAPL", "NVDA", "TSLA", "MSFT", "GOOGL", "AMZN", "META", "INTC", "AMD")


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return simulate_market(PLAN)


def column_of(ticker: str) -> int:
    return PLAN.tickers.index(ticker)


def log_returns(market: SimulatedMarket, ticker: str) -> pd.Series:
    column = column_of(ticker)
    listed = ~np.isnan(market.bars.close[:, column])
    return pd.Series(market.returns.log_returns[listed, column])


def assert_same_past(long: SimulatedMarket, short: SimulatedMarket, columns: list[int]) -> None:
    days = len(short.dates)
    for field in fields(short.bars):
        whole, past = getattr(long.bars, field.name), getattr(short.bars, field.name)
        assert np.array_equal(whole[:days, columns], past, equal_nan=True), field.name
    for name, values in short.macro.items():
        assert np.array_equal(long.macro[name][:days], values), name


@pytest.mark.parametrize("end", ["2010-01-04", "2010-02-01", "2012-05-18", "2016-06-30"])
def test_market_with_a_later_end_keeps_every_earlier_value(
    market: SimulatedMarket, end: str
) -> None:
    short = simulate_market(replace(PLAN, end=date.fromisoformat(end)))
    assert_same_past(market, short, list(range(len(PLAN.tickers))))


@pytest.mark.parametrize("tickers", [("SPY",), ("AMD", "SPY", "S001"), ("NVDA", "BIL")])
def test_market_with_other_tickers_keeps_every_value_of_a_ticker(
    market: SimulatedMarket, tickers: tuple[str, ...]
) -> None:
    shared = tuple(ticker for ticker in tickers if ticker in PLAN.tickers)
    other = simulate_market(replace(PLAN, tickers=tickers))
    for ticker in shared:
        for field in fields(other.bars):
            one = getattr(other.bars, field.name)[:, tickers.index(ticker)]
            two = getattr(market.bars, field.name)[:, column_of(ticker)]
            assert np.array_equal(one, two, equal_nan=True), (ticker, field.name)


def test_market_of_the_same_plan_has_the_same_bits_and_of_another_seed_not(
    market: SimulatedMarket,
) -> None:
    simulate_market.cache_clear()
    assert np.array_equal(simulate_market(PLAN).bars.close, market.bars.close, equal_nan=True)
    other = simulate_market(replace(PLAN, seed=1))
    assert not np.array_equal(other.bars.close[-1], market.bars.close[-1])


def test_bars_are_consistent_and_never_flat_but_for_cash(market: SimulatedMarket) -> None:
    bars = market.bars
    listed = ~np.isnan(bars.close)
    for price in (bars.open, bars.close):
        assert (bars.low[listed] <= price[listed]).all()
        assert (price[listed] <= bars.high[listed]).all()
    assert (bars.low[listed] > 0).all()
    assert (bars.volume[listed] > 0).all()
    ordinary = [column for column, name in enumerate(PLAN.tickers) if name != "BIL"]
    is_flat = (bars.high == bars.low)[:, ordinary]
    assert not is_flat[listed[:, ordinary]].any()
    for price in (bars.open, bars.high, bars.low, bars.close):
        assert np.array_equal(np.round(price, 2), price, equal_nan=True)


def test_bars_have_overnight_gaps_and_ranges_like_real_ones(market: SimulatedMarket) -> None:
    bars, column = market.bars, column_of("SPY")
    overnight = np.log(bars.open[1:, column] / bars.close[:-1, column])
    whole = np.log(bars.close[1:, column] / bars.close[:-1, column])
    assert 0.2 < overnight.var() / whole.var() < 0.4
    span = np.median((bars.high - bars.low)[:, column] / bars.close[:, column])
    assert 0.005 < span < 0.02
    cash = column_of("BIL")
    cash_span = np.median((bars.high - bars.low)[:, cash] / bars.close[:, cash])
    assert cash_span < 5e-4


@pytest.mark.parametrize("ticker", [*STOCKS, "SPY", "QQQ", "EFA", "IEF", "HYG", "BIL"])
def test_returns_have_fat_tails_and_clustered_volatility(
    market: SimulatedMarket, ticker: str
) -> None:
    returns = log_returns(market, ticker)
    assert returns.kurt() > 1.0
    assert returns.abs().autocorr(5) > 0.05
    assert abs(returns.autocorr(1)) < 0.12


def test_volatilities_order_cash_bonds_funds_and_stocks(market: SimulatedMarket) -> None:
    volatility = {ticker: log_returns(market, ticker).std() * 252**0.5 for ticker in PLAN.tickers}
    assert volatility["BIL"] < 0.01 < volatility["IEF"] < volatility["SPY"]
    assert volatility["HYG"] < volatility["SPY"] < min(volatility[name] for name in STOCKS)
    assert 0.1 < volatility["SPY"] < 0.22


def test_stocks_move_with_the_market_and_more_with_their_sector(market: SimulatedMarket) -> None:
    returns = pd.DataFrame(
        market.returns.log_returns[1_000:3_500], columns=list(PLAN.tickers)
    ).corr()
    assert returns.loc["SPY", list(STOCKS)].min() > 0.3
    assert returns.loc["AAPL", "MSFT"] > returns.loc["AAPL", "AMZN"]
    assert abs(returns.loc["SPY", "BIL"]) < 0.1


def test_regimes_are_three_and_stress_shows_in_realised_volatility(
    market: SimulatedMarket,
) -> None:
    returns = market.returns.log_returns[:, column_of("SPY")]
    volatility = [returns[market.regimes == state].std() for state in range(3)]
    assert volatility[0] < volatility[1] < volatility[2]
    assert volatility[2] > 2.0 * volatility[0]


def test_vix_belongs_to_the_market(market: SimulatedMarket) -> None:
    returns = log_returns(market, "SPY")
    vix = pd.Series(market.macro["VIX"])
    realised = returns.rolling(20).std() * 252**0.5 * 100
    assert realised.corr(vix) > 0.7
    assert realised.shift(-20).corr(vix) > 0.4
    assert returns.corr(vix.pct_change()) < -0.3
    assert 12 < vix.mean() < 25
    assert vix.min() > 5
    assert vix.max() > 35


def test_macro_series_stay_at_plausible_levels(market: SimulatedMarket) -> None:
    bounds = {"TNX": (0.2, 9.0), "DXY": (65.0, 140.0), "GOLD": (500.0, 6_000.0)}
    for name, (low, high) in bounds.items():
        values = market.macro[name]
        assert low < values.min() < values.max() < high
    bonds = market.returns.log_returns[1:, column_of("IEF")]
    assert np.corrcoef(bonds, np.diff(market.macro["TNX"]))[0, 1] < -0.7
    dollar, gold = (np.diff(np.log(market.macro[name])) for name in ("DXY", "GOLD"))
    assert np.corrcoef(dollar, gold)[0, 1] < -0.1


def test_volume_is_lognormal_and_rises_with_surprises(market: SimulatedMarket) -> None:
    column = column_of("SPY")
    volume = np.log(market.bars.volume[:, column])
    surprise = np.abs(market.returns.innovations[:, column])
    assert np.corrcoef(volume, surprise)[0, 1] > 0.3
    assert pd.Series(volume).autocorr(1) > 0.4


def test_late_listings_begin_at_their_dates(market: SimulatedMarket) -> None:
    for ticker, first in (("TSLA", "2010-06-29"), ("META", "2012-05-18"), ("SPY", "2010-01-04")):
        listed = ~np.isnan(market.bars.close[:, column_of(ticker)])
        assert market.dates[listed][0] == pd.Timestamp(first)
        assert listed[np.argmax(listed) :].all()


def test_dividends_come_on_schedule_and_lower_the_price(market: SimulatedMarket) -> None:
    counts = {
        ticker: int((market.bars.dividend[:, column_of(ticker)] > 0).sum())
        for ticker in ("SPY", "EFA", "BIL", "AMZN")
    }
    assert counts == {"SPY": 60, "EFA": 30, "BIL": 180, "AMZN": 0}
    column = column_of("BIL")
    paid = np.flatnonzero(market.bars.dividend[:, column] > 0)
    drops = market.bars.close[paid - 1, column] - market.bars.close[paid, column]
    assert np.median(drops) == pytest.approx(
        np.median(market.bars.dividend[paid, column]), rel=0.15
    )


def test_splits_keep_prices_in_bounds_and_returns_unbroken(market: SimulatedMarket) -> None:
    bars = market.bars
    days, columns = np.nonzero(bars.split_ratio != 1.0)
    assert len(days) >= 8
    for day, column in zip(days, columns, strict=True):
        ratio = bars.split_ratio[day, column]
        move = np.log(bars.close[day, column] * ratio / bars.close[day - 1, column])
        assert abs(move) < 0.25
        volumes = (
            bars.volume[day : day + 60, column].mean() / bars.volume[day - 60 : day, column].mean()
        )
        assert 0.5 * ratio < volumes < 2.0 * ratio
    stocks = [column_of(name) for name in STOCKS]
    assert np.nanmax(bars.close[:, stocks]) < 800
    assert np.nanmin(bars.close[:, stocks]) > 2


def test_poor_tickers_are_consolidated() -> None:
    names = tuple(f"S{number:03d}" for number in range(120))
    bars = simulate_market(replace(PLAN, tickers=names)).bars
    days, columns = np.nonzero(bars.split_ratio < 1.0)
    assert len(days) >= 1
    assert (bars.close[days - 1, columns] < bars.close[days, columns]).all()


def test_break_shows_in_range_and_volume_of_its_tickers_only(market: SimulatedMarket) -> None:
    unbroken = simulate_market(replace(PLAN, break_tickers=()))
    is_broken = market.dates >= pd.Timestamp(PLAN.break_start)
    for ticker in PLAN.tickers:
        column = column_of(ticker)
        if ticker in PLAN.break_tickers:
            spans = [
                np.log(bars.high / bars.low)[is_broken, column]
                for bars in (market.bars, unbroken.bars)
            ]
            assert np.median(spans[0]) > 2.0 * np.median(spans[1])
            volumes = [bars.volume[is_broken, column] for bars in (market.bars, unbroken.bars)]
            assert np.median(volumes[0]) > 2.0 * np.median(volumes[1])
            is_same = ~is_broken
        else:
            is_same = np.ones(len(market.dates), dtype=bool)
        assert np.array_equal(
            market.bars.close[is_same, column], unbroken.bars.close[is_same, column], equal_nan=True
        )


def test_market_of_240_tickers_takes_seconds() -> None:
    names = tuple(f"T{number:03d}" for number in range(240))
    begun = time.process_time()
    market = simulate_market(replace(PLAN, tickers=names))
    assert time.process_time() - begun < 15.0
    assert market.bars.close.shape == (len(market.dates), 240)
