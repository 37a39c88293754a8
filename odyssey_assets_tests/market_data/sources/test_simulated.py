"""The simulated source delivers on Yahoo's basis, and says who is unknown."""

from dataclasses import fields
from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.sources.simulated import SimulatedSource
from odyssey_assets.market_data.sources.simulation.market import MarketPlan, simulate_market
from odyssey_assets.settings import DEFAULT_TICKERS, Settings, build_settings
from odyssey_assets.settings_sections import SimulatedSettings

START, END = date(2010, 1, 1), date(2024, 12, 31)


@pytest.fixture(scope="module")
def settings() -> Settings:
    return build_settings(start=START, end=END)


@pytest.fixture(scope="module")
def source(settings: Settings) -> SimulatedSource:
    return SimulatedSource(settings)


@pytest.mark.parametrize("ticker", DEFAULT_TICKERS)
def test_delivered_rows_times_split_adjustment_are_the_as_traded_market(
    source: SimulatedSource, settings: Settings, ticker: str
) -> None:
    plan = MarketPlan(
        seed=settings.simulated.seed,
        tickers=settings.tickers,
        start=START,
        end=END,
        predictability=settings.simulated.predictability,
        break_start=date(2024, 7, 1),
        break_tickers=settings.simulated.break_tickers,
    )
    bars = simulate_market(plan).bars
    column = settings.tickers.index(ticker)
    listed = ~np.isnan(bars.close[:, column])
    rows = source.fetch_bars(ticker, START, END).rows
    adjustment = rows["split_adjustment"].to_numpy()
    for name in ("open", "high", "low", "close", "dividend"):
        as_traded = np.round(rows[name].to_numpy() * adjustment, 4)
        assert np.array_equal(as_traded, getattr(bars, name)[listed, column]), name
    shares = np.round(rows["volume"].to_numpy() / adjustment)
    assert np.array_equal(shares, bars.volume[listed, column])
    assert {field.name for field in fields(bars)} <= set(rows.columns)


def test_delivered_prices_are_continuous_across_splits(source: SimulatedSource) -> None:
    rows = source.fetch_bars("NVDA", START, END).rows
    splits = rows.index[rows["split_ratio"] != 1.0]
    assert len(splits) >= 2
    moves = np.log(rows["close"] / rows["close"].shift())
    assert moves.loc[splits].abs().max() < 0.15
    as_traded = np.log(rows["close"] * rows["split_adjustment"]).diff()
    assert as_traded.loc[splits].abs().min() > 0.5


def test_adjusted_closes_give_the_total_return(source: SimulatedSource) -> None:
    rows = source.fetch_bars("HYG", START, END).rows
    previous = rows["close"].shift()
    total = rows["close"] / (previous - rows["dividend"])
    assert np.allclose((rows["adj_close"] / rows["adj_close"].shift())[1:], total[1:], rtol=1e-6)


def test_fetch_before_a_later_split_takes_it_into_the_adjustment(source: SimulatedSource) -> None:
    whole = source.fetch_bars("NVDA", START, END).rows
    part = source.fetch_bars("NVDA", date(2013, 1, 1), date(2013, 12, 31)).rows
    same = whole[whole["date"].between("2013-01-01", "2013-12-31")].reset_index(drop=True)
    pd.testing.assert_frame_equal(part, same)
    assert (part["split_adjustment"] > 1).all()


def test_fetch_from_an_earlier_market_has_the_same_as_traded_prices(
    source: SimulatedSource,
) -> None:
    earlier = SimulatedSource(
        build_settings(
            start=START,
            end=date(2013, 6, 28),
            simulated=SimulatedSettings(break_start=date(2024, 7, 1)),
        )
    )
    before = earlier.fetch_bars("NVDA", START, END).rows
    after = source.fetch_bars("NVDA", START, date(2013, 6, 28)).rows
    assert not np.array_equal(before["close"], after["close"])
    for rows in (before, after):
        rows["as_traded"] = np.round(rows["close"] * rows["split_adjustment"], 4)
    assert np.array_equal(before["as_traded"], after["as_traded"])


def test_fetch_of_a_ticker_that_lists_after_the_end_has_no_rows(source: SimulatedSource) -> None:
    assert source.fetch_bars("META", START, date(2012, 5, 17)).rows.empty
    assert len(source.fetch_bars("META", START, date(2012, 5, 18)).rows) == 1


def test_market_without_an_end_goes_to_the_last_completed_session() -> None:
    last = date(2024, 12, 30)
    source = SimulatedSource(build_settings(tickers="SPY,INTC"), last_session=lambda: last)
    rows = source.fetch_bars("SPY", date(2024, 12, 1), date(2025, 12, 31)).rows
    assert rows["date"].iloc[-1] == pd.Timestamp(last)


def test_break_begins_with_the_last_window_unless_set(source: SimulatedSource) -> None:
    unbroken = SimulatedSource(
        build_settings(start=START, end=END, simulated=SimulatedSettings(break_tickers=()))
    )
    one, two = (each.fetch_bars("INTC", START, END).rows for each in (source, unbroken))
    differing = one.loc[one["volume"] != two["volume"], "date"]
    assert differing.min() == pd.Timestamp("2024-07-01")


def test_unknown_names_are_refused_with_what_to_do(source: SimulatedSource) -> None:
    with pytest.raises(SourceError, match=r"no ticker XYZ.*ODYSSEY_TICKERS"):
        source.fetch_bars("XYZ", START, END)
    with pytest.raises(SourceError, match=r"no macro series CPI.*VIX"):
        source.fetch_macro("CPI", START, END)


def test_source_needs_nothing(source: SimulatedSource) -> None:
    assert source.problems() == []
