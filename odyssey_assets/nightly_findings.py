"""What a night finds wrong with the serving models, from what was known at its close.

The same measurements and the same failed checks as the nightly jobs make, for the running window
only: earlier windows are measured once and remembered. The clock belongs to `simulate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.monitoring.drift.findings import drifted_now
from odyssey_assets.monitoring.drift.measurement import measure_drift
from odyssey_assets.monitoring.quality.decay import judge_decay
from odyssey_assets.monitoring.quality.findings import decayed_now
from odyssey_assets.monitoring.quality.rolling import measure_quality, promises
from odyssey_assets.monitoring.retraining.findings import Evaluation, Finding, findings_of
from odyssey_assets.monitoring.tables import FORECAST_QUALITY
from odyssey_assets.replay import History
from odyssey_assets.settings import Settings

# Longer than 60 known outcomes reach back: figures of the window need nothing before.
DAYS_BEFORE_WINDOW = 200


@dataclass
class NightlyFindings:
    """Measures nights in order; each window's past is measured when it opens.

    Attributes:
        settings: Of the home.
        store: Holds the serving models.
        newest_quality: Rows of `monitoring.forecast_quality` of the night that was measured last,
            the running window only.
    """

    settings: Settings
    store: ModelStore
    newest_quality: pd.DataFrame = field(default_factory=FORECAST_QUALITY.empty)
    _window: Window | None = None
    _past_quality: pd.DataFrame = field(default_factory=pd.DataFrame)
    _past_drift: pd.DataFrame = field(default_factory=pd.DataFrame)

    def find(
        self, known: History, challengers: pd.DataFrame, reigns: Sequence[Reign], day: date
    ) -> tuple[Finding, ...]:
        """Return what the checks of a night find.

        Args:
            known: What was known at the close of `day`, forecasts by whoever served.
            challengers: Rows of `forecasting.challengers`.
            reigns: Of forecasters, in the order of decision.
            day: The session.
        """
        running = window_of(day)
        if self._window != running:
            self._open(running, known, challengers, reigns)
        drifted = self._drifted(known, challengers, reigns, running)
        decayed = self._decayed(known, challengers, running)
        return findings_of(
            Evaluation(
                asset=asset,
                check=check,
                passed=not failures,
                severity="WARN",
                run_id="simulate",
                storage_id=0,
                known=day,
                failures=tuple(failures),
            )
            for asset, check, failures in (
                ("monitoring.drift_summary", "inputs_have_not_drifted", drifted),
                ("monitoring.forecast_quality", "forecasts_have_not_decayed", decayed),
            )
        )

    def _open(
        self,
        window: Window,
        known: History,
        challengers: pd.DataFrame,
        reigns: Sequence[Reign],
    ) -> None:
        """Measure the windows before the one that has opened."""
        before = known.until(window.start - timedelta(days=1))
        self._window = window
        self._past_quality = measure_quality(
            before.predictions,
            before.labels,
            before.bars,
            promises(before.folds, challengers),
            self.settings,
        )
        earlier = {
            str(ticker): [Window(start.date()) for start in sorted(rows["window"].unique())]
            for ticker, rows in before.folds.groupby("ticker")
        }
        self._past_drift = measure_drift(
            before.features, before.folds, challengers, before.predictions, reigns, earlier,
            self.settings, self.store,
        ).drift  # fmt: skip

    def _drifted(
        self,
        known: History,
        challengers: pd.DataFrame,
        reigns: Sequence[Reign],
        running: Window,
    ) -> list[dict[str, object]]:
        """Return what the check of drift lists."""
        windows = {str(ticker): [running] for ticker in known.bars["ticker"].unique()}
        measured = measure_drift(
            known.features, known.folds, challengers, known.predictions, reigns, windows,
            self.settings, self.store, self._past_drift,
        )  # fmt: skip
        return drifted_now(measured.summary, running)

    def _decayed(
        self, known: History, challengers: pd.DataFrame, running: Window
    ) -> list[dict[str, object]]:
        """Return what the check of forecast quality lists."""
        since = pd.Timestamp(running.start - timedelta(days=DAYS_BEFORE_WINDOW))
        recent = measure_quality(
            known.predictions[known.predictions["date"] >= since],
            known.labels[known.labels["date"] >= since],
            known.bars[known.bars["date"] >= since],
            promises(known.folds, challengers),
            self.settings,
        )
        own = recent[recent["window"] == pd.Timestamp(running.start)]
        judged = judge_decay(
            pd.concat([self._past_quality, own], ignore_index=True), self.settings.decay
        )
        self.newest_quality = judged[judged["window"] == pd.Timestamp(running.start)]
        return decayed_now(self.newest_quality, running)
