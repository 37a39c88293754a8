"""Nothing that the simulator books up to a day may change when the days after it do."""

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core import execution_kernels as kernels
from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import Simulator, TradingCosts
from odyssey_assets.core.price_panel import PricePanel, build_price_panel
from odyssey_assets_tests.features.markets import GAPPY, LATE, PLAIN, PROXY, small_market
from odyssey_assets_tests.no_lookahead.harness import Market, leaking_columns, random_days

TICKERS = (PROXY, PLAIN, LATE, GAPPY)
COSTS = TradingCosts(10.0, 5.0, impact_coefficient=1.0, max_participation=0.001)
LIMITS = Limits(max_weight=0.4, max_invested=0.8, min_cash=0.2)
MARKET = small_market()
DAYS = random_days(MARKET.bars["date"], count=6, seed=5)


def panel_of(market: Market) -> PricePanel:
    rate = market.macro[market.macro["series"] == "TNX"].set_index("date")["value"].sort_index()
    return build_price_panel(market.bars, TICKERS, rate)


def booked(panel: PricePanel, targets: np.ndarray) -> pd.DataFrame:
    """Return all that was booked each session, and the held weight of every ticker at its close."""
    decides = np.arange(len(panel)) % 5 == 0
    fills = Simulator(panel, LIMITS, COSTS).simulate(
        targets[None], decides[None], np.array([0]), 1e6
    )
    units = np.cumsum(fills.by_ticker[0, :, kernels.UNITS_FILLED], axis=0)
    held = np.where(units != 0, units * panel.close, 0.0) / fills.equity[0][:, None]
    columns = [f"total_{number}" for number in range(kernels.TOTALS)]
    return pd.DataFrame(np.hstack([fills.totals[0], held]), columns=[*columns, *TICKERS]).assign(
        date=panel.dates.astype("datetime64[us]")
    )


def blind(market: Market) -> pd.DataFrame:
    """Book targets that look at nothing, so that only the simulator could look ahead."""
    panel = panel_of(market)
    return booked(panel, np.random.default_rng(2).uniform(-0.1, 0.5, panel.close.shape))


def peeping(market: Market) -> pd.DataFrame:
    """Leak on purpose: hold what will have risen ten sessions on."""
    panel = panel_of(market)
    later = np.vstack([panel.close[10:], np.tile(panel.close[-1:], (10, 1))])
    return booked(panel, np.where(later > panel.close, 0.4, 0.0))


def test_what_is_booked_keeps_every_bit_when_the_future_is_cut_or_scrambled() -> None:
    assert leaking_columns(blind, MARKET, DAYS) == {}


def test_test_market_makes_the_simulator_trade_wait_and_earn() -> None:
    rows = blind(MARKET)
    for figure in (kernels.TURNOVER, kernels.UNFILLED, kernels.INTEREST, kernels.IMPACT):
        assert (rows[f"total_{figure}"] > 0).mean() > 0.1
    assert (rows[list(TICKERS)] > 0).any().all()


@pytest.mark.parametrize("column", [f"total_{kernels.EQUITY}", PLAIN])
def test_targets_that_look_ahead_are_caught(column: str) -> None:
    assert column in leaking_columns(peeping, MARKET, DAYS)
