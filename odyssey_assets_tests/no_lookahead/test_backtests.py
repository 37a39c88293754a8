import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.engine import backtest
from odyssey_assets.backtesting.performance import measure_performance
from odyssey_assets.core.cash_rate import cash_rate_of
from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.core.price_panel import build_price_panel
from odyssey_assets.core.windows import parse_window
from odyssey_assets.portfolio.catalog import POLICIES
from odyssey_assets.portfolio.tables import SEED_PATHS
from odyssey_assets.settings import Settings
from odyssey_assets_tests.backtesting.replays import roll
from odyssey_assets_tests.features.markets import PROXY, market_settings, small_market
from odyssey_assets_tests.no_lookahead.harness import Market, leaking_columns, random_days

LIMITS = {entry.name: entry.limits(market_settings()) for entry in POLICIES}
PLANS = {"equal_weight": (20, 1), "momentum": (60, 7), "buy_and_hold": (90, 10_000)}


@pytest.fixture(scope="module")
def market() -> Market:
    return small_market()


@pytest.fixture(scope="module")
def days(market: Market) -> list[pd.Timestamp]:
    sessions = pd.Series(np.unique(market.bars["date"]))
    return [*random_days(sessions.iloc[150:], count=3, seed=5), pd.Timestamp("2012-06-29")]


def impatient() -> Settings:
    """Return settings whose orders wait and move prices, so that everything is in play."""
    return market_settings(
        costs={"impact_coefficient": 0.5, "max_participation": 0.001},
        portfolio={"cash_rate_series": "TNX"},
    )


def stored_weights(market: Market) -> pd.DataFrame:
    """Return decisions made of the closes of their own session: the future changes later ones."""
    settings = impatient()
    panel = build_price_panel(market.bars, settings.tickers, cash_rate_of(market.macro, "TNX"))
    costs = TradingCosts(**settings.costs.model_dump())
    rolled = [
        roll(
            name, panel, first=first, every=every, seed=first, limits=LIMITS[name], costs=costs
        ).weights
        for name, (first, every) in PLANS.items()
    ]
    return pd.concat(rolled, ignore_index=True)


def daily_of(market: Market) -> pd.DataFrame:
    return backtest(stored_weights(market), market.bars, market.macro, impatient()).daily


def trades_of(market: Market) -> pd.DataFrame:
    return backtest(stored_weights(market), market.bars, market.macro, impatient()).trades


def test_daily_rows_on_cut_and_scrambled_history_keep_every_bit(
    market: Market, days: list[pd.Timestamp]
) -> None:
    assert leaking_columns(daily_of, market, days) == {}
    daily = daily_of(market)
    for column in ("unfilled_value", "impact", "interest", "limit_excess", "drawdown"):
        assert (daily[column] != 0).any(), column


def test_trades_on_cut_and_scrambled_history_keep_every_bit(
    market: Market, days: list[pd.Timestamp]
) -> None:
    assert leaking_columns(trades_of, market, days) == {}


def test_finished_windows_keep_every_bit(market: Market, days: list[pd.Timestamp]) -> None:
    def finished(market: Market) -> pd.DataFrame:
        rows = measure_performance(daily_of(market), SEED_PATHS.empty(), market.bars, PROXY)
        windows = rows[rows["period_kind"] == "window"]
        ends = windows["period"].map(lambda name: pd.Timestamp(parse_window(name).end))
        return windows[ends <= market.bars["date"].max() + pd.Timedelta(days=4)]

    assert leaking_columns(finished, market, days[-2:], date_column="end_date") == {}
    assert finished(market)["period"].nunique() >= 4


def test_canary_that_sees_the_next_session_is_caught(
    market: Market, days: list[pd.Timestamp]
) -> None:
    def leaking(market: Market) -> pd.DataFrame:
        daily = daily_of(market)
        return daily.assign(equity=daily.groupby("strategy")["equity"].shift(-1))

    assert set(leaking_columns(leaking, market, days[:1])) == {"equity"}
