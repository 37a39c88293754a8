"""Forecasts travel in the macro frame, series by ticker, so that they are cut and scrambled too."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.portfolio.catalog import POLICIES, rule_contenders
from odyssey_assets.portfolio.contender import Contender, Stretch
from odyssey_assets.portfolio.market import MarketView, PortfolioMarket, build_market
from odyssey_assets.portfolio.rollout import roll_out
from odyssey_assets.portfolio.weight_table import weight_rows
from odyssey_assets.settings import Settings
from odyssey_assets_tests.features.markets import market_settings, small_market
from odyssey_assets_tests.no_lookahead.harness import (
    ROWS,
    Computation,
    Market,
    leaking_columns,
    random_days,
)

RULES = [entry.name for entry in POLICIES if not entry.is_learned]
COSTS = TradingCosts(10.0, 5.0, impact_coefficient=0.3, max_participation=0.01)
CAPITAL = 1e6
FIGURES = ("target_weight", "held_weight", "is_decision")


def settings() -> Settings:
    return market_settings(portfolio={"lookback_sessions": 60, "max_weight": 0.4, "top_k": 2})


@pytest.fixture(scope="module")
def market() -> Market:
    market = small_market()
    known = market.bars[["ticker", "date"]].rename(columns={"ticker": "series"})
    forecasts = np.random.default_rng(3).normal(0.002, 0.01, len(known))
    return Market(market.bars, known.assign(value=forecasts))


@pytest.fixture(scope="module")
def days(market: Market) -> list[pd.Timestamp]:
    firsts_of_month = [pd.Timestamp("2012-08-31"), pd.Timestamp("2012-09-04")]
    return [*random_days(market.bars["date"], count=3, seed=8), *firsts_of_month]


def portfolio_market(market: Market) -> PortfolioMarket:
    made = market.macro.rename(columns={"series": "ticker", "value": "prediction"})
    made = made[made["date"].isin(market.bars["date"])]
    predictions = made.assign(
        model="xgboost", horizon=5, lower=made["prediction"] - 0.01, upper=made["prediction"] + 0.01
    )
    return build_market(market.bars, predictions, settings().tickers, "xgboost", 5)


def weights_of(market: Market) -> pd.DataFrame:
    """Return the stored weights of all rules, one column a rule and figure."""
    seen, contenders = portfolio_market(market), rule_contenders(settings())
    rows = weight_rows(roll_out(seen, contenders, COSTS, CAPITAL), seen, contenders)
    rows["is_decision"] = rows["is_decision"].astype(float)
    wide = rows.pivot_table(index=["date", "ticker"], columns="policy", values=list(FIGURES))
    wide.columns = [f"{policy} {figure}" for figure, policy in wide.columns]
    return wide.reindex(
        columns=[f"{name} {one}" for name in RULES for one in FIGURES]
    ).reset_index()


@pytest.fixture(scope="module")
def leaks(market: Market, days: list[pd.Timestamp]) -> dict[str, str]:
    return leaking_columns(weights_of, market, days)


@pytest.mark.parametrize("name", RULES)
def test_weights_of_a_rule_on_cut_and_scrambled_future_keep_every_bit(
    name: str, leaks: dict[str, str]
) -> None:
    own = {column: where for column, where in leaks.items() if column.startswith(f"{name} ")}
    assert own == {}
    assert ROWS not in leaks


def test_every_rule_has_decided_before_most_days(market: Market, days: list[pd.Timestamp]) -> None:
    weights = weights_of(market).set_index("date")
    for name in RULES:
        first = weights.index[weights[f"{name} is_decision"] == 1].min()
        assert sum(first < day for day in days) >= 2, name


def test_scrambled_future_changes_what_every_rule_holds(market: Market) -> None:
    day = pd.Timestamp("2011-06-15")
    other = replace(market, bars=market.bars.copy(), macro=market.macro.copy())
    noise = np.exp(np.random.default_rng(0).normal(0, 0.1, len(other.bars)))
    other.bars.loc[other.bars["date"] > day, "close"] *= noise[other.bars["date"] > day]
    other.macro.loc[other.macro["date"] > day, "value"] *= -1
    whole, found = weights_of(market), weights_of(other)
    for name in RULES:
        assert not whole[f"{name} held_weight"].equals(found[f"{name} held_weight"]), name


@dataclass(frozen=True)
class Clairvoyant:
    """Leak on purpose: holds what will rise next, which no view says."""

    whole: PortfolioMarket

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
        """Return weights of the tickers that close higher on the next session."""
        close = self.whole.panel.close
        session = min(len(view.panel), len(close) - 1)
        return np.where(close[session] > close[session - 1], 0.2, 0.0)


def test_policy_that_looks_ahead_is_caught(market: Market, days: list[pd.Timestamp]) -> None:
    def leaking(market: Market) -> pd.DataFrame:
        seen = portfolio_market(market)
        limits = rule_contenders(settings())[0].limits
        one = Contender("leak", None, True, "daily", limits, (Stretch(None, Clairvoyant(seen)),))
        return weight_rows(roll_out(seen, (one,), COSTS, CAPITAL), seen, (one,))

    computation: Computation = leaking
    assert "target_weight" in leaking_columns(computation, market, days)
