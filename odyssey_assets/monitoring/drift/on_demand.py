"""One drift report that a person asks for, of any ticker and window, drifted or not.

Reads what is stored and writes only the report: verdicts are those of the last run. The report of a
run belongs to `monitoring.drift.judging`.
"""

from pathlib import Path

from odyssey_assets.core.collaborators import Champions
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import Window
from odyssey_assets.errors import ReportError
from odyssey_assets.features.tables import FEATURES_TABLE
from odyssey_assets.forecasting.tables import CHALLENGERS, FOLDS, PREDICTIONS
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.drift.measurement import measure_drift
from odyssey_assets.monitoring.drift.reports import remove_oldest, report_path, write_report
from odyssey_assets.monitoring.drift.samples import verdict_tasks
from odyssey_assets.monitoring.drift.verdict import judge
from odyssey_assets.monitoring.tables import DRIFT
from odyssey_assets.settings import Settings


def write_report_of(
    ticker: str, window: Window, warehouse: Warehouse, champions: Champions, settings: Settings
) -> Path:
    """Write Evidently's report on the newest sample of a ticker's window; return its file.

    The oldest reports go, as after a run.

    Args:
        ticker: The ticker.
        window: Any window that a model served.
        warehouse: What is stored.
        champions: Who reigns.
        settings: Drift and the home.

    Raises:
        ReportError: There is no sample that can be judged, or the file cannot be written.
        WarehouseError: The warehouse cannot be read.
        ModelError: A stored reference cannot be written.
    """
    home = home_of(settings)
    history = (Slice((ticker,), end=window.end),)
    measured = measure_drift(
        warehouse.read(FEATURES_TABLE, history),
        warehouse.read(FOLDS, history),
        warehouse.read(CHALLENGERS),
        warehouse.read(PREDICTIONS, history),
        champions.reigns("forecaster"),
        {ticker: (window,)},
        settings,
        ModelStore(home.models),
        warehouse.read(DRIFT, (Slice((ticker,), end=window.start),)),
    )
    tasks = verdict_tasks(
        measured.samples, [(ticker, window)], settings.drift.method, is_report_wanted=True
    )
    if not tasks:
        reasons = measured.summary["reason"].dropna()
        reason = reasons.iloc[-1] if len(reasons) else "no session of it is stored"
        raise ReportError(
            f"{ticker} has no drift report for the window {window.key}: {reason}. Choose a window "
            "of monitoring.drift_summary whose status is `measured`."
        )
    [task] = tasks
    file = report_path(home.reports, ticker, window, task.as_of)
    write_report(file, judge(task).html or "")
    remove_oldest(home.reports, settings.drift.reports_kept)
    return file
