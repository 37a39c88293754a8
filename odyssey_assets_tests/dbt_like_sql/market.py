"""Made-up tables of a whole market for tests of the SQL models: every Python table, any size.

The figures mean nothing; the tables hold together (labels follow from bars, fold scores from
forecasts) and have the blemishes that the models must report: a split, a dividend, a late listing,
filled, missing and anomalous sessions, quarantined rows, an absent macro series, a skipped fold.
What is held, traded and earned on it belongs to `portfolios` and `backtests`, what was watched and
decided to `monitored` and `policy_versions`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.tables import TABLES as BACKTESTING_TABLES
from odyssey_assets.contracts import TableContract
from odyssey_assets.core.windows import window_starts
from odyssey_assets.features.tables import CLIP_THRESHOLDS, FEATURES_TABLE, LABELS
from odyssey_assets.features.tables import TABLES as FEATURE_TABLES
from odyssey_assets.forecasting.tables import FEATURE_IMPORTANCE, FOLDS, PREDICTIONS
from odyssey_assets.forecasting.tables import TABLES as FORECASTING_TABLES
from odyssey_assets.forecasting.tables import VERSION_TABLES as FORECASTER_VERSIONS
from odyssey_assets.market_data.tables import BARS, MACRO, QUARANTINE, RAW_BARS
from odyssey_assets.market_data.tables import TABLES as MARKET_DATA_TABLES
from odyssey_assets.monitoring.ledgers import TABLES as LEDGERS
from odyssey_assets.monitoring.tables import TABLES as MONITORING_TABLES
from odyssey_assets.portfolio.tables import SEED_PATHS, WEIGHTS
from odyssey_assets.portfolio.tables import TABLES as PORTFOLIO_TABLES
from odyssey_assets.portfolio.tables import VERSION_TABLES as POLICY_VERSIONS
from odyssey_assets_tests.dbt_like_sql.backtests import backtest_tables
from odyssey_assets_tests.dbt_like_sql.ledger import prices_of
from odyssey_assets_tests.dbt_like_sql.monitored import monitored_tables, own_model
from odyssey_assets_tests.dbt_like_sql.policy_versions import (
    policy_version_tables,
    served_weights,
)
from odyssey_assets_tests.dbt_like_sql.portfolios import open_books, portfolio_tables

TABLES: tuple[TableContract, ...] = (
    *MARKET_DATA_TABLES,
    *FEATURE_TABLES,
    *FORECASTING_TABLES,
    *FORECASTER_VERSIONS,
    *PORTFOLIO_TABLES,
    *POLICY_VERSIONS,
    *BACKTESTING_TABLES,
    *MONITORING_TABLES,
    *LEDGERS,
)
MODELS = ("historical_mean", "ridge", "xgboost")
HORIZON = 5
LATE_SESSIONS = 30
_NOW = pd.Timestamp("2024-09-01")


@dataclass(frozen=True)
class MarketSize:
    """How large the market is; the last ticker lists late and has no trained fold."""

    tickers: Sequence[str] = ("AAA", "BBB", "LATE")
    start: str = "2023-10-02"
    sessions: int = 230
    first_test: str = "2024-01-01"


def build_tables(size: MarketSize, seed: int = 7) -> Mapping[TableContract, pd.DataFrame]:
    """Return a frame for every contract of `TABLES`."""
    random = np.random.default_rng(seed)
    sessions = pd.bdate_range(size.start, periods=size.sessions).as_unit("us")
    bars = pd.concat(
        [_bars(ticker, size, sessions, random) for ticker in size.tickers], ignore_index=True
    )
    labels = _labels(bars)
    predictions = _predictions(bars, labels, size, random)
    frames = {
        RAW_BARS: _raw_bars(bars),
        BARS: bars,
        QUARANTINE: _quarantine(bars),
        MACRO: _macro(sessions),
        FEATURES_TABLE: _features(bars, random),
        CLIP_THRESHOLDS: bars[["ticker", "date"]].assign(
            log_return=0.01, lower_log_return=-0.1, upper_log_return=0.1, is_clipped=False
        ),
        LABELS: labels,
        FOLDS: _folds(predictions, labels, size),
        PREDICTIONS: predictions,
        FEATURE_IMPORTANCE: _importance(predictions),
    }
    prices = prices_of(bars, tuple(size.tickers))
    books = open_books(prices, predictions, random)
    frames |= portfolio_tables(books, prices, predictions, random)
    frames |= backtest_tables(books, prices, bars, frames[SEED_PATHS])
    frames[WEIGHTS] = served_weights(frames)
    frames |= monitored_tables(frames)
    frames |= policy_version_tables(frames)
    return {contract: contract.conform(frame) for contract, frame in frames.items()}


def _bars(
    ticker: str, size: MarketSize, sessions: pd.DatetimeIndex, random: np.random.Generator
) -> pd.DataFrame:
    dates = sessions[LATE_SESSIONS:] if ticker == size.tickers[-1] else sessions
    count = len(dates)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.02, count))), 4)
    split_ratio, dividend = np.ones(count), np.zeros(count)
    if ticker == size.tickers[0]:
        split_ratio[60] = 4.0
        close[60:] = np.round(close[60:] / 4, 4)
    if ticker == size.tickers[1]:
        dividend[50] = 1.5
    before = np.concatenate([[close[0]], close[:-1]]) / split_ratio
    frame = pd.DataFrame(
        {
            "ticker": ticker,
            "date": dates,
            "open": close,
            "high": close * 1.01,
            "low": close * 0.99,
            "close": close,
            "volume": np.round(random.uniform(1e6, 2e6, count)),
            "dividend": dividend,
            "split_ratio": split_ratio,
            "split_factor": np.cumprod(split_ratio),
            "total_return_factor": np.cumprod(split_ratio / (1 - dividend / before)),
            "source": "files",
            "is_as_traded": True,
            "is_filled": False,
            "is_anomalous": np.arange(count) == 70,
            "is_simulated": True,
        }
    )
    if ticker == size.tickers[1]:
        frame.loc[40, ["is_filled", "volume"]] = [True, 0.0]
        frame = frame.drop(index=[80, 81])
    return frame


def _raw_bars(bars: pd.DataFrame) -> pd.DataFrame:
    delivered = bars[~bars["is_filled"]]
    shared = [
        "ticker", "date", "source", "open", "high", "low", "close", "volume", "dividend",
        "split_ratio", "is_as_traded", "is_simulated",
    ]  # fmt: skip
    raw = delivered[shared].assign(row_sha256="good")
    filled = bars.loc[bars["is_filled"], shared].assign(row_sha256="stale")
    return pd.concat([raw, filled], ignore_index=True).assign(
        adj_close=np.nan,
        split_adjustment=1.0,
        defect=None,
        content=None,
        ingested_at=_NOW,
        response_sha256="r",
    )


def _quarantine(bars: pd.DataFrame) -> pd.DataFrame:
    filled = bars.loc[bars["is_filled"], ["ticker", "date", "source"]]
    split = bars.loc[bars["split_ratio"] != 1, ["ticker", "date", "source"]]
    return pd.concat(
        [
            filled.assign(reason="stale_bar", row_sha256="stale", is_rejected=True),
            split.assign(reason="inexact_split_ratio", row_sha256="good", is_rejected=False),
        ],
        ignore_index=True,
    ).assign(detail="found, expected", content="{}", quarantined_at=_NOW)


def _macro(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    weekends = pd.date_range(sessions[0], sessions[-1], freq="W-SAT").as_unit("us")
    days = {
        "VIX": sessions,
        "TNX": sessions.delete([10, 11]),
        "GOLD": sessions[:-3].union(weekends),
    }
    return pd.concat(
        [
            pd.DataFrame({"series": name, "date": dates, "value": 20.0, "is_simulated": True})
            for name, dates in days.items()
        ],
        ignore_index=True,
    )


def _features(bars: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    position = bars.groupby("ticker").cumcount().to_numpy()
    columns: dict[str, np.ndarray] = {}
    for column in FEATURES_TABLE.columns[2:]:
        values = random.normal(size=len(bars))
        lookback = int(column.description.rpartition("lookback ")[2].split()[0])
        columns[column.name] = np.where(position >= lookback - 1, values, np.nan)
    columns["dxy_return_20"] = np.full(len(bars), np.nan)
    return pd.concat([bars[["ticker", "date"]], pd.DataFrame(columns, index=bars.index)], axis=1)


def _labels(bars: pd.DataFrame) -> pd.DataFrame:
    adjusted = bars["close"] * bars["total_return_factor"]
    labels = bars[["ticker", "date"]].copy()
    for horizon in (1, 5, 20, 60):
        later = adjusted.groupby(bars["ticker"]).shift(-horizon)
        labels[f"forward_return_{horizon}d"] = later / adjusted - 1
    known = labels["forward_return_5d"]
    direction = np.select([known > 0.01, known < -0.01], ["bullish", "bearish"], "neutral")
    return labels.assign(direction_5d=pd.Series(direction, labels.index).where(known.notna()))


def _predictions(
    bars: pd.DataFrame, labels: pd.DataFrame, size: MarketSize, random: np.random.Generator
) -> pd.DataFrame:
    is_test = (bars["date"] >= size.first_test) & (bars["ticker"] != size.tickers[-1])
    outcome = labels.loc[is_test, "forward_return_5d"].fillna(0.0).to_numpy()
    rows = bars.loc[is_test, ["ticker", "date"]]
    window = window_starts(rows["date"])
    noise = random.normal(0, 0.03, len(rows))
    values = {
        "historical_mean": np.where(window == window.min(), 0.002, 0.001),
        "ridge": noise,
        "xgboost": 0.3 * outcome + 0.1 * noise,
    }
    half_width = np.where(np.arange(len(rows)) % 2 == 0, 0.08, 0.005)
    return pd.concat(
        [
            rows.assign(
                window=window,
                model=model,
                horizon=HORIZON,
                prediction=values[model],
                lower=values[model] - half_width,
                upper=values[model] + half_width,
                model_sha256=[
                    own_model(model, ticker, start)
                    for ticker, start in zip(rows["ticker"], window, strict=True)
                ],
                trained_as_of=window - np.timedelta64(3, "D"),
            )
            for model in MODELS
        ],
        ignore_index=True,
    )


def _folds(predictions: pd.DataFrame, labels: pd.DataFrame, size: MarketSize) -> pd.DataFrame:
    scored = predictions.merge(labels[["ticker", "date", "forward_return_5d"]])
    rows = []
    for (ticker, window, model), group in scored.groupby(["ticker", "window", "model"]):
        known = group.dropna(subset="forward_return_5d")
        error = known["prediction"] - known["forward_return_5d"]
        day = pd.Timedelta(days=1)
        rows.append(
            {
                "ticker": ticker, "window": window, "model": model, "status": "trained",
                "reason": None, "train_start": window - 700 * day, "train_end": window - 220 * day,
                "valid_start": window - 180 * day, "valid_end": window - 15 * day,
                "test_start": group["date"].min(), "test_end": group["date"].max(),
                "train_rows": 300, "valid_rows": 100, "test_rows": len(group),
                "scored_rows": len(known), "feature_count": 30,
                "rmse": np.sqrt((error**2).mean()), "hit_rate": 0.5 + 0.001 * len(known),
                "information_coefficient": 0.1 if model == "xgboost" else np.nan, "sharpe": 1.0,
                "valid_information_coefficient": 0.2 if model == "xgboost" else np.nan,
                "model_name": f"{model}/{ticker}/{window:%Y-%m-%d}/k",
                "model_sha256": own_model(model, ticker, window),
            }
        )  # fmt: skip
    skipped = {
        "ticker": size.tickers[-1], "window": pd.Timestamp(size.first_test), "status": "skipped",
        "reason": "too little history", "train_rows": 0, "valid_rows": 0, "test_rows": 0,
        "scored_rows": 0, "feature_count": 0,
    }  # fmt: skip
    rows += [{**skipped, "model": model} for model in MODELS]
    frame = pd.DataFrame(rows, columns=list(FOLDS.column_names))
    return frame.assign(horizon_sessions=HORIZON)


def _importance(predictions: pd.DataFrame) -> pd.DataFrame:
    folds = predictions.loc[predictions["model"] == "xgboost", ["ticker", "window", "model"]]
    ranks = pd.DataFrame(
        {
            "feature": FEATURES_TABLE.column_names[2:9],
            "gain": 1.0,
            "mean_abs_shap": [0.007, 0.006, 0.005, 0.004, 0.003, 0.002, 0.001],
            "rank": range(1, 8),
        }
    )
    return folds.drop_duplicates().merge(ranks, how="cross")
