"""One ticker's forecasters before the court: forecasts in pairs, of the same sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from odyssey_assets.core.figure_text import ratio
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.monitoring.promotion.champions import Kind
from odyssey_assets.monitoring.promotion.evidence import Evidence, TickerEvidence
from odyssey_assets.monitoring.promotion.gate import (
    RMSE_DECIMALS,
    PairedForecasts,
    Verdict,
    judge_forecasts,
)
from odyssey_assets.monitoring.promotion.occasion import generator_of
from odyssey_assets.settings import Settings

BASELINE_MODEL = "historical_mean"
DECAY_FLAGS = ("is_correlation_decayed", "is_coverage_decayed", "is_sharpe_decayed")


@dataclass(frozen=True)
class ForecasterCourt:
    """A ticker.

    Attributes:
        own: Its sessions, their outcomes, and everybody's forecasts.
        evidence: The stored tables as known on the day.
        settings: Which forecaster serves, costs, the gate.
    """

    own: TickerEvidence
    evidence: Evidence
    settings: Settings
    kind: Kind = "forecaster"

    @property
    def subject(self) -> str:
        """The ticker."""
        return self.own.ticker

    @property
    def model(self) -> str:
        """Name of the forecaster whose versions are judged."""
        return self.settings.portfolio.forecast_model

    @property
    def as_of(self) -> date:
        """Its last session known."""
        return self.own.as_of

    @property
    def window(self) -> Window:
        """The window of that session."""
        return window_of(self.own.as_of)

    @property
    def last_served(self) -> date:
        """Last session that is forecast."""
        return self.own.last_forecast

    @property
    def fitted(self) -> pd.DataFrame:
        """Its challengers and stand-ins of the forecaster that serves."""
        rows = self.evidence.challengers
        return rows[(rows["ticker"] == self.subject) & (rows["model"] == self.model)]

    def own_model(self, window: Window) -> Mapping[Any, Any] | None:
        """Return the row of a window's own model; None where none was fitted."""
        folds = self.evidence.folds
        is_own = (folds["ticker"] == self.subject) & (folds["window"] == pd.Timestamp(window.start))
        rows = folds[is_own & (folds["model"] == self.model) & (folds["status"] == "trained")]
        return None if rows.empty else rows.iloc[0].to_dict()

    def heard(self, sha256: str) -> int:
        """Return how many sessions a version has forecast."""
        return len(self.own.forecasts_of(sha256))

    def compare(self, challenger: str, incumbent: str) -> Verdict:
        """Return the gate's word on both sides' forecasts."""
        return self._judge(
            self._pair(challenger, incumbent), challenger, incumbent, "the model that serves"
        )

    def beats_baseline(self, challenger: str, verdict: Verdict) -> Verdict:
        """Return the gate's word on the same sessions, held against the historical mean."""
        forecasts = self.own.forecasts_of(challenger)
        same = forecasts[forecasts.index.isin(verdict.sessions)]
        pair = self.own.pair(same, self.own.served(BASELINE_MODEL))
        return self._judge(pair, challenger, BASELINE_MODEL, "the historical mean")

    def is_decayed(self, champion: str, since: date) -> bool:
        """Return whether the champion's newest figures, while it served, fail their check."""
        quality = self.evidence.quality
        rows = quality[
            (quality["ticker"] == self.subject) & (quality["date"] > pd.Timestamp(since))
        ]
        if rows.empty:
            return False
        newest = rows.loc[rows["date"].idxmax()]
        return bool(newest["model_sha256"] == champion and newest[list(DECAY_FLAGS)].any())

    def sessions_since(self, day: date) -> int:
        """Return how many sessions after `day` are known."""
        return int(np.count_nonzero(self.own.sessions > np.datetime64(day)))

    def look_back(self, former: str, champion: str, since: date) -> Verdict:
        """Return the figures of the former model's forecasts beside the champion's, since then."""
        return self._judge(self._pair(former, champion, since), former, champion, "the champion")

    def did_better(self, verdict: Verdict) -> str | None:
        """Return in words that the former model erred less; None where it did not."""
        before, now = verdict.challenger.rmse, verdict.incumbent.rmse
        if not before < now:
            return None
        return f"erred less: {ratio(before, RMSE_DECIMALS)} beside {ratio(now, RMSE_DECIMALS)}"

    def _pair(self, one: str, two: str, after: date | None = None) -> PairedForecasts:
        return self.own.pair(self.own.forecasts_of(one), self.own.forecasts_of(two), after=after)

    def _judge(self, pair: PairedForecasts, one: str, two: str, against: str) -> Verdict:
        return judge_forecasts(
            pair,
            against,
            self.settings.costs.proportional,
            self.settings.promotion,
            generator_of(self.settings.seed, self.subject, one, two),
        )
