"""How often drift alarms where nothing has changed, and how often it finds what has.

Simulated markets of five tickers and fifteen years, features as the platform computes them, folds
as it plans them. Without a break: the share of ticker-windows in which any look alarms, at the
checkpoints and at the end. With one: in each ticker's newest window a random tenth of all features
is moved by two standard deviations of what the model learned from, up or down, from the window's
first session on; the share in which any look alarms. No forecasts are made, so the verdict rests on
the features that models are given. Run `python -m benchmarks.drift_power`; shares are printed with
their standard error over markets, because tickers of one market share its stress.
"""

import argparse
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from benchmarks.measurement import print_conditions
from odyssey_assets.core.parallel import run_tasks
from odyssey_assets.core.windows import Window, windows_between
from odyssey_assets.features.catalog import FEATURES
from odyssey_assets.features.computation import compute_features
from odyssey_assets.forecasting.folds import plan_folds
from odyssey_assets.forecasting.tables import CHALLENGERS, PREDICTIONS
from odyssey_assets.market_data.sources.simulation.market import MarketPlan, simulate_market
from odyssey_assets.monitoring.drift.measurement import measure_drift
from odyssey_assets.monitoring.tables import METHODS
from odyssey_assets.settings import Settings, build_settings

PACKAGES = ("numpy", "pandas", "numba", "scipy")
TICKERS = ("SPY", "AAPL", "INTC", "HYG", "IEF")
START, END = date(2010, 1, 1), date(2024, 12, 31)
NAMES = [spec.name for spec in FEATURES]
SHARE_BROKEN, SHIFT_STD = 0.1, 2.0
WANTED_POWER = 0.95


@dataclass(frozen=True)
class MarketOutcome:
    """What happened in one market.

    Attributes:
        alarms: Rows `ticker`, `window`, `method`, `rests_on` (what set the thresholds) and
            `is_alarmed`, nothing having changed.
        found: Rows `ticker`, `method`, `is_alarmed` of the newest window, with the break.
    """

    alarms: pd.DataFrame
    found: pd.DataFrame


def market_features(seed: int, settings: Settings) -> pd.DataFrame:
    """Return the features of one market in which nothing ever breaks."""
    market = simulate_market(
        MarketPlan(
            seed=seed,
            tickers=TICKERS,
            start=START,
            end=END,
            predictability=settings.simulated.predictability,
            break_start=END,
            break_tickers=(),
        )
    )
    bars = [
        pd.DataFrame(
            {
                "ticker": pd.Series([ticker] * len(market.dates), dtype="str"),
                "date": market.dates,
                **{
                    name: getattr(market.bars, name)[:, column]
                    for name in ("open", "high", "low", "close", "volume")
                },
                "split_factor": np.cumprod(market.bars.split_ratio[:, column]),
                "total_return_factor": 1.0,
            }
        ).dropna()
        for column, ticker in enumerate(TICKERS)
    ]
    macro = [
        pd.DataFrame({"series": name, "date": market.dates, "value": values})
        for name, values in market.macro.items()
    ]
    return compute_features(pd.concat(bars), pd.concat(macro), settings).features


def fold_rows(
    features: pd.DataFrame, windows: Iterable[Window], settings: Settings
) -> pd.DataFrame:
    """Return what `forecasting.folds` would say of each ticker's windows, without fitting."""
    rows = []
    for ticker, own in features.groupby("ticker"):
        days = own["date"].to_numpy()
        for fold in plan_folds(days, tuple(windows), settings.forecasting):
            is_trained = fold.reason is None
            name = f"{settings.portfolio.forecast_model}/{ticker}/{fold.window.key}"
            rows.append(
                {
                    "ticker": ticker,
                    "window": pd.Timestamp(fold.window.start),
                    "model": settings.portfolio.forecast_model,
                    "status": "trained" if is_trained else "skipped",
                    "reason": fold.reason,
                    "train_start": days[fold.train.start] if is_trained else None,
                    "train_end": days[fold.train.stop - 1] if is_trained else None,
                    "data_sha256": name,
                    "model_name": name,
                    "model_sha256": name,
                }
            )
    return pd.DataFrame(rows)


def with_break(
    features: pd.DataFrame, folds: pd.DataFrame, window: Window, generator: np.random.Generator
) -> pd.DataFrame:
    """Return the features with a random tenth of them moved in one window, ticker by ticker."""
    moved = features.copy()
    newest = folds[folds["window"] == pd.Timestamp(window.start)]
    for fold in newest.itertuples():
        own = moved["ticker"] == fold.ticker
        learned = own & moved["date"].between(fold.train_start, fold.train_end)
        inside = own & (moved["date"] >= fold.window)
        chosen = list(generator.choice(NAMES, round(SHARE_BROKEN * len(NAMES)), replace=False))
        sign = generator.choice([-1.0, 1.0], len(chosen))
        moved.loc[inside, chosen] += SHIFT_STD * sign * moved.loc[learned, chosen].std(ddof=0)
    return moved


def outcome_of(settings: Settings, seed: int) -> MarketOutcome:
    """Measure one market without and with the break."""
    features = market_features(seed, settings)
    windows = windows_between(START, END)
    folds = fold_rows(features, windows, settings)
    challengers, forecasts = CHALLENGERS.empty(), PREDICTIONS.empty()
    quiet = measure_drift(
        features, folds, challengers, forecasts, (), dict.fromkeys(TICKERS, windows), settings, None
    ).drift
    newest = windows[-1]
    moved = with_break(features, folds, newest, np.random.default_rng(seed))
    broken = measure_drift(
        moved,
        folds,
        challengers,
        forecasts,
        (),
        dict.fromkeys(TICKERS, (newest,)),
        settings,
        None,
        past=quiet,
    ).drift
    return MarketOutcome(alarms_of(quiet, settings), alarms_of(broken, settings))


def alarms_of(drift: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return whether any look of each ticker's window alarms, by each method."""
    inputs = drift[drift["is_input"]]
    alarms = inputs.groupby(["ticker", "window", "method"], as_index=False).agg(
        is_alarmed=("is_drifted", "any")
    )
    place = alarms.groupby(["ticker", "method"])["window"].rank("dense")
    is_drawn = place <= settings.drift.min_past_windows
    return alarms.assign(rests_on=np.where(is_drawn, "draws", "windows"), place=place)


def share(outcomes: Sequence[pd.DataFrame]) -> str:
    """Return the share of alarms with its standard error over markets."""
    shares = np.array([outcome["is_alarmed"].mean() for outcome in outcomes])
    error = shares.std(ddof=1) / np.sqrt(len(shares)) if len(shares) > 1 else float("nan")
    return f"{shares.mean():6.1%} +- {error:.1%}"


def main() -> None:
    """Measure all markets and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=None, help="processes; None: all cores")
    arguments = parser.parse_args()

    print_conditions(PACKAGES)
    settings = build_settings(tickers=TICKERS)
    start = time.perf_counter()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.markets)
    outcomes = [one for _, one in run_tasks(outcome_of, settings, seeds, arguments.workers)]
    spent = time.perf_counter() - start
    rate = settings.drift.false_alarm_rate
    print(
        f"{len(outcomes)} markets of {len(TICKERS)} tickers in {spent:.0f} s; share of "
        f"ticker-windows that alarm, wanted at most {rate:.0%} and at least {WANTED_POWER:.0%}"
    )
    for method in METHODS:
        quiet = [one.alarms[one.alarms["method"] == method] for one in outcomes]
        by_rest = {
            name: share([rows[rows["rests_on"] == name] for rows in quiet])
            for name in ("windows", "draws")
        }
        found = share([one.found[one.found["method"] == method] for one in outcomes])
        chosen = " (the verdict's method)" if method == settings.drift.method else ""
        print(
            f"{method:15s} nothing changed: {by_rest['windows']} against earlier windows, "
            f"{by_rest['draws']} against draws; broken: {found}{chosen}"
        )


if __name__ == "__main__":
    main()
