"""The gate: whether a new model has earned the place of the one that serves.

Both forecast the same sessions, which neither has seen and whose outcome is known; everything is
paired. Pure: which sessions those are belongs to `evidence`, what follows to `judging`.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from odyssey_assets.core.block_bootstrap import draw_paths
from odyssey_assets.core.costs import ProportionalCosts
from odyssey_assets.core.figure_text import count, ratio
from odyssey_assets.core.forecast_scores import (
    information_coefficient,
    rmse,
    sign_strategy_returns,
)
from odyssey_assets.core.returns import sharpe
from odyssey_assets.settings_sections import PromotionSettings

Outcome = Literal["passed", "failed", "too_few"]
RMSE_DECIMALS = 5
UNKNOWN = math.nan


@dataclass(frozen=True)
class PairedForecasts:
    """Two models' forecasts of the same sessions of one ticker, oldest first, shape (sessions,).

    Attributes:
        sessions: Sessions at whose close the forecasts hold, datetime64.
        challenger: Forecast return of the model that wants to serve, fraction.
        incumbent: Of the model that serves, or of a baseline.
        outcome: Return over the horizon, known for every session.
        opens: Adjusted opening price of each session.
    """

    sessions: np.ndarray
    challenger: np.ndarray
    incumbent: np.ndarray
    outcome: np.ndarray
    opens: np.ndarray

    def __len__(self) -> int:
        """Return the number of sessions."""
        return len(self.sessions)


@dataclass(frozen=True)
class Figures:
    """How good one side was; NaN where a figure does not exist.

    Attributes:
        sharpe: Annualised, after costs: of the sign strategy, or of a policy's own returns.
        information_coefficient: Spearman rank correlation with the outcome.
        rmse: Root mean squared error, return units.
    """

    sharpe: float = UNKNOWN
    information_coefficient: float = UNKNOWN
    rmse: float = UNKNOWN


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes:
        outcome: Passed, failed, or too few sessions to say.
        reason: In words, with the figures.
        sessions: Sessions compared, datetime64; too few are counted, not compared.
        challenger: Figures of the new model.
        incumbent: Figures of what it was held against.
        p_value_worse: Of the test of being worse; small if worse; NaN without a test.
    """

    outcome: Outcome
    reason: str
    sessions: np.ndarray
    challenger: Figures = Figures()
    incumbent: Figures = Figures()
    p_value_worse: float = UNKNOWN


def judge_forecasts(
    pair: PairedForecasts,
    against: str,
    costs: ProportionalCosts,
    settings: PromotionSettings,
    generator: np.random.Generator,
) -> Verdict:
    """Return whether the challenger's forecasts earn it the incumbent's place.

    It passes if the test does not find it worse, if no figure (Sharpe ratio of the sign strategy
    after costs, rank correlation, error) lies below the incumbent's by more than its tolerance, and
    if at least one is better: a tie gains nothing, and whoever serves stays. A rank correlation or
    a Sharpe ratio that does not exist, as of a constant, counts as no skill, which is 0.

    Args:
        pair: The forecasts and what happened.
        against: The incumbent in words.
        costs: Costs of the sign strategy.
        settings: Least number of sessions, significance, tolerances, bootstrap.
        generator: Draws the bootstrap.
    """
    if len(pair) < settings.min_unseen_sessions:
        return too_few(pair.sessions, settings.min_unseen_sessions)
    challenger = _figures(pair.challenger, pair, costs)
    incumbent = _figures(pair.incumbent, pair, costs)
    excess = (pair.challenger - pair.outcome) ** 2 - (pair.incumbent - pair.outcome) ** 2
    p_value = p_value_worse(excess, settings, generator)
    return _verdict(pair.sessions, against, challenger, incumbent, p_value, settings)


def judge_returns(
    sessions: np.ndarray,
    own: np.ndarray,
    baseline: np.ndarray,
    against: str,
    settings: PromotionSettings,
    generator: np.random.Generator,
    least: int,
) -> Verdict:
    """Return whether a policy's daily returns after costs are worth more than another's.

    As `judge_forecasts`, with the returns' Sharpe ratio as the only figure and the other's lead in
    return as what the test resamples.

    Args:
        sessions: Sessions of both, datetime64, ascending, shape (sessions,).
        own: Returns of the policy, same shape.
        baseline: Returns of the policy, or baseline, that it is held against, same shape.
        against: That one in words.
        settings: As in `judge_forecasts`.
        generator: Draws the bootstrap.
        least: Least number of sessions.
    """
    if len(sessions) < least:
        return too_few(sessions, least)
    one, two = Figures(sharpe=float(sharpe(own))), Figures(sharpe=float(sharpe(baseline)))
    p_value = p_value_worse(baseline - own, settings, generator)
    return _verdict(sessions, against, one, two, p_value, settings)


def too_few(sessions: np.ndarray, least: int) -> Verdict:
    """Return the verdict on a sample that is too small to tell anything."""
    return Verdict(
        "too_few",
        f"{count(len(sessions))} sessions with a known outcome that neither has seen; "
        f"{count(least)} are needed.",
        sessions,
    )


def p_value_worse(
    excess_loss: np.ndarray, settings: PromotionSettings, generator: np.random.Generator
) -> float:
    """Return how likely so large a mean excess loss is for a model that is not worse.

    The loss differential of Diebold and Mariano (1995), Journal of Business and Economic Statistics
    13(3), with the distribution of its mean under "not worse" from a stationary block bootstrap of
    the centred series; forecasts over several sessions overlap, so single sessions would look more
    certain than they are. The share counts the sample itself: Davison and Hinkley (1997), Bootstrap
    Methods and their Application, chapter 4. Few blocks fit into few sessions, so the test is
    stricter there than it claims: at 5 %, five-session forecasts of equal quality are called worse
    in 14 % of samples of 20 sessions, 10 % of 60 and 7 % of 126, in favour of whoever serves.

    Args:
        excess_loss: Loss of the challenger minus that of the incumbent, session by session.
        settings: Paths and mean length of a block.
        generator: Draws the blocks; its state moves on.

    Returns:
        In (0, 1]; 1 for equal losses.
    """
    sessions = len(excess_loss)
    rows = draw_paths(
        generator, sessions, settings.block_sessions, settings.bootstrap_paths, sessions
    )
    mean = float(np.mean(excess_loss))
    resampled = excess_loss[rows].mean(axis=1) - mean
    return float((1 + np.count_nonzero(resampled >= mean)) / (1 + settings.bootstrap_paths))


def _figures(prediction: np.ndarray, pair: PairedForecasts, costs: ProportionalCosts) -> Figures:
    return Figures(
        sharpe=float(sharpe(sign_strategy_returns(prediction, pair.opens, costs))),
        information_coefficient=information_coefficient(prediction, pair.outcome),
        rmse=rmse(prediction, pair.outcome),
    )


def _verdict(
    sessions: np.ndarray,
    against: str,
    challenger: Figures,
    incumbent: Figures,
    p_value: float,
    settings: PromotionSettings,
) -> Verdict:
    objections = _objections(challenger, incumbent, p_value, settings)
    sample = f"on {count(len(sessions))} sessions that neither had seen, against {against}: "
    if objections:
        reason = f"Not good enough {sample}{'; '.join(objections)}."
    else:
        reason = f"Good enough {sample}{'; '.join(_compared(challenger, incumbent))}."
    return Verdict(
        "failed" if objections else "passed", reason, sessions, challenger, incumbent, p_value
    )


def _objections(
    challenger: Figures, incumbent: Figures, p_value: float, settings: PromotionSettings
) -> list[str]:
    """Return what speaks against the challenger, in words."""
    found = []
    if p_value < settings.significance:
        found.append(f"worse beyond chance (p-value {ratio(p_value, 3)})")
    gains = _gains(challenger, incumbent)
    allowed = (
        settings.sharpe_tolerance,
        settings.correlation_tolerance,
        _skill(incumbent.rmse) * settings.rmse_tolerance,
    )
    words = _compared(challenger, incumbent)
    lacks = [word for word, gain, lack in zip(words, gains, allowed, strict=False) if gain < -lack]
    if not found and not lacks and not any(gain > 0 for gain in gains):
        return ["nothing is better, so whoever serves stays"]
    return found + lacks


def _gains(challenger: Figures, incumbent: Figures) -> tuple[float, ...]:
    """Return by how much each figure is better, in the order of `Figures`."""
    return (
        _skill(challenger.sharpe) - _skill(incumbent.sharpe),
        _skill(challenger.information_coefficient) - _skill(incumbent.information_coefficient),
        _skill(incumbent.rmse) - _skill(challenger.rmse),
    )


def _skill(figure: float) -> float:
    return 0.0 if math.isnan(figure) else figure


def _compared(challenger: Figures, incumbent: Figures) -> list[str]:
    """Return the figures of both in words, in the order of `Figures`."""
    words = [f"Sharpe ratio {ratio(challenger.sharpe)} beside {ratio(incumbent.sharpe)}"]
    if not math.isnan(challenger.rmse):
        words += [
            f"rank correlation {ratio(challenger.information_coefficient, 3)} beside "
            f"{ratio(incumbent.information_coefficient, 3)}",
            f"error {ratio(challenger.rmse, RMSE_DECIMALS)} beside "
            f"{ratio(incumbent.rmse, RMSE_DECIMALS)}",
        ]
    return words
