"""What a night finds wrong with the serving models, from what was known at its close.

The same measurements and the same failed checks as the nightly jobs make, for the running window
only: what came before is known from `measured_past`. How learned policies did is measured in
`simulated_portfolio`; the clock belongs to `simulated_loop`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.measured_past import measure_recent, past_drift, past_quality
from odyssey_assets.monitoring.drift.findings import drifted_now
from odyssey_assets.monitoring.drift.measurement import measure_drift
from odyssey_assets.monitoring.drift.past_scores import PastScores
from odyssey_assets.monitoring.quality.decay import judge_decay
from odyssey_assets.monitoring.quality.findings import decayed_now, decayed_policies_now
from odyssey_assets.monitoring.retraining.findings import Evaluation, Finding, findings_of
from odyssey_assets.monitoring.tables import FORECAST_QUALITY
from odyssey_assets.replay import History
from odyssey_assets.settings import Settings


@dataclass
class NightlyFindings:
    """Measures nights in order; what came before a window is learned when it opens.

    Attributes:
        settings: Of the home.
        store: Holds the serving models.
        home: Warehouse of the real home, whose figures of earlier windows are taken.
        newest_quality: Rows of `monitoring.forecast_quality` of the night that was measured last,
            the running window only.
    """

    settings: Settings
    store: ModelStore
    home: Warehouse
    newest_quality: pd.DataFrame = field(default_factory=FORECAST_QUALITY.empty)
    _window: Window | None = None
    _past_quality: pd.DataFrame = field(default_factory=pd.DataFrame)
    _past_drift: PastScores = field(default_factory=lambda: PastScores(None))

    def find(
        self,
        known: History,
        challengers: pd.DataFrame,
        reigns: Sequence[Reign],
        day: date,
        policy_quality: pd.DataFrame | None = None,
    ) -> tuple[Finding, ...]:
        """Return what the checks of a night find.

        Args:
            known: What was known at the close of `day`, forecasts by whoever served.
            challengers: Rows of `forecasting.challengers`.
            reigns: Of forecasters, in the order of decision.
            day: The session.
            policy_quality: Rows of `monitoring.policy_quality`, the running window's at least;
                None where no policy has learned.
        """
        running = window_of(day)
        if self._window != running:
            self._open(running, known, challengers, reigns)
        drifted = self._drifted(known, challengers, reigns, running)
        decayed = self._decayed(known, challengers, running)
        policies = [] if policy_quality is None else decayed_policies_now(policy_quality, running)
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
                ("monitoring.policy_quality", "policies_have_not_decayed", policies),
            )
        )

    def _open(
        self,
        window: Window,
        known: History,
        challengers: pd.DataFrame,
        reigns: Sequence[Reign],
    ) -> None:
        """Learn what the windows before the one that has opened were like."""
        before = known.until(window.start - timedelta(days=1))
        self._window = window
        self._past_quality = past_quality(
            self.home, before, challengers, reigns, window, self.settings
        )
        self._past_drift = past_drift(
            self.home, before, challengers, reigns, window, self.settings, self.store
        )

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
        recent = measure_recent(known, challengers, running.start, self.settings)
        own = recent[recent["window"] == pd.Timestamp(running.start)]
        judged = judge_decay(
            pd.concat([self._past_quality, own], ignore_index=True), self.settings.decay
        )
        self.newest_quality = judged[judged["window"] == pd.Timestamp(running.start)]
        return decayed_now(self.newest_quality, running)
