"""Drift of every ticker and window: what is measured, when, and what it means.

    measured = measure_drift(
        features, folds, challengers, predictions, reigns, windows_by_ticker, settings, store, past
    )
    measured.drift      # rows of `monitoring.drift`
    measured.summary    # rows of `monitoring.drift_summary`, judged by our own scores
    measured.samples    # (ticker, window) -> JudgedSample: what Evidently is given

A window's rows follow from what was known at its last session: scores of its own samples, and
those of earlier windows at as many sessions. Those may be given (`past`: stored rows of
`monitoring.drift`) or are worked out; the result is the same to the last bit. Numba is slow to
import: only bodies import this module. Evidently's verdict and report belong to `verdict`.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.drift.panel import build_panels
from odyssey_assets.monitoring.drift.past_scores import PastScores
from odyssey_assets.monitoring.drift.serving_models import ServingRecord
from odyssey_assets.monitoring.drift.tabulation import LookRows, Unmeasured, tabulate
from odyssey_assets.monitoring.drift.ticker_drift import JudgedSample, TickerDrift
from odyssey_assets.settings import Settings


@dataclass(frozen=True, eq=False)
class DriftMeasured:
    """What was measured.

    Attributes:
        drift: Rows of `monitoring.drift` of the windows asked for.
        summary: Rows of `monitoring.drift_summary` of the same windows, judged by scores.
        samples: The newest sample of each of those windows that has one and was asked for.
    """

    drift: pd.DataFrame
    summary: pd.DataFrame
    samples: Mapping[tuple[str, Window], JudgedSample]


def measure_drift(
    features: pd.DataFrame,
    folds: pd.DataFrame,
    challengers: pd.DataFrame,
    predictions: pd.DataFrame,
    reigns: Sequence[Reign],
    windows_by_ticker: Mapping[str, Sequence[Window]],
    settings: Settings,
    store: ModelStore | None,
    past: pd.DataFrame | PastScores | None = None,
    sampled: Container[tuple[str, Window]] | None = None,
) -> DriftMeasured:
    """Measure the drift of windows, and judge it by what earlier windows were like.

    Args:
        features: Rows of `features.features` from each ticker's first session on.
        folds: Rows of `forecasting.folds` of these windows and all earlier ones.
        challengers: Rows of `forecasting.challengers`.
        predictions: Rows of `forecasting.predictions` of these windows and all earlier ones.
        reigns: Of forecasters, in the order of decision.
        windows_by_ticker: The windows to measure, by ticker.
        settings: Drift, seed and the forecaster that the policies see.
        store: Knows the features of each model, and keeps the references of running windows; None:
            a model counts as using all features it may, and nothing is kept.
        past: Rows of `monitoring.drift` of earlier windows (`PAST_COLUMNS` suffice), or what was
            made of them; what they lack is worked out.
        sampled: Tickers and windows whose newest sample is given back, each some megabytes; None:
            all of them.

    Raises:
        ModelError: A reference cannot be written.
    """
    model = settings.portfolio.forecast_model
    tickers = sorted(windows_by_ticker)
    panels = build_panels(features, predictions, tickers, model)
    record = ServingRecord(folds, challengers, reigns, model, store)
    known = past if isinstance(past, PastScores) else PastScores(past)
    rows: list[LookRows] = []
    unmeasured: list[Unmeasured] = []
    samples: dict[tuple[str, Window], JudgedSample] = {}
    for ticker in tickers:
        panel = panels[ticker]
        if len(panel.days) == 0:
            continue
        wanted = sorted(set(windows_by_ticker[ticker]))
        measured = TickerDrift(panel, record, wanted, known, settings, store)
        for window in wanted:
            found = measured.measure(window)
            rows += found.looks
            unmeasured += found.unmeasured
            is_wanted = sampled is None or (ticker, window) in sampled
            if found.newest is not None and is_wanted:
                samples[ticker, window] = found.newest
    drift, summary = tabulate(rows, unmeasured, settings.drift)
    return DriftMeasured(drift, summary, samples)
