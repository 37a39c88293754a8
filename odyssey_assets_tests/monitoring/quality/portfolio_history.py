"""Returns of made-up portfolios and who decided for them, without models: what quality measures."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.core.windows import window_starts
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS

TICKERS = ("AAA", "BBB")


@dataclass(frozen=True)
class History:
    """Rows of the tables that quality is measured on, with the columns it looks at."""

    daily: pd.DataFrame
    weights: pd.DataFrame
    policies: pd.DataFrame
    challengers: pd.DataFrame


def history(
    sessions: int = 300, seed: int = 0, learned: tuple[str, ...] = ("ppo",), rate: float = 0.05
) -> History:
    """Return learned policies that decide a session before their first return, beside a rule.

    Args:
        sessions: Business days from 2 January 2015 on, the first of which has no return.
        seed: Of returns and promises.
        learned: Names of the learned policies.
        rate: Mean return a year.
    """
    generator = np.random.default_rng(seed)
    days = pd.bdate_range("2015-01-02", periods=sessions).as_unit("us")
    names = (*learned, "equal_weight")
    daily = pd.concat(
        [
            pd.DataFrame(
                {
                    "strategy": name,
                    "date": days[1:],
                    "window": window_starts(days[1:]),
                    "return": generator.normal(rate / 252, 0.01, sessions - 1),
                }
            )
            for name in names
        ],
        ignore_index=True,
    )
    weights = pd.concat(
        [
            pd.DataFrame(
                {
                    "policy": name,
                    "date": np.repeat(days, len(TICKERS)),
                    "ticker": TICKERS * sessions,
                    "model_sha256": np.repeat(_models(name, days), len(TICKERS)),
                }
            )
            for name in names
        ],
        ignore_index=True,
    )
    trained = weights.dropna().drop_duplicates(["policy", "model_sha256"])
    policies = trained[["policy", "model_sha256"]].assign(
        window=window_starts(trained["date"]),
        is_main_seed=True,
        validation_sharpe=generator.normal(1.0, 1.0, len(trained)),
    )
    others = policies.assign(is_main_seed=False, validation_sharpe=99.0)
    return History(
        daily,
        weights,
        pd.concat([policies, others], ignore_index=True),
        POLICY_CHALLENGERS.empty(),
    )


def _models(name: str, days: pd.DatetimeIndex) -> pd.Series:
    """Return one model a window; None for a rule."""
    if name == "equal_weight":
        return pd.Series([None] * len(days), dtype="str")
    windows = pd.DatetimeIndex(window_starts(days))
    return pd.Series([f"{name} {window:%Y-%m-%d}" for window in windows], dtype="str")
