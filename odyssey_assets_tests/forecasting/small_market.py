"""A small made-up market for the tests of `forecasting`: random features, one of which predicts."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.features.tables import HORIZONS_SESSIONS
from odyssey_assets.settings import Settings, build_settings

PREDICTOR = MODEL_FEATURES[0]
FAST: dict[str, Any] = {
    "min_train_years": 1,
    "warmup_sessions": 20,
    "xgboost": {
        "learning_rate": 0.3,
        "max_depth": 3,
        "max_rounds": 12,
        "early_stopping_rounds": 3,
        "selection_rounds": 3,
        "selected_features": 8,
        "max_bin": 16,
    },
}


@dataclass(frozen=True)
class SmallMarket:
    """Frames as `forecast_windows` takes them."""

    features: pd.DataFrame
    labels: pd.DataFrame
    bars: pd.DataFrame

    def until(self, day: str) -> "SmallMarket":
        """Return what is known at the close of `day`: later rows and labels are gone."""
        cut = [frame[frame["date"] <= day] for frame in (self.features, self.bars)]
        return SmallMarket(cut[0], _labels(cut[1]), cut[1])


def small_market(
    tickers: tuple[str, ...] = ("AAA", "BBB"),
    start: date = date(2016, 1, 1),
    end: date = date(2018, 9, 28),
    seed: int = 7,
) -> SmallMarket:
    """Return made-up sessions of each ticker; `PREDICTOR` knows part of the next returns."""
    generator = np.random.default_rng(seed)
    days = sessions_between(start, end)
    bars = pd.concat([_bars(ticker, days, generator) for ticker in tickers], ignore_index=True)
    labels = _labels(bars)
    names = ["ticker", "date", *MODEL_FEATURES]
    values = generator.normal(size=(len(bars), len(MODEL_FEATURES)))
    values[:, 0] += 40 * labels["forward_return_5d"].fillna(0).to_numpy()
    values[generator.random(values.shape) < 0.02] = np.nan
    keys = bars[["ticker", "date"]].reset_index(drop=True)
    features = pd.concat([keys, pd.DataFrame(values, columns=list(MODEL_FEATURES))], axis=1)
    return SmallMarket(features[names], labels, bars)


def fast_settings(**overrides: Any) -> Settings:
    """Return settings with small models and short folds."""
    forecasting = {**FAST, **overrides.pop("forecasting", {})}
    return build_settings(**{"workers": 1, "forecasting": forecasting, **overrides})


def _bars(ticker: str, days: pd.DatetimeIndex, generator: np.random.Generator) -> pd.DataFrame:
    close = 50 * np.exp(np.cumsum(generator.normal(0.0003, 0.01, len(days))))
    opens = close * np.exp(generator.normal(0, 0.003, len(days)))
    return pd.DataFrame(
        {
            "ticker": ticker,
            "date": days,
            "open": opens,
            "high": np.maximum(opens, close),
            "low": np.minimum(opens, close),
            "close": close,
            "volume": 1e6,
            "split_factor": 1.0,
            "total_return_factor": 1.0,
            "is_simulated": True,
        }
    )


def _labels(bars: pd.DataFrame) -> pd.DataFrame:
    close = bars.groupby("ticker")["close"]
    outcomes = {
        f"forward_return_{horizon}d": close.shift(-horizon) / bars["close"] - 1
        for horizon in HORIZONS_SESSIONS
    }
    return bars[["ticker", "date"]].assign(**outcomes)
