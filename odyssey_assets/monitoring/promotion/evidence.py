"""What judgements look at: stored tables as they were known on one day, and forecasts in pairs.

The one place that decides which sessions are unseen by both sides and have a known outcome. What
is concluded from them belongs to `gate`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import numpy as np
import pandas as pd

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.monitoring.promotion.gate import PairedForecasts

KNOWN_SINCE: Mapping[str, str] = {
    "challengers": "requested_as_of",
    "trials": "date",
    "predictions": "date",
    "labels": "date",
    "bars": "date",
    "folds": "window",
    "quality": "date",
    "policies": "window",
    "policy_challengers": "requested_as_of",
    "policy_trials": "date",
    "policy_quality": "date",
    "daily": "date",
}


@dataclass(frozen=True)
class Evidence:
    """Rows of the tables that a judgement rests on.

    Attributes:
        ledger: `monitoring.promotions`, whole.
        challengers: `forecasting.challengers`, whole.
        trials: `forecasting.trials` of the windows in question.
        predictions: `forecasting.predictions`, at least of the newest year.
        labels: `features.labels` of the same sessions.
        bars: `market_data.bars` of the same sessions.
        folds: `forecasting.folds`.
        quality: `monitoring.forecast_quality`, at least of the newest session.
        policies: `portfolio.policies`.
        policy_challengers: `portfolio.policy_challengers`, whole.
        policy_trials: `portfolio.policy_trials`.
        policy_quality: `monitoring.policy_quality`, at least of the newest session.
        daily: `backtesting.daily`, at least of the newest year and a half.
    """

    ledger: pd.DataFrame
    challengers: pd.DataFrame
    trials: pd.DataFrame
    predictions: pd.DataFrame
    labels: pd.DataFrame
    bars: pd.DataFrame
    folds: pd.DataFrame
    quality: pd.DataFrame
    policies: pd.DataFrame
    policy_challengers: pd.DataFrame
    policy_trials: pd.DataFrame
    policy_quality: pd.DataFrame
    daily: pd.DataFrame

    @property
    def fitted(self) -> tuple[pd.DataFrame, ...]:
        """The tables that name every model there is."""
        return self.folds, self.challengers, self.policies, self.policy_challengers

    def until(self, day: date) -> Self:
        """Return the rows that were known at the close of `day`; the ledger stays whole.

        What was decided once is not decided again, also after the clock was set back.
        """
        last = pd.Timestamp(day)
        known = {
            name: rows[rows[column] <= last]
            for name, column in KNOWN_SINCE.items()
            for rows in (getattr(self, name),)
        }
        return replace(self, **known)


@dataclass(frozen=True)
class TickerEvidence:
    """One ticker's sessions, what followed them, and everybody's forecasts of them.

    Attributes:
        ticker: The ticker.
        sessions: Its sessions, ascending, datetime64, shape (rows,).
        opens: Adjusted opening prices, same shape.
        outcome: Return over the horizon; NaN until its last session is over, same shape.
        forecasts: Columns date, model, model_sha256, prediction, trained_as_of, is_served: trials,
            and what was forecast by whoever served.
    """

    ticker: str
    sessions: np.ndarray
    opens: np.ndarray
    outcome: np.ndarray
    forecasts: pd.DataFrame

    @property
    def as_of(self) -> date:
        """The last session stored."""
        day: date = self.sessions[-1].astype("datetime64[D]").item()
        return day

    @property
    def last_forecast(self) -> date:
        """The last session that a serving model has forecast, or the last one stored if later.

        Whoever comes after serves later sessions only: a forecast stays as it was made.
        """
        served = self.forecasts.loc[self.forecasts["is_served"], "date"]
        return self.as_of if served.empty else max(self.as_of, served.max().date())

    def forecasts_of(self, sha256: str) -> pd.Series:
        """Return the forecasts of a model by session, only of sessions after its training."""
        rows = self.forecasts[self.forecasts["model_sha256"] == sha256]
        unseen = rows[rows["date"] > rows["trained_as_of"]]
        return unseen.drop_duplicates("date").set_index("date")["prediction"].sort_index()

    def served(self, model: str) -> pd.Series:
        """Return the out-of-sample forecasts under a forecaster's name by session, who made them.

        Args:
            model: Name of the forecaster in the catalog.
        """
        rows = self.forecasts[(self.forecasts["model"] == model) & self.forecasts["is_served"]]
        return rows.set_index("date")["prediction"].sort_index()

    def pair(
        self,
        challenger: pd.Series,
        incumbent: pd.Series,
        after: date | None = None,
        newest: int | None = None,
    ) -> PairedForecasts:
        """Return both sides on the sessions that both forecast and whose outcome is known.

        Args:
            challenger: Forecasts by session.
            incumbent: Forecasts by session.
            after: Only sessions after this one; None: all.
            newest: Only that many, the newest; None: all.
        """
        index = pd.DatetimeIndex(self.sessions)
        one = challenger.reindex(index).to_numpy(dtype=np.float64)
        two = incumbent.reindex(index).to_numpy(dtype=np.float64)
        is_usable = ~np.isnan(one) & ~np.isnan(two) & ~np.isnan(self.outcome)
        if after is not None:
            is_usable &= self.sessions > np.datetime64(after)
        usable = np.flatnonzero(is_usable)
        rows = usable if newest is None else usable[-newest:]
        return PairedForecasts(
            self.sessions[rows], one[rows], two[rows], self.outcome[rows], self.opens[rows]
        )


def ticker_evidence(evidence: Evidence, ticker: str, horizon: int) -> TickerEvidence:
    """Return what is known about one ticker.

    Args:
        evidence: As known on the day of the judgement.
        ticker: One that has bars.
        horizon: Sessions ahead that are forecast.
    """
    bars = _of(evidence.bars, ticker).sort_values("date")
    sessions = bars["date"].to_numpy(dtype="datetime64[us]")
    labels = _of(evidence.labels, ticker).set_index("date")[f"forward_return_{horizon}d"]
    outcome = labels.reindex(pd.DatetimeIndex(sessions)).to_numpy(dtype=np.float64, copy=True)
    # A label is known once the horizon's last session is over, whoever stored it when.
    outcome[max(len(outcome) - horizon, 0) :] = np.nan
    return TickerEvidence(
        ticker,
        sessions,
        adjusted_bars(bars)["open"].to_numpy(dtype=np.float64),
        outcome,
        _forecasts(evidence, ticker, horizon),
    )


def _forecasts(evidence: Evidence, ticker: str, horizon: int) -> pd.DataFrame:
    columns = ["date", "model", "model_sha256", "prediction", "trained_as_of", "horizon"]
    parts = [
        _of(evidence.trials, ticker)[columns].assign(is_served=False),
        _of(evidence.predictions, ticker)[columns].assign(is_served=True),
    ]
    rows = pd.concat(parts, ignore_index=True)
    return rows[rows["horizon"] == horizon]


def _of(rows: pd.DataFrame, ticker: str) -> pd.DataFrame:
    return rows[rows["ticker"] == ticker]
