"""Samples of made-up tickers as `measurement` gives them, and the rows of their summary."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.drift.looks import Look
from odyssey_assets.monitoring.drift.scores import SortedColumns, score_samples
from odyssey_assets.monitoring.drift.serving_models import ServingModel
from odyssey_assets.monitoring.drift.ticker_drift import JudgedSample
from odyssey_assets.monitoring.tables import DRIFT_SUMMARY, METHODS, PREDICTION

RUNNING = Window(date(2024, 7, 1))
PAST = Window(date(2024, 1, 1))
SESSIONS = 42
METHOD = METHODS.index("wasserstein")


def judged_sample(window: Window = RUNNING, drifted: int = 0, columns: int = 4) -> JudgedSample:
    """Return a sample of which the first so many columns lie beyond their threshold.

    Args:
        window: Its window.
        drifted: Columns that drifted, by every method.
        columns: All of them; the last one is the forecasts, unknown on the first session.
    """
    generator = np.random.default_rng(drifted)
    reference = np.sort(generator.normal(size=(300, columns)), axis=0)
    sample = generator.normal(size=(SESSIONS, columns))
    sample[0, -1] = np.nan
    scores = score_samples(
        SortedColumns.of(reference), sample, np.array([0]), np.array([SESSIONS])
    )[0]
    factor = np.where(np.arange(columns) < drifted, 0.5, 2.0)
    return JudgedSample(
        look=Look(_model(window), 0, SESSIONS, window.start + timedelta(days=60)),
        sessions=np.datetime64(window.start, "D") + np.arange(SESSIONS),
        names=(*(f"f{at}" for at in range(columns - 1)), PREDICTION),
        is_kept=np.arange(columns) != 1,
        sample=sample,
        reference=reference,
        scores=scores,
        thresholds=scores * factor[:, None],
    )


def summary_rows(*cells: tuple[str, Window, int]) -> pd.DataFrame:
    """Return two rows a cell (ticker, window, drifted columns), the newer one of that sample."""
    rows = [
        {
            "ticker": ticker,
            "window": pd.Timestamp(window.start),
            "as_of": pd.Timestamp(window.start + timedelta(days=days)),
            "status": "measured",
            "judged_by": "scores",
            "sessions": SESSIONS,
            "inputs": 4,
            "drifted_inputs": drifted if days == 60 else 0,
            "share_drifted": drifted / 4 if days == 60 else 0.0,
            "is_drifted": days == 60 and drifted > 0,
            "severity": "minor" if days == 60 and drifted else "none",
        }
        for ticker, window, drifted in cells
        for days in (30, 60)
    ]
    frame = pd.DataFrame(rows)
    missing = {name: None for name in DRIFT_SUMMARY.column_names if name not in frame}
    return DRIFT_SUMMARY.conform(frame.assign(**missing))


def _model(window: Window) -> ServingModel:
    return ServingModel(
        window=window,
        name=f"xgboost/AAA/{window.key}/1",
        model_sha256="sha",
        data_sha256="data",
        train_start=date(2010, 1, 4),
        train_end=date(2023, 6, 1),
        sees_from=window.start,
        serves_from=window.start,
        serves_to=window.end - timedelta(days=1),
    )
