from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import Simulator, TradingCosts
from odyssey_assets.portfolio.gym_environment import PortfolioEnv
from odyssey_assets.portfolio.market import PortfolioMarket, build_market
from odyssey_assets.settings_sections import PPOSettings
from odyssey_assets_tests.features.markets import market_settings, small_market
from odyssey_assets_tests.no_lookahead.harness import Market, leaking_columns, random_days

TICKERS = market_settings().tickers
# Far longer than the market: an episode that begins at its first session and ends at its last.
SETTINGS = PPOSettings(episode_sessions=1_000_000)
LIMITS, COSTS = Limits(0.4, 0.8, 0.2), TradingCosts(10.0, 5.0, 0.1, 0.05)
ACTIONS = np.random.default_rng(0).uniform(-1, 1, (5000, len(TICKERS))).astype(np.float32)


def _portfolio_market(market: Market) -> PortfolioMarket:
    """Forecast that the last five sessions go on."""
    bars = market.bars
    momentum = bars.groupby("ticker")["close"].pct_change(5)
    predictions = bars[["ticker", "date"]].assign(
        model="momentum", horizon=5, prediction=momentum, lower=momentum - 1, upper=momentum + 1
    )
    rate = market.macro.query("series == 'TNX'").set_index("date")["value"]
    return build_market(bars, predictions, TICKERS, "momentum", 5, rate)


def _tomorrows_forecasts(market: Market) -> PortfolioMarket:
    """Leak on purpose: show each forecast a session early."""
    honest = _portfolio_market(market)
    early = np.vstack([honest.forecasts[1:], np.zeros((1, len(TICKERS)))])
    return replace(honest, forecasts=early)


def _played(build: Callable[[Market], PortfolioMarket]) -> Callable[[Market], pd.DataFrame]:
    """Return what plays a market: what is seen and earned, dated by the close it is known at."""

    def play(market: Market) -> pd.DataFrame:
        own = build(market)
        env = PortfolioEnv(
            own, 0, len(own.panel) - 1, np.full(len(TICKERS), 0.05),
            Simulator(own.panel, LIMITS, COSTS), SETTINGS, LIMITS.max_weight, 1e6, 0,
        )  # fmt: skip
        seen, _ = env.reset()
        assert env.episodes.sessions == 0
        rows = [[np.nan, 1e6, *seen]]
        is_over = False
        while not is_over:
            session = int(env.episodes.sessions[0])
            seen, reward, _, is_over, _ = env.step(ACTIONS[session])
            rows.append([reward, float(env.episodes.equity[0]), *seen])
        names = [f"observation_{at}" for at in range(2 * len(TICKERS))]
        frame = pd.DataFrame(rows, columns=["reward", "equity", *names])
        return frame.assign(date=own.panel.dates.astype("datetime64[us]"))

    return play


@pytest.fixture(scope="module")
def market() -> Market:
    return small_market()


def test_observations_and_rewards_on_cut_and_scrambled_future_keep_every_bit(
    market: Market,
) -> None:
    play = _played(_portfolio_market)
    whole = play(market)
    days = random_days(whole["date"], count=5, seed=2)
    assert leaking_columns(play, market, days) == {}
    # All that is compared says something: it differs from session to session.
    assert (whole.drop(columns="date").iloc[310:].nunique() > 100).all()


def test_environment_that_shows_forecasts_early_is_caught(market: Market) -> None:
    days = random_days(market.bars["date"], count=3, seed=2)
    leaks = leaking_columns(_played(_tomorrows_forecasts), market, days)
    assert "observation_0" in leaks
