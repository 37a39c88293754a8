"""Drift of one ticker: its looks scored, compared with earlier windows, and judged.

What earlier windows say is worked out once a ticker and only where it is not given. Rows belong to
`tabulation`, several tickers to `measurement`. Scores are compiled: only bodies import this module.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.drift.calibration import Calibration, Judgement, calibrate
from odyssey_assets.monitoring.drift.looks import Look, checkpoint_of, checkpoints, plan_looks
from odyssey_assets.monitoring.drift.nulls import drawn_null, null_of
from odyssey_assets.monitoring.drift.panel import COLUMNS, TickerPanel
from odyssey_assets.monitoring.drift.past_scores import PastScores
from odyssey_assets.monitoring.drift.references import ReferenceShelf
from odyssey_assets.monitoring.drift.scores import SortedColumns, score_samples
from odyssey_assets.monitoring.drift.serving_models import ServingModel, ServingRecord
from odyssey_assets.monitoring.drift.tabulation import LookRows, Unmeasured
from odyssey_assets.monitoring.tables import PREDICTION
from odyssey_assets.settings import Settings

TOO_FEW = "{sessions} sessions that its model had not seen, and a verdict needs {needed}"


@dataclass(frozen=True, eq=False)
class JudgedSample:
    """The newest sample of a window, as it is judged.

    Attributes:
        look: Whose sample it is, and up to which day.
        sessions: Its sessions, datetime64[D], shape (sessions,).
        names: Names of the columns: features the model was given, and its forecasts.
        is_kept: Whether the model's own selection kept the feature; true of its forecasts. Bool,
            shape (columns,).
        sample: The window's values, shape (sessions, columns).
        reference: What they are held against, shape (rows, columns), ascending; NaN at the end
            where a column has fewer.
        scores: Distances, shape (columns, methods).
        thresholds: Distances above which a column counts as drifted, likewise.
    """

    look: Look
    sessions: np.ndarray
    names: tuple[str, ...]
    is_kept: np.ndarray
    sample: np.ndarray
    reference: np.ndarray
    scores: np.ndarray
    thresholds: np.ndarray


@dataclass(frozen=True, eq=False)
class WindowDrift:
    """What was found in one window.

    Attributes:
        looks: Measured and judged, in order of their day.
        unmeasured: Why there is no verdict on it, or on its newest sample; mostly empty.
        newest: Its newest sample, where that has a verdict.
    """

    looks: Sequence[LookRows] = ()
    unmeasured: Sequence[Unmeasured] = ()
    newest: JudgedSample | None = None


@dataclass(frozen=True, eq=False)
class _Scored:
    look: Look
    scores: np.ndarray


class TickerDrift:
    """Measures windows of one ticker, and remembers what it worked out on the way.

    Args:
        panel: The ticker's rows, at least one.
        record: Who serves when.
        wanted: Windows that will be measured: their scores are never taken from `known`.
        known: Scores of earlier windows.
        settings: Drift and seed.
        store: Keeps the references of running windows; None: nothing is kept.
    """

    def __init__(
        self,
        panel: TickerPanel,
        record: ServingRecord,
        wanted: Collection[Window],
        known: PastScores,
        settings: Settings,
        store: ModelStore | None,
    ) -> None:
        self._panel = panel
        self._record = record
        self._wanted = frozenset(wanted)
        self._known = known
        self._settings = settings
        self._windows = record.windows(panel.ticker)
        newest = panel.days[-1].item()
        running = tuple(window for window in self._windows if window.start <= newest < window.end)
        self._shelf = ReferenceShelf(store, panel.ticker, running)
        self._compared = checkpoints(settings.drift.min_sessions)
        self._looks: dict[Window, tuple[Look, ...]] = {}
        self._scored: dict[Window, list[_Scored]] = {}
        self._past: dict[Window, Mapping[int, np.ndarray]] = {}
        self._references: dict[tuple[Window, str], SortedColumns] = {}

    def measure(self, window: Window) -> WindowDrift:
        """Return what one window's looks say; nothing where it has no session."""
        first, stop = self._panel.position(window.start), self._panel.position(window.end)
        if first == stop:
            return WindowDrift()
        reason = self._record.regency(self._panel.ticker, window).reason
        if reason is not None:
            return WindowDrift(unmeasured=(self._no_model(window, reason, first, stop),))
        looks = self._looks_at(window)
        unmeasured = [self._too_few(look) for look in looks if not self._is_enough(look)]
        rows: list[LookRows] = []
        newest = None
        calibrations: dict[str, tuple[Calibration, np.ndarray]] = {}
        for one in self._scores_of(window):
            model = one.look.model
            if model.model_sha256 not in calibrations:
                calibrations[model.model_sha256] = self._calibration(model)
            calibration, is_input = calibrations[model.model_sha256]
            place = checkpoint_of(one.look.sessions, self._compared)
            judgement = calibration.judge(one.scores, place)
            reference = self._reference(model)
            rows.append(
                LookRows(
                    self._panel.ticker, one.look, one.scores, judgement, reference.counts, is_input
                )
            )
            if one.look == looks[-1]:
                newest = self._judged(one, judgement, reference, is_input)
        return WindowDrift(rows, unmeasured, newest)

    def _no_model(self, window: Window, reason: str, first: int, stop: int) -> Unmeasured:
        last = self._panel.days[stop - 1].item()
        return Unmeasured(self._panel.ticker, window, last, "no_model", reason, stop - first, None)

    def _too_few(self, look: Look) -> Unmeasured:
        needed = self._settings.drift.min_sessions
        return Unmeasured(
            self._panel.ticker,
            look.model.window,
            look.as_of,
            "too_few_sessions",
            TOO_FEW.format(sessions=look.sessions, needed=needed),
            look.sessions,
            look.model.model_sha256,
        )

    def _is_enough(self, look: Look) -> bool:
        return look.sessions >= self._settings.drift.min_sessions

    def _calibration(self, model: ServingModel) -> tuple[Calibration, np.ndarray]:
        named = self._record.inputs(model) | {PREDICTION}
        is_input = np.array([name in named for name in COLUMNS])
        config = self._settings.drift
        past = [
            scores
            for window in self._windows
            if window < model.window
            for scores in [self._past_of(window)]
            if scores
        ]
        if len(past) >= config.min_past_windows:
            null = null_of(past, self._compared)
        else:
            null = drawn_null(
                self._panel, model, self._reference(model), self._compared, self._settings.seed
            )
        return calibrate(null, is_input, config.false_alarm_rate), is_input

    def _past_of(self, window: Window) -> Mapping[int, np.ndarray]:
        """Return an earlier window's scores at the checkpoints, by number of sessions."""
        if window not in self._past:
            looks = [look for look in self._looks_at(window) if look.sessions in self._compared]
            is_wanted = window in self._wanted
            known = None if is_wanted else self._known.of(self._panel.ticker, looks)
            if known is None:
                known = [(one.look, one.scores) for one in self._scores_of(window)]
            by_sessions: dict[int, np.ndarray] = {}
            for look, scores in known:
                if look.sessions in self._compared:
                    by_sessions.setdefault(look.sessions, scores)
            self._past[window] = by_sessions
        return self._past[window]

    def _scores_of(self, window: Window) -> list[_Scored]:
        if window not in self._scored:
            looks = [look for look in self._looks_at(window) if self._is_enough(look)]
            self._scored[window] = [
                _Scored(look, scores)
                for model in dict.fromkeys(look.model for look in looks)
                for look, scores in self._score(
                    model, [look for look in looks if look.model == model]
                )
            ]
        return self._scored[window]

    def _score(self, model: ServingModel, looks: Sequence[Look]) -> list[tuple[Look, np.ndarray]]:
        first, stop = looks[0].first, looks[-1].stop
        rows = self._panel.sample(first, stop, model.model_sha256)
        scores = score_samples(
            self._reference(model),
            rows,
            np.zeros(len(looks), dtype=np.int64),
            np.array([look.sessions for look in looks]),
        )
        return list(zip(looks, scores, strict=True))

    def _looks_at(self, window: Window) -> tuple[Look, ...]:
        if window not in self._looks:
            models = self._record.regency(self._panel.ticker, window).models
            needed = self._settings.drift.min_sessions
            self._looks[window] = plan_looks(self._panel, models, needed)
        return self._looks[window]

    def _reference(self, model: ServingModel) -> SortedColumns:
        key = (model.window, model.model_sha256)
        if key not in self._references:
            self._references[key] = self._shelf.reference(self._panel, model)
        return self._references[key]

    def _judged(
        self, one: _Scored, judgement: Judgement, reference: SortedColumns, is_input: np.ndarray
    ) -> JudgedSample:
        look, names = one.look, np.array(COLUMNS)[is_input]
        sample = self._panel.sample(look.first, look.stop, look.model.model_sha256)
        return JudgedSample(
            look=look,
            sessions=self._panel.days[look.first : look.stop],
            names=tuple(names),
            is_kept=np.isin(names, [*self._record.kept(look.model), PREDICTION]),
            sample=sample[:, is_input],
            reference=reference.ascending[is_input].T,
            scores=one.scores[is_input],
            thresholds=judgement.thresholds[is_input],
        )
