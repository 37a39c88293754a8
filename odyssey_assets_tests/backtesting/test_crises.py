import math
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.crises import CRISES, Crisis, replay_crisis
from odyssey_assets.backtesting.newest_portfolio import NewestPortfolio
from odyssey_assets.core.drawdowns import max_drawdown
from odyssey_assets.core.price_panel import PricePanel
from odyssey_assets.core.returns import total_return, volatility
from odyssey_assets.core.sessions import SESSIONS_PER_YEAR, is_session, sessions_between
from odyssey_assets_tests.portfolio.markets import panel_of

CRISIS = Crisis("made up", date(2019, 3, 4), date(2019, 3, 29))
INSIDE = sessions_between(CRISIS.start, CRISIS.end)
SESSIONS = sessions_between(date(2019, 2, 1), date(2019, 4, 30))
FIRST = int(np.searchsorted(SESSIONS, INSIDE[0]))
TICKERS = ("SPY", "AAA", "BBB")
CAPITAL = 1000.0


def crisis_panel(
    close: np.ndarray,
    sessions: pd.DatetimeIndex = SESSIONS,
    *,
    has_bar: np.ndarray | None = None,
    cash_return: float = 0.0,
) -> PricePanel:
    panel = panel_of(close, has_bar=has_bar, cash_return=cash_return)
    tickers = TICKERS[: close.shape[1]]
    return replace(panel, dates=sessions.to_numpy().astype("datetime64[D]"), tickers=tickers)


def random_closes(seed: int = 0, tickers: int = 3) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(-0.002, 0.02, (len(SESSIONS), tickers))
    return np.asarray(50 * np.exp(np.cumsum(steps, axis=0)))


def portfolio_of(*weights: float) -> NewestPortfolio:
    return NewestPortfolio(TICKERS[: len(weights)], np.array(weights))


def own_rows(sessions: pd.DatetimeIndex, seed: int = 1) -> pd.DataFrame:
    """Return daily rows that pay 0.5 USD commission and 0.25 USD slippage a session."""
    returns = np.random.default_rng(seed).normal(-0.001, 0.01, len(sessions))
    equity = CAPITAL * np.cumprod(1 + returns)
    gain = np.diff(equity, prepend=CAPITAL) + 0.75
    return pd.DataFrame(
        {
            "date": sessions, "equity": equity, "return": returns, "price_gain": gain,
            "interest": 0.0, "commission": 0.5, "slippage": 0.25, "impact": 0.0,
        }
    )  # fmt: skip


NO_ROWS = own_rows(SESSIONS[:0])

# Total return of the S&P 500 over the same sessions, S&P Dow Jones Indices.
INDEX_RETURNS = {
    "2008 Q4": -0.2194, "2010 flash crash": -0.0799, "2011 August": -0.0543,
    "2015 August": -0.0603, "2018 Q4": -0.1352, "2020 February-March": -0.1956, "2022": -0.1811,
}  # fmt: skip


def test_crises_are_the_known_ones_with_their_first_and_last_sessions() -> None:
    assert [crisis.name for crisis in CRISES] == [
        "2008 Q4", "2010 flash crash", "2011 August", "2015 August", "2018 Q4",
        "2020 February-March", "2022",
    ]  # fmt: skip
    for crisis in CRISES:
        assert is_session(crisis.start)
        assert is_session(crisis.end)
        # Whole months: no session of the first and the last month is left out.
        month_end = (crisis.end.replace(day=28) + timedelta(days=4)).replace(day=1)
        assert sessions_between(crisis.start.replace(day=1), crisis.start).size == 1
        assert sessions_between(crisis.end, month_end - timedelta(days=1)).size == 1


def test_replay_of_a_strategy_that_ran_then_is_its_own_path() -> None:
    closes = random_closes()
    own = own_rows(SESSIONS[5:])
    outcome = replay_crisis(CRISIS, portfolio_of(0, 0.8, 0), own, crisis_panel(closes), "SPY")

    inside = own[own["date"].isin(INSIDE)]
    returns = inside["return"].to_numpy()
    before = CAPITAL * (1 + own["return"]).cumprod().shift(1).loc[inside.index]
    assert (outcome.status, outcome.method, outcome.reason) == ("computed", "own_path", None)
    assert (outcome.start_date, outcome.end_date) == (CRISIS.start, CRISIS.end)
    assert outcome.sessions == len(INSIDE)
    assert outcome.portfolio_return == float(total_return(returns))
    assert outcome.max_drawdown == float(max_drawdown(returns))
    assert outcome.volatility == float(volatility(returns))
    assert outcome.annual_cost == pytest.approx(float((0.75 / before).mean()) * SESSIONS_PER_YEAR)
    market = closes[FIRST + len(INSIDE) - 1, 0] / closes[FIRST - 1, 0] - 1
    assert outcome.proxy_return == pytest.approx(market)
    assert math.isnan(outcome.covered_weight)


@pytest.mark.parametrize(
    ("first", "last", "method"),
    [
        (FIRST, FIRST + len(INSIDE), "own_path"),
        (FIRST + 1, FIRST + len(INSIDE), "newest_weights"),
        (FIRST, FIRST + len(INSIDE) - 1, "newest_weights"),
        (0, FIRST, "newest_weights"),
        (FIRST + len(INSIDE), len(SESSIONS), "newest_weights"),
    ],
)
def test_replay_is_the_own_path_only_where_it_covers_every_session(
    first: int, last: int, method: str
) -> None:
    own = own_rows(SESSIONS[first:last])
    panel = crisis_panel(random_closes())

    assert replay_crisis(CRISIS, portfolio_of(0.8, 0, 0), own, panel, "SPY").method == method


def test_replay_of_newest_weights_is_buying_and_holding() -> None:
    closes, weights, interest = random_closes(2), (0.1, 0.3, 0.4), 1e-4
    panel = crisis_panel(closes, cash_return=interest)
    outcome = replay_crisis(CRISIS, portfolio_of(*weights), NO_ROWS, panel, "SPY")

    held = closes[FIRST - 1 : FIRST + len(INSIDE)]
    days = np.arange(len(held))
    value = 0.2 * (1 + interest) ** days + (np.array(weights) * held / held[0]).sum(axis=1)
    peak = np.maximum.accumulate(value)
    assert (outcome.status, outcome.method) == ("computed", "newest_weights")
    assert outcome.sessions == len(INSIDE)
    assert outcome.portfolio_return == pytest.approx(value[-1] - 1)
    assert outcome.max_drawdown == pytest.approx((value / peak - 1).min())
    daily = value[1:] / value[:-1] - 1
    assert outcome.volatility == pytest.approx(daily.std(ddof=1) * math.sqrt(SESSIONS_PER_YEAR))
    assert math.isnan(outcome.annual_cost)
    assert outcome.covered_weight == 1.0


def test_replay_of_newest_weights_reads_no_price_outside_the_crisis() -> None:
    closes = random_closes(3)
    other = random_closes(4)
    other[FIRST - 1 : FIRST + len(INSIDE)] = closes[FIRST - 1 : FIRST + len(INSIDE)]

    one, two = (
        replay_crisis(CRISIS, portfolio_of(0.2, 0.2, 0.2), NO_ROWS, crisis_panel(prices), "SPY")
        for prices in (closes, other)
    )
    assert one == two
    assert not math.isnan(one.portfolio_return)


def late_bars(column: int, first: int) -> np.ndarray:
    has_bar = np.ones((len(SESSIONS), 3), dtype=np.bool_)
    has_bar[:first, column] = False
    return has_bar


@pytest.mark.parametrize(("listed", "share"), [(FIRST - 1, 1.0), (FIRST, 0.9)])
def test_replay_with_a_late_listing_takes_it_to_move_as_the_rest(listed: int, share: float) -> None:
    closes = random_closes(5)
    panel = crisis_panel(closes, has_bar=late_bars(2, listed))
    outcome = replay_crisis(CRISIS, portfolio_of(0.36, 0.36, 0.08), NO_ROWS, panel, "SPY")

    growth = closes[FIRST + len(INSIDE) - 1] / closes[FIRST - 1]
    weights = np.array([0.36, 0.36, 0.08]) if share == 1.0 else np.array([0.4, 0.4, 0.0])
    assert outcome.covered_weight == pytest.approx(share)
    assert outcome.portfolio_return == pytest.approx(weights @ growth + 0.2 - 1)


def test_replay_without_much_of_the_portfolio_has_no_data_and_names_it() -> None:
    panel = crisis_panel(random_closes(6), has_bar=late_bars(2, FIRST + 3))
    outcome = replay_crisis(CRISIS, portfolio_of(0.2, 0.2, 0.2), NO_ROWS, panel, "SPY")

    assert outcome.status == "no_data"
    assert outcome.method is None
    assert outcome.reason is not None
    assert "BBB" in outcome.reason
    assert math.isnan(outcome.portfolio_return)
    assert outcome.sessions == 0
    assert outcome.covered_weight == pytest.approx(2 / 3)
    # What the market did is known all the same.
    assert not math.isnan(outcome.proxy_return)


@pytest.mark.parametrize(
    "kept",
    [
        slice(FIRST, None),
        slice(FIRST + 4, None),
        slice(0, FIRST + len(INSIDE) - 1),
        slice(0, FIRST - 5),
        slice(FIRST + len(INSIDE), None),
    ],
    ids=["no close before", "late", "early end", "before", "after"],
)
def test_replay_without_prices_of_then_says_what_there_is(kept: slice) -> None:
    sessions = SESSIONS[kept]
    panel = crisis_panel(random_closes(7)[kept], sessions)
    outcome = replay_crisis(CRISIS, portfolio_of(0.2, 0.2, 0.2), NO_ROWS, panel, "SPY")

    assert outcome.status == "no_data"
    assert outcome.reason is not None
    for day in ("2019-03-01", "2019-03-29", str(sessions[0].date()), str(sessions[-1].date())):
        assert day in outcome.reason
    assert (outcome.start_date, outcome.end_date) == (CRISIS.start, CRISIS.end)
    assert outcome.sessions == 0
    assert math.isnan(outcome.proxy_return)


def test_replay_over_a_hole_in_the_prices_has_no_data() -> None:
    kept = np.delete(np.arange(len(SESSIONS)), FIRST + 3)
    panel = crisis_panel(random_closes(8)[kept], SESSIONS[kept])

    outcome = replay_crisis(CRISIS, portfolio_of(0.2, 0.2, 0.2), NO_ROWS, panel, "SPY")
    assert outcome.status == "no_data"


def test_replay_of_one_ticker_that_is_the_proxy_moves_with_it() -> None:
    panel = crisis_panel(random_closes(9, tickers=1))
    outcome = replay_crisis(CRISIS, portfolio_of(1.0), NO_ROWS, panel, "SPY")

    assert outcome.portfolio_return == pytest.approx(outcome.proxy_return)


def test_replay_of_constant_prices_moves_nothing() -> None:
    panel = crisis_panel(np.full((len(SESSIONS), 3), 25.0))
    outcome = replay_crisis(CRISIS, portfolio_of(0.3, 0.3, 0.2), NO_ROWS, panel, "SPY")

    figures = (outcome.portfolio_return, outcome.max_drawdown, outcome.volatility)
    assert figures == (0.0, 0.0, 0.0)
    assert outcome.proxy_return == 0.0


def test_replay_of_cash_earns_the_interest_of_then() -> None:
    panel = crisis_panel(random_closes(10), cash_return=1e-4)
    outcome = replay_crisis(CRISIS, portfolio_of(0, 0, 0), NO_ROWS, panel, "SPY")

    assert outcome.portfolio_return == pytest.approx(1.0001 ** len(INSIDE) - 1)
    assert outcome.max_drawdown == 0.0


def test_replay_before_the_proxy_was_listed_has_no_return_of_it() -> None:
    panel = crisis_panel(random_closes(11), has_bar=late_bars(0, FIRST + 2))
    outcome = replay_crisis(CRISIS, portfolio_of(0, 0.4, 0.4), NO_ROWS, panel, "SPY")

    assert outcome.status == "computed"
    assert math.isnan(outcome.proxy_return)


def test_replay_of_a_crash_of_nine_tenths_keeps_cash_and_the_rest() -> None:
    closes = np.full((len(SESSIONS), 3), 100.0)
    closes[FIRST + 5 :, 1] = 10.0
    outcome = replay_crisis(CRISIS, portfolio_of(0, 0.5, 0.3), NO_ROWS, crisis_panel(closes), "SPY")

    assert outcome.portfolio_return == pytest.approx(-0.45)
    assert outcome.max_drawdown == pytest.approx(-0.45)


@pytest.mark.parametrize("crisis", CRISES, ids=lambda crisis: crisis.name)
def test_replay_of_the_fund_on_the_index_returns_what_the_index_did(
    crisis: Crisis, real_market: Path
) -> None:
    prices = pd.read_csv(real_market / "yahoo" / "SPY.csv", parse_dates=["date"])
    panel = crisis_panel(prices[["adj_close"]].to_numpy(), pd.DatetimeIndex(prices["date"]))
    outcome = replay_crisis(crisis, portfolio_of(1.0), NO_ROWS, panel, "SPY")

    assert outcome.portfolio_return == pytest.approx(INDEX_RETURNS[crisis.name], abs=0.005)
    assert outcome.proxy_return == pytest.approx(outcome.portfolio_return)
    assert outcome.max_drawdown <= outcome.portfolio_return
