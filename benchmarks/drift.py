"""Time of all drift scores beside Evidently's for the same numbers, both measured in this run.

Ours: the scores of 94 features by four methods, of 15 tickers over all windows that fifteen years
hold, at every checkpoint, references ordered from the rows; then the whole measurement, with
calibration and rows, of all windows and of one night that knows the earlier scores. Evidently: one
report of `ValueDrift` a column and method on a few samples, which it is too slow for more of, and
its bare functions without a report. Before, both must give the same numbers to a billionth. CPU
seconds of this process, one thread, every repetition printed, the least one counts. Run
`python -m benchmarks.drift`.
"""

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

from benchmarks.drift_power import END, NAMES, START, fold_rows
from benchmarks.features import random_bars, random_macro
from benchmarks.measurement import print_conditions
from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.core.windows import windows_between
from odyssey_assets.features.computation import compute_features
from odyssey_assets.forecasting.folds import Fold, plan_folds
from odyssey_assets.forecasting.tables import CHALLENGERS, PREDICTIONS
from odyssey_assets.monitoring.drift.looks import LAST_CHECKPOINT, STEP_SESSIONS
from odyssey_assets.monitoring.drift.measurement import measure_drift
from odyssey_assets.monitoring.drift.past_scores import PAST_COLUMNS
from odyssey_assets.monitoring.drift.scores import KS, SortedColumns, score_samples
from odyssey_assets.monitoring.tables import METHODS
from odyssey_assets.settings import DEFAULT_TICKERS, Settings, build_settings

PACKAGES = ("evidently", "numpy", "pandas", "scipy", "numba")
EVIDENTLY_NAMES = ("psi", "ks", "jensenshannon", "wasserstein")
TARGET_S = 10.0


def score_everything(
    histories: dict[str, np.ndarray], folds: dict[str, tuple[Fold, ...]]
) -> tuple[int, np.ndarray]:
    """Return how many scores there are, and those of the last window looked at."""
    count, scores = 0, np.empty(0)
    for ticker, rows in histories.items():
        for fold in folds[ticker]:
            if fold.reason is not None:
                continue
            reference = SortedColumns.of(rows[fold.train.rows])
            sizes = [*range(STEP_SESSIONS, LAST_CHECKPOINT + 1, STEP_SESSIONS), len(fold.test)]
            last = np.array([min(size, len(fold.test)) for size in sizes])
            scores = score_samples(reference, rows[fold.test.rows], np.zeros_like(last), last)
            count += scores.size
    return count, scores


def evidently_report(reference: pd.DataFrame, sample: pd.DataFrame) -> np.ndarray:
    """Return Evidently's scores by its reports, shape (columns, methods); p-values for `ks`."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    definition = DataDefinition(numerical_columns=NAMES)
    data = [Dataset.from_pandas(frame, data_definition=definition) for frame in (sample, reference)]
    columns = []
    for method in EVIDENTLY_NAMES:
        metrics = [ValueDrift(column=name, method=method) for name in NAMES]
        found = Report(metrics).run(*data).dict()["metrics"]
        columns.append([float(metric["value"]) for metric in found])
    return np.array(columns).T


def evidently_functions(reference: pd.DataFrame, sample: pd.DataFrame) -> np.ndarray:
    """Return what `evidently_report` does, by Evidently's functions alone."""
    from evidently.legacy.calculations.stattests import (
        jensenshannon_stat_test,
        ks_stat_test,
        psi_stat_test,
        wasserstein_stat_test,
    )
    from evidently.legacy.core import ColumnType

    tests = (psi_stat_test, ks_stat_test, jensenshannon_stat_test, wasserstein_stat_test)
    return np.array(
        [
            [
                float(
                    test(
                        reference[name].dropna(), sample[name].dropna(), ColumnType.Numerical, None
                    ).drift_score
                )
                for test in tests
            ]
            for name in NAMES
        ]
    )


def check_agreement(ours: np.ndarray, reference: pd.DataFrame, sample: pd.DataFrame) -> None:
    """Refuse to compare times of different numbers."""
    theirs = evidently_report(reference, sample)
    np.testing.assert_allclose(evidently_functions(reference, sample), theirs, rtol=1e-9)
    others = [at for at in range(len(METHODS)) if at != KS]
    np.testing.assert_allclose(ours[:, others], theirs[:, others], rtol=1e-9, atol=1e-9)
    for row, name in enumerate(NAMES):
        found = ks_2samp(reference[name].dropna(), sample[name].dropna())
        np.testing.assert_allclose(ours[row, KS], found.statistic, rtol=1e-9)
        np.testing.assert_allclose(theirs[row, KS], found.pvalue, rtol=1e-9)


def cpu_seconds(work: Callable[[], object], repetitions: int) -> list[float]:
    """Return the CPU seconds of this process that each call of `work` takes."""
    taken = []
    for _ in range(repetitions):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return taken


def whole_and_night(
    features: pd.DataFrame, settings: Settings, repetitions: int
) -> tuple[list[float], list[float]]:
    """Return CPU seconds of measuring all windows, and the newest with the earlier ones known."""
    windows = windows_between(START, END)
    folds = fold_rows(features, windows, settings)

    def measure(count: int, past: pd.DataFrame | None) -> pd.DataFrame:
        wanted = dict.fromkeys(settings.tickers, windows[-count:])
        tables = (features, folds, CHALLENGERS.empty(), PREDICTIONS.empty(), ())
        return measure_drift(*tables, wanted, settings, None, past).drift

    rows = measure(len(windows), None)
    is_earlier = rows["window"] < pd.Timestamp(windows[-1].start)
    past = rows.loc[is_earlier, list(PAST_COLUMNS)]
    print(f"the whole history is {len(rows):,} rows")
    return (
        cpu_seconds(lambda: measure(len(windows), None), repetitions),
        cpu_seconds(lambda: measure(1, past), repetitions),
    )


def main() -> None:
    """Measure all and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=2, help="samples that Evidently is timed on")
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()

    print_conditions(PACKAGES)
    warnings.simplefilter("ignore")  # Evidently divides by zero in plots nobody sees
    settings = build_settings(tickers=DEFAULT_TICKERS)
    sessions = sessions_between(START, END)
    bars, macro = random_bars(settings.tickers, sessions), random_macro(sessions)
    features = compute_features(bars, macro, settings).features
    histories = {str(name): own[NAMES].to_numpy() for name, own in features.groupby("ticker")}
    planned = plan_folds(sessions.to_numpy(), windows_between(START, END), settings.forecasting)
    folds = dict.fromkeys(histories, planned)

    count, scores = score_everything(histories, folds)
    last = histories[max(histories)]
    reference, sample = (
        pd.DataFrame(last[span.rows], columns=NAMES)
        for span in (planned[-1].train, planned[-1].test)
    )
    check_agreement(scores[-1], reference, sample)
    ours = cpu_seconds(lambda: score_everything(histories, folds), arguments.repetitions)
    each = min(ours) / count
    few = arguments.samples * len(NAMES) * len(METHODS)
    measured = {
        "odyssey, all scores": (ours, count),
        "evidently, reports of ValueDrift": (
            cpu_seconds(lambda: evidently_report(reference, sample), arguments.samples),
            few // arguments.samples,
        ),
        "evidently, its bare functions": (
            cpu_seconds(lambda: evidently_functions(reference, sample), arguments.samples),
            few // arguments.samples,
        ),
    }
    for name, (seconds, scored) in measured.items():
        runs = ", ".join(f"{second:.2f}" for second in seconds)
        print(
            f"{name}: {scored:,} scores in {min(seconds):.2f} s CPU (runs: {runs}), "
            f"{min(seconds) / scored * 1e6:.1f} us a score, {min(seconds) / scored / each:.0f} "
            "times ours"
        )
    whole, night = whole_and_night(features, settings, arguments.repetitions)
    for name, seconds in (("all windows", whole), ("one night", night)):
        runs = ", ".join(f"{second:.2f}" for second in seconds)
        print(f"odyssey, {name} measured, judged and as rows: {min(seconds):.2f} s (runs: {runs})")
    verdict = "met" if min(ours) <= TARGET_S else "missed"
    print(f"target {TARGET_S} s for all scores: {verdict} with {min(ours):.2f} s")


if __name__ == "__main__":
    main()
