"""How good forecasts were: error, direction, rank correlation, and what acting on them earned.

Every figure is computed on sessions whose outcome is known; null (NaN) stands for a figure that
does not exist, such as the rank correlation of a constant. Nothing is averaged over folds here.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from odyssey_assets.core.costs import ProportionalCosts
from odyssey_assets.core.returns import sharpe


@dataclass(frozen=True)
class Scores:
    """Figures of one fold's forecasts; NaN where one cannot be computed.

    Attributes:
        scored_rows: Forecasts whose outcome is known.
        rmse: Root mean squared error, return units.
        r2: 1 - squared error / squared deviation from the mean outcome.
        direction_accuracy: Share of forecasts with the outcome's sign.
        information_coefficient: Spearman rank correlation with the outcome.
        hit_rate: Share of sessions on which the sign strategy gained after costs.
        sharpe: Annualised Sharpe ratio of the sign strategy after costs.
        interval_coverage: Share of outcomes inside the interval.
    """

    scored_rows: int
    rmse: float
    r2: float
    direction_accuracy: float
    information_coefficient: float
    hit_rate: float
    sharpe: float
    interval_coverage: float


def score_forecasts(
    prediction: np.ndarray,
    outcome: np.ndarray,
    width: float,
    opens: np.ndarray,
    costs: ProportionalCosts,
) -> Scores:
    """Score one window's forecasts.

    Args:
        prediction: Forecast return of each session of the window, shape (rows,).
        outcome: What happened, same shape; NaN until known.
        width: Half width of the interval around each forecast.
        opens: Adjusted opening price of each session of the window, same shape.
        costs: Costs of the sign strategy.
    """
    is_known = ~np.isnan(outcome)
    forecast, happened = prediction[is_known], outcome[is_known]
    net = sign_strategy_returns(prediction, opens, costs)
    return Scores(
        scored_rows=len(happened),
        rmse=rmse(forecast, happened),
        r2=r2(forecast, happened),
        direction_accuracy=direction_accuracy(forecast, happened),
        information_coefficient=information_coefficient(forecast, happened),
        hit_rate=float(np.mean(net > 0)) if len(net) else math.nan,
        sharpe=float(sharpe(net)),
        interval_coverage=interval_coverage(forecast, happened, width),
    )


def rmse(prediction: np.ndarray, outcome: np.ndarray) -> float:
    """Return the root mean squared error; NaN without rows."""
    if len(outcome) == 0:
        return math.nan
    return float(np.sqrt(np.mean((prediction - outcome) ** 2)))


def r2(prediction: np.ndarray, outcome: np.ndarray) -> float:
    """Return the coefficient of determination as `sklearn.metrics.r2_score` defines it.

    The reference is the mean of the outcomes themselves, which no forecaster knew: an honest
    forecast of returns is usually below zero. NaN where the outcomes do not vary.
    """
    if len(outcome) < 2 or np.ptp(outcome) == 0:
        return math.nan
    deviation = np.sum((outcome - outcome.mean()) ** 2)
    return float(1 - np.sum((prediction - outcome) ** 2) / deviation)


def direction_accuracy(prediction: np.ndarray, outcome: np.ndarray) -> float:
    """Return the share of forecasts with the outcome's sign; NaN without rows.

    Beside it belongs the share for always guessing the historical sign, which is far from one
    half on a rising market: that is the `historical_mean` model.
    """
    if len(outcome) == 0:
        return math.nan
    return float(np.mean(np.sign(prediction) == np.sign(outcome)))


def information_coefficient(prediction: np.ndarray, outcome: np.ndarray) -> float:
    """Return Spearman's rank correlation, ties ranked by their mean (`scipy.stats.spearmanr`).

    NaN where forecasts or outcomes do not vary.
    """
    if len(outcome) < 2 or np.ptp(prediction) == 0 or np.ptp(outcome) == 0:
        return math.nan
    one, two = rankdata(prediction), rankdata(outcome)
    one, two = one - one.mean(), two - two.mean()
    correlation = np.sum(one * two) / math.sqrt(np.sum(one * one) * np.sum(two * two))
    return float(np.clip(correlation, -1.0, 1.0))


def interval_coverage(prediction: np.ndarray, outcome: np.ndarray, width: float) -> float:
    """Return the share of outcomes at most `width` away from their forecast; NaN without rows."""
    if len(outcome) == 0:
        return math.nan
    return float(np.mean((outcome >= prediction - width) & (outcome <= prediction + width)))


def sign_strategy_returns(
    prediction: np.ndarray, opens: np.ndarray, costs: ProportionalCosts
) -> np.ndarray:
    """Return the net return of each session of a strategy that holds the forecast's sign.

    The sign decided at the close of session t is bought at the open of t+1 and held to the open
    of t+2; each change of the position costs its size times the cost rate, starting from no
    position. Only opens of the window itself are used, so the figures of a finished window never
    change: n sessions give n - 2 returns.

    Args:
        prediction: Forecast at the close of each session of the window, shape (rows,).
        opens: Adjusted opening price of each session of the window, same shape.
        costs: Proportional costs.

    Returns:
        Net returns as fractions, shape (max(rows - 2, 0),); element t is earned by the forecast
        of session t.
    """
    position = np.sign(prediction)[:-2]
    traded = np.abs(np.diff(position, prepend=0.0))
    held_return = opens[2:] / opens[1:-1] - 1 if len(opens) > 2 else np.empty(0)
    return position * held_return - costs.rate * traded
