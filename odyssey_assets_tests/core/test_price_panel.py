from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.price_panel import MAX_RATE_AGE_DAYS, PricePanel, build_price_panel
from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.errors import ContractError
from odyssey_assets_tests.features.markets import (
    FILLED_SESSIONS,
    GAP_SESSIONS,
    GAPPY,
    LATE,
    LATE_LISTING_SESSION,
    PLAIN,
    PROXY,
    SPLIT_DATE,
    START,
    small_market,
)
from odyssey_assets_tests.no_lookahead.harness import cut, random_days, scrambled

TICKERS = (PROXY, PLAIN, LATE, GAPPY)
MARKET = small_market()
ARRAYS = (
    "dates", "open", "close", "factor", "has_bar", "dollar_volume", "volatility", "cash_return",
)  # fmt: skip
SESSIONS = sessions_between(START, date(2010, 8, 31))


def hand_made(ticker: str, rows: list[tuple[int, float, float, float]]) -> pd.DataFrame:
    """Return bars from (session, open, close, volume), as traded, without any event."""
    frame = pd.DataFrame(rows, columns=["session", "open", "close", "volume"])
    return frame.assign(
        ticker=ticker,
        date=SESSIONS[frame["session"].to_numpy()],
        high=frame[["open", "close"]].max(axis=1),
        low=frame[["open", "close"]].min(axis=1),
        split_factor=1.0,
        total_return_factor=1.0,
        is_filled=False,
    ).drop(columns="session")


def panel_of(market_bars: pd.DataFrame) -> PricePanel:
    return build_price_panel(market_bars, TICKERS, treasury_rate(MARKET.macro))


def treasury_rate(macro: pd.DataFrame) -> pd.Series:
    own = macro[macro["series"] == "TNX"].sort_values("date")
    return pd.Series(own["value"].to_numpy(), index=pd.DatetimeIndex(own["date"]))


@pytest.fixture(scope="module")
def panel() -> PricePanel:
    return panel_of(MARKET.bars)


def test_panel_has_every_session_once_and_tickers_in_order(panel: PricePanel) -> None:
    assert panel.tickers == TICKERS
    assert len(panel) == MARKET.bars["date"].nunique()
    assert (np.diff(panel.dates) > np.timedelta64(0)).all()
    assert panel.dates.dtype == np.dtype("datetime64[D]")
    for name in ARRAYS[1:-1]:
        assert getattr(panel, name).shape == (len(panel), len(TICKERS))


def test_adjusted_prices_are_the_traded_ones_times_the_factor(panel: PricePanel) -> None:
    bars = MARKET.bars[(MARKET.bars["ticker"] == PLAIN)]
    column = TICKERS.index(PLAIN)

    assert panel.close[:, column] == pytest.approx(bars["close"] * bars["total_return_factor"])
    assert panel.open[:, column] == pytest.approx(bars["open"] * bars["total_return_factor"])
    assert panel.close[:, column] / panel.factor[:, column] == pytest.approx(bars["close"])


def test_split_and_dividend_are_no_loss(panel: PricePanel) -> None:
    split = int(np.searchsorted(panel.dates, np.datetime64(SPLIT_DATE)))
    bars = MARKET.bars[MARKET.bars["ticker"] == PLAIN].reset_index(drop=True)
    traded = bars["close"][split] / bars["close"][split - 1] - 1

    assert traded < -0.4
    assert panel.returns[split, TICKERS.index(PLAIN)] == pytest.approx(2 * (1 + traded) - 1)
    first_dividend = bars.index[bars["dividend"] > 0][0]
    gained = bars["close"][first_dividend] / bars["close"][first_dividend - 1] / 0.99 - 1
    assert panel.returns[first_dividend, TICKERS.index(PLAIN)] == pytest.approx(gained)


def test_late_listing_has_nothing_before_its_first_bar(panel: PricePanel) -> None:
    before, column = slice(0, LATE_LISTING_SESSION), TICKERS.index(LATE)

    for name in ("open", "close", "factor", "dollar_volume", "volatility"):
        assert np.isnan(getattr(panel, name)[before, column]).all()
    assert not panel.has_bar[before, column].any()
    assert not panel.is_listed[before, column].any()
    assert panel.is_listed[LATE_LISTING_SESSION:, column].all()
    assert np.isnan(panel.returns[LATE_LISTING_SESSION, column])
    assert not np.isnan(panel.returns[LATE_LISTING_SESSION + 1, column])


def test_gap_stands_still_at_the_last_close_and_does_not_trade(panel: PricePanel) -> None:
    column, last = TICKERS.index(GAPPY), GAP_SESSIONS.start - 1

    assert not panel.has_bar[GAP_SESSIONS, column].any()
    assert (panel.close[GAP_SESSIONS, column] == panel.close[last, column]).all()
    assert (panel.open[GAP_SESSIONS, column] == panel.close[last, column]).all()
    assert (panel.returns[GAP_SESSIONS, column] == 0).all()
    assert panel.has_bar[GAP_SESSIONS.stop, column]


def test_filled_bar_is_no_bar(panel: PricePanel) -> None:
    bars, column = MARKET.bars[MARKET.bars["ticker"] == GAPPY], TICKERS.index(GAPPY)
    filled = np.isin(panel.dates, bars.loc[bars["is_filled"], "date"].to_numpy())

    assert filled.sum() == FILLED_SESSIONS.stop - FILLED_SESSIONS.start
    assert not panel.has_bar[filled, column].any()
    assert panel.open[filled, column] == pytest.approx(panel.close[filled, column])


def test_session_without_volume_is_no_bar() -> None:
    bars = hand_made("AAA", [(0, 10.0, 10.0, 5.0), (1, 11.0, 12.0, 0.0), (2, 12.0, 13.0, 5.0)])
    panel = build_price_panel(bars, ["AAA"])

    assert panel.has_bar[:, 0].tolist() == [True, False, True]
    assert panel.open[:, 0].tolist() == [10.0, 10.0, 12.0]
    assert panel.close[:, 0].tolist() == [10.0, 12.0, 13.0]


def test_dollar_volume_is_the_mean_of_twenty_sessions_and_missing_ones_count_nothing() -> None:
    other = hand_made("BBB", [(session, 1.0, 1.0, 1.0) for session in range(30)])
    rows = [(session, 10.0, 10.0, 100.0) for session in range(30) if not 5 <= session < 8]
    panel = build_price_panel(pd.concat([hand_made("AAA", rows), other]), ["AAA", "BBB"])

    assert panel.dollar_volume[:5, 0] == pytest.approx(1000.0)
    assert panel.dollar_volume[7, 0] == pytest.approx(1000.0 * 5 / 8)
    assert panel.dollar_volume[19, 0] == pytest.approx(1000.0 * 17 / 20)
    assert panel.dollar_volume[27, 0] == pytest.approx(1000.0)


def test_volatility_is_the_deviation_of_the_last_twenty_returns(panel: PricePanel) -> None:
    column = TICKERS.index(PLAIN)

    assert np.isnan(panel.volatility[:20, column]).all()
    for row in (20, 100, len(panel) - 1):
        expected = np.std(panel.returns[row - 19 : row + 1, column], ddof=1)
        assert panel.volatility[row, column] == pytest.approx(expected, rel=1e-9)


def test_cash_earns_the_rate_known_at_the_close_before_for_the_days_between() -> None:
    bars = hand_made("AAA", [(session, 10.0, 10.0, 5.0) for session in range(4)])
    rate = pd.Series([3.6, 7.2], index=SESSIONS[[0, 2]])

    panel = build_price_panel(bars, ["AAA"], rate)

    days = np.diff(SESSIONS[:4].to_numpy()).astype("timedelta64[D]").astype(int)
    assert panel.cash_return.tolist() == pytest.approx([0.0, *(days * [1e-4, 1e-4, 2e-4])])


def test_cash_earns_nothing_before_the_first_rate_and_long_after_the_last() -> None:
    bars = hand_made("AAA", [(session, 10.0, 10.0, 5.0) for session in range(len(SESSIONS))])
    rate = pd.Series([np.nan, 3.6, np.nan], index=SESSIONS[[0, 2, 3]])

    panel = build_price_panel(bars, ["AAA"], rate)

    age = (SESSIONS - SESSIONS[2]).days.to_numpy()
    is_known = np.append(False, (age[:-1] >= 0) & (age[:-1] <= MAX_RATE_AGE_DAYS))
    assert ((panel.cash_return > 0) == is_known).all()
    assert 2 < is_known.sum() < len(SESSIONS) - 5
    for none in (None, rate.iloc[:0], rate.iloc[:1]):
        assert (build_price_panel(bars, ["AAA"], none).cash_return == 0).all()


@pytest.mark.parametrize("day", random_days(MARKET.bars["date"], 4, seed=3))
def test_cut_or_scrambled_future_changes_no_bit_before(
    panel: PricePanel, day: pd.Timestamp
) -> None:
    row = int(np.searchsorted(panel.dates, np.datetime64(day.date(), "D"), side="right"))
    for other in (cut(MARKET, day), scrambled(MARKET, day, 1)):
        found = build_price_panel(other.bars, TICKERS, treasury_rate(other.macro))
        for name in ARRAYS:
            assert getattr(found, name)[:row].tobytes() == getattr(panel, name)[:row].tobytes()


def test_until_and_between_keep_what_was_known(panel: PricePanel) -> None:
    known, part = panel.until(100), panel.between(50, 101)

    assert len(known) == 101
    assert known.dates[-1] == panel.dates[100]
    for name in ARRAYS:
        assert getattr(known, name).tobytes() == getattr(panel, name)[:101].tobytes()
        assert getattr(part, name).tobytes() == getattr(panel, name)[50:101].tobytes()
        assert np.shares_memory(getattr(known, name), getattr(panel, name))
    assert known.returns.tobytes() == panel.returns[:101].tobytes()


def test_rows_in_any_order_and_under_any_index_give_the_same_panel(panel: PricePanel) -> None:
    shuffled = MARKET.bars.sample(frac=1.0, random_state=1)
    shuffled.index = pd.Index(np.zeros(len(shuffled), dtype=np.int64))

    found = panel_of(shuffled)

    for name in ARRAYS:
        assert getattr(found, name).tobytes() == getattr(panel, name).tobytes()


def test_ticker_without_rows_is_never_listed_and_others_are_left_out() -> None:
    panel = build_price_panel(MARKET.bars, ["NONE", PLAIN])

    assert panel.close.shape[1] == 2
    assert not panel.is_listed[:, 0].any()
    assert panel.is_listed[:, 1].all()
    with pytest.raises(ContractError, match="NONE"):
        build_price_panel(MARKET.bars, ["NONE"])
