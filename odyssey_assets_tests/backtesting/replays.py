"""Stored weights for tests of backtests: random decisions on a market, stepped one by one.

The oracle beside the engine: `roll` takes the simulator through every session with `step`, as the
policies' rollout does, and keeps what it saw.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.engine import Backtest, replay
from odyssey_assets.core.cash_rate import cash_rate_of
from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import Book, Fills, Simulator, TradingCosts
from odyssey_assets.core.price_panel import PricePanel, build_price_panel
from odyssey_assets.core.windows import window_starts
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets_tests.features.markets import market_settings, small_market

CAPITAL = 1_000_000.0
LIMITS = Limits(max_weight=0.3, max_invested=0.8, min_cash=0.2)
OF_RULES = {"target_weight_seed_std": None, "seed_count": 0, "model_sha256": None}
COSTS = TradingCosts(10.0, 5.0, impact_coefficient=0.1, max_participation=0.1)


@dataclass(frozen=True, eq=False)
class Rolled:
    """A strategy's steps: one entry a session from its first decision on.

    Attributes:
        weights: Rows of `portfolio.weights`.
        fills: What each step returned, the first from the first decision to the next close.
    """

    weights: pd.DataFrame
    fills: list[Fills]

    @property
    def equity(self) -> np.ndarray:
        """Value at each close after the first decision's, shape (sessions - 1,)."""
        return np.array([float(step.equity[0]) for step in self.fills])


def market_panel() -> PricePanel:
    """Return splits, dividends, a late listing, gaps and filled sessions, with interest on cash."""
    market = small_market()
    return build_price_panel(
        market.bars, market_settings().tickers, cash_rate_of(market.macro, "TNX")
    )


def replayed(weights: pd.DataFrame, panel: PricePanel, costs: TradingCosts = COSTS) -> Backtest:
    """Return what the engine makes of weights under the limits and capital of `roll`."""
    limits = dict.fromkeys(weights["policy"].unique(), LIMITS)
    return replay(weights, panel, limits, costs, CAPITAL, np.zeros(len(panel), dtype=np.bool_))


def roll(
    policy: str,
    panel: PricePanel,
    *,
    first: int = 0,
    every: int = 5,
    seed: int = 0,
    limits: Limits = LIMITS,
    costs: TradingCosts = COSTS,
    capital: float = CAPITAL,
) -> Rolled:
    """Decide at random every few sessions, from row `first` on, and step to the panel's end.

    What is wanted at a session depends on nothing but the seed, the session and its closes.
    """
    simulator, book = Simulator(panel, limits, costs), Book.of_cash(capital, 1, len(panel.tickers))
    rows = range(first, len(panel))
    decides = np.array([(row - first) % every == 0 for row in rows])
    targets, held, fills = [], [], []
    for session, is_decision in zip(rows, decides, strict=True):
        row = np.array([session])
        if is_decision:
            wanted = random_target(panel, session, seed)
            target = simulator.feasible(book, row, wanted[None])
        targets.append(target[0])
        held.append(simulator.weights(book, row)[0])
        if session + 1 < len(panel):
            fills.append(simulator.step(book, row, target, np.array([is_decision])))
    known = panel.between(first, len(panel))
    at, ticker = np.nonzero(known.is_listed)
    dates = pd.DatetimeIndex(known.dates[at].astype("datetime64[us]"))
    frame = pd.DataFrame(
        {
            "date": dates,
            "ticker": np.array(panel.tickers)[ticker],
            "window": window_starts(dates),
            "is_decision": decides[at],
            "target_weight": np.array(targets)[at, ticker],
            "held_weight": np.array(held)[at, ticker],
            "is_halted": ~known.has_bar[at, ticker],
        }
    )
    return Rolled(WEIGHTS.conform(frame.assign(policy=policy, **OF_RULES)), fills)


def random_target(panel: PricePanel, session: int, seed: int) -> np.ndarray:
    """Return a target of a few tickers, made of the seed and the session's closes."""
    digits = np.frombuffer(np.ascontiguousarray(panel.close[session]).tobytes(), dtype=np.uint32)
    generator = np.random.default_rng([seed, session, *digits])
    wanted = generator.uniform(0, 0.5, len(panel.tickers))
    wanted[generator.random(len(wanted)) < 0.4] = 0.0
    return np.where(panel.is_listed[session], wanted, 0.0)


def weight_rows(
    policy: str, dates: pd.DatetimeIndex, targets: Mapping[int, Mapping[str, float]]
) -> pd.DataFrame:
    """Return rows of `portfolio.weights` with given targets; held weights are left at 0.

    Args:
        policy: The policy.
        dates: Sessions from the first decision on.
        targets: Wanted weights of every ticker by position of the deciding session.
    """
    frames = []
    for position, date in enumerate(dates):
        newest = max(decided for decided in targets if decided <= position)
        frame = pd.DataFrame(targets[newest].items(), columns=["ticker", "target_weight"])
        frames.append(frame.assign(date=date, is_decision=position in targets))
    rows = pd.concat(frames, ignore_index=True)
    return WEIGHTS.conform(
        rows.assign(
            policy=policy,
            window=window_starts(rows["date"]),
            held_weight=0.0,
            is_halted=False,
            **OF_RULES,
        )
    )
