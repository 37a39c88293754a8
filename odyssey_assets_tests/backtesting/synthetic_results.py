"""Tables of `portfolio` and `backtesting` made of random walks, for tests of what draws them.

Every frame keeps its contract. The figures are coherent where a picture could show that they are
not (equity compounds, drawdowns follow equity), and otherwise random.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.crises import CRISES
from odyssey_assets.backtesting.shocks import (
    CORRELATIONS_TO_ONE,
    COSTS_TRIPLED,
    MARKET_MOVES,
    VOLATILITY_DOUBLED,
)
from odyssey_assets.backtesting.tables import (
    DAILY,
    MONTE_CARLO,
    PERFORMANCE,
    REGIMES,
    STRESS,
    TRADES,
)
from odyssey_assets.core import drawdowns, returns, sharpe_uncertainty
from odyssey_assets.core.sessions import SESSIONS_PER_YEAR, sessions_between
from odyssey_assets.core.windows import window_starts
from odyssey_assets.portfolio.tables import SEED_PATHS, TRAINING_CURVES, WEIGHTS

CAPITAL = 1_000_000.0
LEARNED = "ppo"
STRATEGIES = (
    "ppo", "equal_weight", "inverse_volatility", "momentum", "minimum_variance",
    "hierarchical_risk_parity", "forecast_top_k", "forecast_kelly", "buy_and_hold",
)  # fmt: skip
TICKERS = (
    "AAPL", "NVDA", "TSLA", "MSFT", "GOOGL", "AMZN", "META", "SPY",
    "QQQ", "EFA", "IEF", "HYG", "BIL", "INTC", "AMD",
)  # fmt: skip
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
REPLAYS = {crisis.name: crisis for crisis in CRISES}
SHOCKS = (*MARKET_MOVES, VOLATILITY_DOUBLED, CORRELATIONS_TO_ONE, COSTS_TRIPLED)


@dataclass(frozen=True)
class SyntheticResults:
    """One frame a table."""

    daily: pd.DataFrame
    trades: pd.DataFrame
    performance: pd.DataFrame
    monte_carlo: pd.DataFrame
    stress: pd.DataFrame
    regimes: pd.DataFrame
    weights: pd.DataFrame
    seed_paths: pd.DataFrame


def synthetic_results(
    strategies: tuple[str, ...] = STRATEGIES,
    *,
    first: date = date(2013, 1, 2),
    last: date = date(2025, 6, 30),
    seeds: int = 3,
    is_simulated: bool = False,
    tickers: tuple[str, ...] = TICKERS,
) -> SyntheticResults:
    """Return the tables of a market of one factor; the learned policy starts two years late."""
    rng = np.random.default_rng(7)
    sessions = sessions_between(first, last)
    market = 0.0005 + 0.009 * rng.standard_t(4, len(sessions)) / np.sqrt(2)
    daily, weights, paths = [], [], []
    for at, strategy in enumerate(strategies):
        skipped = min(2 * SESSIONS_PER_YEAR, len(sessions) // 4) if strategy == LEARNED else 0
        own = sessions[skipped:]
        change = (0.6 + 0.03 * at) * market[skipped:] + 0.003 * rng.standard_normal(len(own))
        weights.append(_weights(strategy, own, tickers, rng, seeds))
        daily.append(_daily(strategy, own, change, rng, is_simulated=is_simulated))
        if strategy == LEARNED:
            paths.append(_seed_paths(own, change, rng, seeds))
    days = DAILY.conform(pd.concat(daily))
    return SyntheticResults(
        days,
        TRADES.conform(_trades(days, tickers, rng)),
        PERFORMANCE.conform(_performance(days, seeds)),
        MONTE_CARLO.conform(_monte_carlo(days)),
        STRESS.conform(_stress(days, rng)),
        REGIMES.conform(_regimes(days, rng)),
        WEIGHTS.conform(pd.concat(weights)),
        SEED_PATHS.conform(pd.concat(paths)) if paths else SEED_PATHS.empty(),
    )


def synthetic_curves(
    windows: int = 21, *, seeds: int = 3, checkpoint_steps: int = 50_000
) -> pd.DataFrame:
    """Return rows of `portfolio.training_curves`; extra seeds in the newest window only."""
    rng = np.random.default_rng(3)
    starts = pd.date_range("2014-07-01", periods=windows, freq="6MS")
    rows = []
    for at, window in enumerate(starts):
        is_newest = at == windows - 1
        for seed in range(42, 42 + (seeds if is_newest else 1)):
            is_scratch = at == 0 or seed > 42
            count = 11 if is_scratch else 3
            score = rng.normal(0.4, 0.6) + 0.12 * np.arange(count) + rng.normal(0, 0.25, count)
            rows.append(
                pd.DataFrame(
                    {
                        "window": window,
                        "policy": LEARNED,
                        "seed": seed,
                        "steps": checkpoint_steps * np.arange(count),
                        "mean_reward": np.r_[
                            np.nan, 0.01 * np.tanh(np.arange(1, count)) + rng.normal(0, 0.002)
                        ],
                        "validation_sharpe": score,
                        "validation_return": 0.05 * score,
                        "validation_turnover": 0.2,
                        "is_selected": np.arange(count) == np.argmax(score),
                    }
                )
            )
    return TRAINING_CURVES.conform(pd.concat(rows))


def synthetic_fan(daily: pd.DataFrame, path_sessions: int = SESSIONS_PER_YEAR) -> pd.DataFrame:
    """Return quantiles of wealth along resampled paths; session 0 is the start."""
    rng = np.random.default_rng(5)
    parts = []
    for strategy, own in daily.groupby("strategy"):
        paths = rng.choice(own["return"].to_numpy(), (200, path_sessions))
        growth = np.c_[np.ones(200), returns.compounded_growth(paths)]
        wealth = np.quantile(growth, QUANTILES, axis=0)
        parts.append(
            pd.DataFrame(
                {
                    "strategy": strategy,
                    "session": np.tile(np.arange(path_sessions + 1), len(QUANTILES)),
                    "quantile": np.repeat(QUANTILES, path_sessions + 1),
                    "wealth": wealth.ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _daily(
    strategy: str,
    sessions: pd.DatetimeIndex,
    change: np.ndarray,
    rng: np.random.Generator,
    *,
    is_simulated: bool,
) -> pd.DataFrame:
    equity = CAPITAL * returns.compounded_growth(change)
    before = np.r_[CAPITAL, equity[:-1]]
    turnover = np.where(rng.random(len(sessions)) < 0.05, 0.3, 0.0) * rng.random(len(sessions))
    turnover[0] = 0.8
    commission, slippage = 0.001 * turnover * before, 0.0005 * turnover * before
    return pd.DataFrame(
        {
            "strategy": strategy,
            "date": sessions,
            "window": window_starts(sessions),
            "equity": equity,
            "return": change,
            "gross_exposure": 0.8,
            "cash_weight": 0.2,
            "turnover": turnover,
            "price_gain": equity - before + commission + slippage,
            "interest": 0.0,
            "commission": commission,
            "slippage": slippage,
            "impact": 0.0,
            "unfilled_value": 0.0,
            "limit_excess": 0.0,
            "drawdown": drawdowns.drawdowns(change),
            "is_simulated": is_simulated,
        }
    )


def _weights(
    strategy: str,
    sessions: pd.DatetimeIndex,
    tickers: tuple[str, ...],
    rng: np.random.Generator,
    seeds: int,
) -> pd.DataFrame:
    walk = np.cumsum(0.03 * rng.standard_normal((len(sessions), len(tickers))), axis=0)
    share = np.exp(walk)
    held = 0.8 * share / share.sum(axis=1, keepdims=True)
    count = len(sessions) * len(tickers)
    is_learned = strategy == LEARNED
    return pd.DataFrame(
        {
            "policy": strategy,
            "date": np.repeat(sessions, len(tickers)),
            "ticker": np.tile(np.array(tickers, dtype=object), len(sessions)),
            "window": np.repeat(window_starts(sessions), len(tickers)),
            "is_decision": True,
            "target_weight": held.ravel(),
            "held_weight": np.roll(held, 1, axis=0).ravel(),
            "is_halted": False,
            "target_weight_seed_std": np.full(count, 0.02 if is_learned and seeds > 1 else np.nan),
            "seed_count": seeds if is_learned else 0,
            "model_sha256": "ab" * 32 if is_learned else None,
        }
    )


def _seed_paths(
    sessions: pd.DatetimeIndex, change: np.ndarray, rng: np.random.Generator, seeds: int
) -> pd.DataFrame:
    newest = window_starts(sessions) == window_starts(sessions)[-1]
    rows = []
    for seed in range(seeds):
        own = np.where(
            newest & (seed > 0), change + 0.004 * rng.standard_normal(len(change)), change
        )
        rows.append(
            pd.DataFrame(
                {
                    "policy": LEARNED,
                    "seed": 42 + seed,
                    "date": sessions,
                    "window": window_starts(sessions),
                    "equity": CAPITAL * returns.compounded_growth(own),
                    "return": own,
                    "is_main_seed": seed == 0,
                    "is_own_training": newest | (seed == 0),
                }
            )
        )
    return pd.concat(rows)


def _performance(daily: pd.DataFrame, seeds: int) -> pd.DataFrame:
    begins = daily.groupby("strategy")["date"].min().max()
    rows = []
    for strategy, own in daily.groupby("strategy"):
        years = own["date"].dt.year
        parts = [("whole", "whole", own), ("common", "common", own[own["date"] >= begins])]
        parts += [(str(year), "year", own[years == year]) for year in sorted(years.unique())]
        rows += [
            _performance_row(str(strategy), period, kind, part, seeds)
            for period, kind, part in parts
        ]
    return pd.DataFrame(rows)


def _performance_row(
    strategy: str, period: str, kind: str, rows: pd.DataFrame, seeds: int
) -> dict[str, object]:
    change = rows["return"].to_numpy()
    years = len(rows) / SESSIONS_PER_YEAR
    costs = float((rows["commission"] + rows["slippage"]).sum() / rows["equity"].mean())
    sharpe, depth = float(returns.sharpe(change)), float(drawdowns.max_drawdown(change))
    total = float(returns.total_return(change))
    is_learned = strategy == LEARNED and seeds > 0
    spread = np.array([-0.08, 0.05]) if is_learned else np.full(2, np.nan)
    return {
        "strategy": strategy,
        "period": period,
        "period_kind": kind,
        "start_date": rows["date"].iloc[0],
        "end_date": rows["date"].iloc[-1],
        "sessions": len(rows),
        "total_return": total,
        "cagr": float(returns.cagr(change)),
        "volatility": float(returns.volatility(change)),
        "sharpe": sharpe,
        "sharpe_standard_error": float(sharpe_uncertainty.sharpe_standard_error(change)),
        "probabilistic_sharpe": float(sharpe_uncertainty.probabilistic_sharpe(change)),
        "sortino": float(returns.sortino(change)),
        "calmar": float(drawdowns.calmar(change)),
        "max_drawdown": depth,
        "max_drawdown_sessions": float(drawdowns.max_drawdown_sessions(change)),
        "win_rate": float(returns.win_rate(change)),
        "profit_factor": float(returns.profit_factor(change)),
        "turnover": float(rows["turnover"].sum() / years),
        "annual_cost": costs / years,
        "cost_share": costs / total if total > 0 else np.nan,
        "beta": 0.7,
        "correlation": 0.9,
        "value_at_risk_95": float(returns.value_at_risk(change)),
        "expected_shortfall_95": float(returns.expected_shortfall(change)),
        "seed_count": seeds if strategy == LEARNED else 0,
        "sharpe_seed_low": sharpe + spread[0],
        "sharpe_seed_high": sharpe + spread[1],
        "total_return_seed_low": total + spread[0],
        "total_return_seed_high": total + spread[1],
        "max_drawdown_seed_low": max(depth + spread[0], -1.0) if is_learned else np.nan,
        "max_drawdown_seed_high": min(depth + spread[1], 0.0) if is_learned else np.nan,
        "is_simulated": bool(rows["is_simulated"].any()),
    }


def _monte_carlo(daily: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    rows = []
    for strategy, own in daily.groupby("strategy"):
        change = own["return"].to_numpy()
        paths = rng.choice(change, (400, SESSIONS_PER_YEAR))
        drawn = {
            "terminal_wealth": 1 + returns.total_return(paths),
            "sharpe": returns.sharpe(paths),
            "max_drawdown": drawdowns.max_drawdown(paths),
        }
        for quantity, values in drawn.items():
            rows.append(
                pd.DataFrame(
                    {
                        "strategy": strategy,
                        "quantity": quantity,
                        "quantile": QUANTILES,
                        "value": np.quantile(values, QUANTILES)
                        if len(change) > 1 or quantity != "sharpe"
                        else np.nan,
                        "probability_of_loss": float(np.mean(drawn["terminal_wealth"] < 1)),
                        "paths": 400,
                        "path_sessions": SESSIONS_PER_YEAR,
                        "block_sessions": 20.0,
                        "sessions": len(own),
                        "is_simulated": bool(own["is_simulated"].any()),
                    }
                )
            )
    return pd.concat(rows)


def _stress(daily: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for strategy, own in daily.groupby("strategy"):
        for scenario in (*REPLAYS, *SHOCKS):
            is_replay = scenario in REPLAYS
            start = pd.Timestamp(REPLAYS[scenario].start) if is_replay else pd.NaT
            end = pd.Timestamp(REPLAYS[scenario].end) if is_replay else pd.NaT
            is_known = not is_replay or scenario > "2012"
            loss = -0.3 * float(rng.random())
            rows.append(
                {
                    "strategy": strategy,
                    "scenario": scenario,
                    "kind": "replay" if is_replay else "shock",
                    "status": "computed" if is_known else "no_data",
                    "method": ("own_path" if is_replay else "shock") if is_known else None,
                    "reason": None if is_known else "Prices run from 2013-01-02 on.",
                    "start_date": start,
                    "end_date": end,
                    "sessions": (60 if is_replay else 0) if is_known else 0,
                    "portfolio_return": loss if is_known else np.nan,
                    "unshocked_return": np.nan if is_replay else loss / 2,
                    "max_drawdown": 1.2 * loss if is_known else np.nan,
                    "proxy_return": 1.1 * loss if is_known else np.nan,
                    "volatility": 0.3 if is_known else np.nan,
                    "annual_cost": 0.01 if is_known and is_replay else np.nan,
                    "unshocked_volatility": np.nan,
                    "covered_weight": np.nan if is_replay else 1.0,
                    "is_simulated": bool(own["is_simulated"].any()),
                }
            )
    return pd.DataFrame(rows)


def _regimes(daily: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for strategy, own in daily.groupby("strategy"):
        for regime, share in {-1: 0.1, 0: 0.4, 1: 0.35, 2: 0.15}.items():
            rows.append(
                {
                    "strategy": strategy,
                    "regime": regime,
                    "sessions": int(share * len(own)),
                    "share": share,
                    "mean_annual_return": 0.1 * float(rng.normal(1, 0.5)),
                    "volatility": 0.08 + 0.06 * max(regime, 0),
                    "sharpe": float(rng.normal(1 - 0.4 * regime, 0.3)),
                    "sharpe_standard_error": 0.5,
                    "max_drawdown": -0.1 * (1 + max(regime, 0)),
                    "win_rate": 0.54,
                    "turnover": 3.0,
                    "is_simulated": bool(own["is_simulated"].any()),
                }
            )
    return pd.DataFrame(rows)


def _trades(
    daily: pd.DataFrame, tickers: tuple[str, ...], rng: np.random.Generator
) -> pd.DataFrame:
    rows = []
    for strategy, own in daily.groupby("strategy"):
        traded = own[own["turnover"] > 0]
        size = len(traded)
        value = traded["turnover"].to_numpy() * CAPITAL * np.where(rng.random(size) < 0.4, -1, 1)
        price = 20 + 300 * rng.random(size)
        rows.append(
            pd.DataFrame(
                {
                    "strategy": strategy,
                    "date": traded["date"].to_numpy(),
                    "ticker": np.resize(np.array(tickers, dtype=object), size),
                    "window": traded["window"].to_numpy(),
                    "decided_on": traded["date"].to_numpy() - np.timedelta64(1, "D"),
                    "weight_before": 0.05,
                    "weight_after": 0.1,
                    "price": price,
                    "shares": value / price,
                    "traded_value": value,
                    "commission": 0.001 * np.abs(value),
                    "slippage": 0.0005 * np.abs(value),
                    "impact": 0.0,
                    "costs": 0.0015 * np.abs(value),
                    "participation": np.where(rng.random(size) < 0.1, np.nan, 0.001),
                    "unfilled_value": 0.0,
                }
            )
        )
    return pd.concat(rows)
