"""Made-up policies and what they held: a learned one, two yardsticks, and one that never buys.

The learned policy decides daily from the first forecast on, with one training in older windows and
three in the newest; `equal_weight` decides so that two of its orders meet sessions without a bar.
Fills and equity belong to `backtests`, the books of both to `ledger`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.windows import window_starts
from odyssey_assets.portfolio.tables import POLICIES, SEED_PATHS, TRAINING_CURVES, WEIGHTS
from odyssey_assets_tests.dbt_like_sql.ledger import CAPITAL_USD, Ledger, Prices, keep_books

LEARNED = "ppo"
SEEDS = (42, 43, 44)
MAX_WEIGHT = 0.2


def open_books(
    prices: Prices, predictions: pd.DataFrame, random: np.random.Generator
) -> Mapping[str, Ledger]:
    """Return the books of every strategy by name."""
    shape = prices.close.shape
    session = np.arange(shape[0])
    is_listed = ~np.isnan(prices.close)
    has_forecasts = np.asarray(prices.dates >= predictions["date"].min())
    proxy = np.zeros(shape)
    proxy[:, 0] = 0.8
    return {
        LEARNED: keep_books(prices, random.uniform(0, MAX_WEIGHT, shape), has_forecasts),
        "equal_weight": keep_books(prices, MAX_WEIGHT * is_listed, session % 20 == 19),
        "buy_and_hold": keep_books(prices, proxy, session == 0),
        "momentum": keep_books(prices, np.zeros(shape), session % 20 == 10),
    }


def portfolio_tables(
    books: Mapping[str, Ledger],
    prices: Prices,
    predictions: pd.DataFrame,
    random: np.random.Generator,
) -> dict[TableContract, pd.DataFrame]:
    """Return the rows of every table of `portfolio`."""
    windows = pd.DatetimeIndex(np.unique(window_starts(predictions["date"])))
    policies = _policies(windows)
    return {
        POLICIES: policies,
        TRAINING_CURVES: _training_curves(policies),
        WEIGHTS: pd.concat(
            [_weights(name, ledger, prices, windows) for name, ledger in books.items()],
            ignore_index=True,
        ),
        SEED_PATHS: _seed_paths(books[LEARNED], prices, windows, random),
    }


def model_of(window: pd.Timestamp, seed: int = SEEDS[0]) -> str:
    """Return the SHA-256, made up, of the policy that was trained before a window."""
    return f"{LEARNED} {window:%Y-%m-%d} {seed}"


def _policies(windows: pd.DatetimeIndex) -> pd.DataFrame:
    day = pd.Timedelta(days=1)
    trained = [
        {
            "window": window, "seed": seed, "is_main_seed": seed == SEEDS[0], "status": "trained",
            "train_start": window - 700 * day, "train_end": window - 190 * day,
            "valid_start": window - 180 * day, "valid_end": window - 3 * day, "steps": 100_000,
            "selected_steps": 50_000, "validation_sharpe": 0.5 + 0.1 * (seed - SEEDS[0]),
            "training_reward": 0.01, "hyperparameters": "{}", "threads": 1, "data_sha256": "d",
            "model_name": f"policies/{LEARNED}", "model_sha256": model_of(window, seed),
        }
        for window in windows
        for seed in (SEEDS if window == windows[-1] else SEEDS[:1])
    ]  # fmt: skip
    skipped = {
        "window": windows[0] - pd.DateOffset(months=6), "seed": SEEDS[0], "is_main_seed": True,
        "status": "skipped", "reason": "no forecasts to learn from", "steps": 0,
    }  # fmt: skip
    frame = pd.DataFrame([skipped, *trained], columns=list(POLICIES.column_names))
    return frame.assign(policy=LEARNED)


def _training_curves(policies: pd.DataFrame) -> pd.DataFrame:
    trained = policies.loc[
        policies["status"] == "trained", ["window", "policy", "seed", "validation_sharpe"]
    ]
    steps = pd.DataFrame({"steps": [0, 50_000, 100_000], "mean_reward": [np.nan, 0.01, 0.02]})
    curves = trained.merge(steps, how="cross").assign(
        validation_return=0.05, validation_turnover=0.02
    )
    is_selected = curves["steps"] == 50_000
    return curves.assign(
        is_selected=is_selected,
        validation_sharpe=curves["validation_sharpe"].where(is_selected, 0.1),
    )


def _weights(
    policy: str, ledger: Ledger, prices: Prices, windows: pd.DatetimeIndex
) -> pd.DataFrame:
    is_row = ~np.isnan(prices.close)
    is_row[: ledger.first] = False
    at, ticker = np.nonzero(is_row)
    window = pd.DatetimeIndex(window_starts(prices.dates))[at]
    is_learned = policy == LEARNED
    seed_count = np.where(window == windows[-1], len(SEEDS), 1) * is_learned
    held = ledger.units * np.nan_to_num(prices.close) / ledger.equity[:, None]
    return pd.DataFrame(
        {
            "policy": policy,
            "date": prices.dates[at],
            "ticker": np.array(prices.tickers)[ticker],
            "window": window,
            "is_decision": ledger.is_decision[at],
            "target_weight": ledger.targets[is_row],
            "held_weight": held[is_row],
            "is_halted": ~prices.has_bar[is_row],
            "target_weight_seed_std": np.where(seed_count > 1, 0.01, np.nan),
            "seed_count": seed_count,
            "model_sha256": [model_of(each) if is_learned else None for each in window],
        }
    )


def _seed_paths(
    ledger: Ledger, prices: Prices, windows: pd.DatetimeIndex, random: np.random.Generator
) -> pd.DataFrame:
    rows = slice(ledger.first + 1, None)
    own = ledger.equity[rows] / ledger.equity[ledger.first : -1] - 1
    window = window_starts(prices.dates[rows])
    is_newest = pd.DatetimeIndex(window) == windows[-1]
    paths = []
    for seed in SEEDS:
        is_main = seed == SEEDS[0]
        noise = np.where(is_newest, random.normal(0, 0.002, len(own)), 0.0)
        returns = own if is_main else own + noise
        paths.append(
            pd.DataFrame(
                {
                    "policy": LEARNED,
                    "seed": seed,
                    "date": prices.dates[rows],
                    "window": window,
                    "equity": CAPITAL_USD * np.cumprod(1 + returns),
                    "return": returns,
                    "is_main_seed": is_main,
                    "is_own_training": is_main | is_newest,
                }
            )
        )
    return pd.concat(paths, ignore_index=True)
