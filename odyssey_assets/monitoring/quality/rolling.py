"""How good the serving forecaster's forecasts have been lately, as it was known at each close.

A forecast of session s over h sessions is known at the close of s + h, and what its sign earned at
the open of s + 2: a row counts the last 20 and 60 forecasts known at its close, and nothing later.
Which figures are bad belongs to `monitoring.quality.decay`, the figures to `core`.
"""

import numpy as np
import pandas as pd

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.core.costs import ProportionalCosts
from odyssey_assets.core.forecast_scores import sign_strategy_returns
from odyssey_assets.core.returns import sharpe
from odyssey_assets.core.rolling_scores import (
    rolling_direction_accuracy,
    rolling_information_coefficient,
    rolling_interval_coverage,
    rolling_rmse,
    trailing,
)
from odyssey_assets.errors import ContractError
from odyssey_assets.settings import Settings

BASELINE_MODEL = "historical_mean"
STRETCHES = (20, 60)
# The sign decided at one close is bought at the next open and sold at the one after.
STRATEGY_SESSIONS = 2


def promises(folds: pd.DataFrame, challengers: pd.DataFrame) -> pd.DataFrame:
    """Return what each model's validation promised, one row a ticker and model.

    Args:
        folds: Rows of `forecasting.folds`.
        challengers: Rows of `forecasting.challengers`.

    Returns:
        Columns ticker, model_sha256, expected_information_coefficient.
    """
    figure = "valid_information_coefficient"
    columns = ["ticker", "model_sha256", figure]
    both = pd.concat([folds.loc[folds["model_sha256"].notna(), columns], challengers[columns]])
    both = both.drop_duplicates(["ticker", "model_sha256"], ignore_index=True)
    return both.rename(columns={figure: f"expected_{figure.removeprefix('valid_')}"})


def measure_quality(
    predictions: pd.DataFrame,
    labels: pd.DataFrame,
    bars: pd.DataFrame,
    promised: pd.DataFrame,
    settings: Settings,
) -> pd.DataFrame:
    """Return the rolling figures of each ticker and session that the serving forecaster forecast.

    A figure over n forecasts is null until n of them are known.

    Args:
        predictions: Rows of `forecasting.predictions` from each ticker's first one.
        labels: Rows of `features.labels` for the same sessions, or more.
        bars: Rows of `market_data.bars` for the same sessions, or more.
        promised: Of `promises`.
        settings: Whose forecasts the policies see, horizon, interval coverage and costs.

    Returns:
        The columns of `monitoring.forecast_quality` but those about decay, sorted by ticker and
        date.

    Raises:
        ContractError: A session that was forecast has no label row or no bar.
    """
    horizon = settings.forecasting.horizon_sessions
    costs = settings.costs.proportional
    made = predictions[predictions["horizon"] == horizon]
    forecasts = made[made["model"] == settings.portfolio.forecast_model]
    baseline = made.loc[made["model"] == BASELINE_MODEL, ["ticker", "date", "prediction"]]
    joined = (
        forecasts.merge(
            baseline.rename(columns={"prediction": "baseline"}), on=["ticker", "date"], how="left"
        )
        .merge(_outcomes(labels, horizon), on=["ticker", "date"], how="left", indicator="label")
        .merge(promised, on=["ticker", "model_sha256"], how="left")
        .assign(expected_coverage=settings.forecasting.interval_coverage)
        .sort_values(["ticker", "date"], kind="stable", ignore_index=True)
    )
    _refuse_unlabelled(joined)
    prices = adjusted_bars(bars).sort_values(["ticker", "date"], kind="stable")
    sessions = {str(ticker): rows for ticker, rows in prices.groupby("ticker", sort=False)}
    parts = [
        _figures(rows, sessions.get(str(ticker), prices.iloc[:0]), horizon, costs)
        for ticker, rows in joined.groupby("ticker", sort=False)
    ]
    columns = [
        "ticker", "date", "window", "model_sha256", "expected_information_coefficient",
        "expected_coverage",
    ]  # fmt: skip
    figures = pd.concat(parts) if parts else pd.DataFrame(columns=_figure_names(), dtype=float)
    return pd.concat([joined[columns], figures], axis=1)


def _figures(
    forecasts: pd.DataFrame, bars: pd.DataFrame, horizon: int, costs: ProportionalCosts
) -> pd.DataFrame:
    """Return the rolling figures of one ticker, indexed as its forecasts are."""
    days = bars["date"].to_numpy()
    dates = forecasts["date"].to_numpy()
    positions = np.searchsorted(days, dates)
    _refuse_missing_bars(forecasts, days, positions)
    prediction, outcome, lower, upper, baseline = (
        forecasts[name].to_numpy(dtype=np.float64)
        for name in ("prediction", "outcome", "lower", "upper", "baseline")
    )
    earned = _earned(positions, prediction, bars["open"].to_numpy(dtype=np.float64), costs)
    judged = _newest_known(positions, horizon)
    sold = _newest_known(positions, STRATEGY_SESSIONS)
    figures: dict[str, np.ndarray] = {}
    for count in STRETCHES:
        known = np.sum(~np.isnan(trailing(outcome, count)), axis=-1)
        figures[f"known_{count}"] = np.where(judged >= 0, known[judged], 0)
        for name, values in (
            (
                "information_coefficient",
                rolling_information_coefficient(prediction, outcome, count),
            ),
            ("rmse", rolling_rmse(prediction, outcome, count)),
            ("baseline_rmse", rolling_rmse(baseline, outcome, count)),
            ("direction_accuracy", rolling_direction_accuracy(prediction, outcome, count)),
            ("interval_coverage", rolling_interval_coverage(lower, upper, outcome, count)),
        ):
            figures[f"{name}_{count}"] = np.where(judged >= 0, values[judged], np.nan)
        ratios = sharpe(trailing(earned, count))
        figures[f"sharpe_{count}"] = np.where(sold >= 0, ratios[sold], np.nan)
    return pd.DataFrame(figures, index=forecasts.index)


def _earned(
    positions: np.ndarray, prediction: np.ndarray, opens: np.ndarray, costs: ProportionalCosts
) -> np.ndarray:
    """Return what each forecast's sign earned after costs, NaN until known, shape (forecasts,).

    A session of the ticker without a forecast is spent without a position.

    Args:
        positions: Place of each forecast's session among the bars, increasing.
        prediction: The forecasts.
        opens: Adjusted opening prices of all bars.
        costs: Of the sign strategy.
    """
    held = np.zeros(len(opens))
    held[positions] = prediction
    first = positions[0]
    net = sign_strategy_returns(held[first:], opens[first:], costs)
    earned = np.full(len(opens), np.nan)
    earned[first : first + len(net)] = net
    return earned[positions]


def _newest_known(positions: np.ndarray, sessions: int) -> np.ndarray:
    """Return for each forecast which newest one was known at its close, -1 for none."""
    return np.searchsorted(positions, positions - sessions, side="right") - 1


def _outcomes(labels: pd.DataFrame, horizon: int) -> pd.DataFrame:
    label = f"forward_return_{horizon}d"
    return labels[["ticker", "date", label]].rename(columns={label: "outcome"})


def _refuse_unlabelled(joined: pd.DataFrame) -> None:
    missing = joined[joined["label"] == "left_only"]
    if len(missing):
        first = missing.iloc[0]
        raise ContractError(
            f"features.labels: no row for {len(missing)} of {len(joined)} sessions that were "
            f"forecast, first {first['ticker']} on {first['date']:%Y-%m-%d}. Materialize the "
            "labels of those windows."
        )


def _refuse_missing_bars(forecasts: pd.DataFrame, days: np.ndarray, positions: np.ndarray) -> None:
    dates = forecasts["date"].to_numpy()
    is_stored = positions < len(days)
    is_stored[is_stored] = days[positions[is_stored]] == dates[is_stored]
    if not is_stored.all():
        first = forecasts[~is_stored].iloc[0]
        raise ContractError(
            f"market_data.bars: {first['ticker']} has no bar for {int((~is_stored).sum())} of "
            f"{len(dates)} sessions that were forecast, first {first['date']:%Y-%m-%d}. "
            "Materialize the bars of those windows."
        )


def _figure_names() -> list[str]:
    names = (
        "known",
        "information_coefficient",
        "rmse",
        "baseline_rmse",
        "direction_accuracy",
        "interval_coverage",
        "sharpe",
    )
    return [f"{name}_{count}" for count in STRETCHES for name in names]
