"""Walk-forward training against the obvious sequential loop, on the same folds, in turn.

Ours: `fit_fold` of the default model over the process pool, everything that the platform does
included (feature selection, early stopping, conformal width, SHAP importance, UBJSON, forecasts).
The loop: for each fold one `XGBRegressor.fit` on all features with the same learning rate, depth,
rounds, early stopping and seed, default everything else (256 bins, all cores, no selection), then
`predict`; nothing more, which favours the loop. With `--select` the loop also selects features in
the obvious way, by a first `XGBRegressor` fit.

Prices are those of `../shared/market` beside the project where they are there, else simulated.
Run `python -m benchmarks.walk_forward [--folds 60] [--select]`. Without `--folds` it takes all of
them, about four minutes; with few, starting the pool (4 s) weighs more than it does in a run.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import xgboost as xgb

from benchmarks.measurement import print_conditions
from odyssey_assets.core.forecast_scores import rmse
from odyssey_assets.core.parallel import available_cores, run_tasks
from odyssey_assets.core.windows import windows_between
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.features.computation import compute_features
from odyssey_assets.features.labels import compute_labels
from odyssey_assets.forecasting.fitting import FoldTask, fit_fold, plan_task
from odyssey_assets.forecasting.folds import plan_folds
from odyssey_assets.forecasting.history import TickerHistory, build_histories
from odyssey_assets.forecasting.models.xgboost_model import XGBoostForecaster
from odyssey_assets.market_data.catalog import build_source
from odyssey_assets.market_data.cleaning import clean_bars
from odyssey_assets.market_data.ingestion import ingest_bars, ingest_macro
from odyssey_assets.settings import Settings, build_settings

PACKAGES = ("xgboost", "numpy", "pandas", "scikit-learn")
SHARED_MARKET = Path(__file__).resolve().parents[1] / ".." / "shared" / "market"
START, END = date(2008, 1, 1), date(2024, 12, 31)
TARGET_RATIO = 4.0


def benchmark_settings() -> Settings:
    """Return settings for real prices where they are, else for the simulated market."""
    if (SHARED_MARKET / "yahoo").is_dir():
        return build_settings(
            source="files",
            price_dir=SHARED_MARKET / "yahoo",
            macro_dir=SHARED_MARKET / "macro",
            start=START,
            end=END,
        )
    return build_settings(source="simulated", start=date(2010, 1, 1), end=END)


def load_histories(settings: Settings) -> dict[str, TickerHistory]:
    """Take prices of the settings' source through cleaning, features and labels."""
    now = datetime.now(UTC)
    end = settings.end or END
    source = build_source(settings)
    raw = ingest_bars(source, settings.tickers, settings.start, end, now).rows
    macro = ingest_macro(source, settings.macro_series, settings.start, end).rows
    bars = clean_bars(raw, settings.cleaning, settings.source, end, now=now).bars
    return build_histories(
        compute_features(bars, macro, settings).features,
        compute_labels(bars, settings.labels),
        bars,
        settings.tickers,
        MODEL_FEATURES,
        settings.forecasting.horizon_sessions,
    )


def plan_tasks(histories: Mapping[str, TickerHistory], settings: Settings) -> list[FoldTask]:
    """Return the default model's task of every fold that can be trained, longest first."""
    forecaster = XGBoostForecaster(settings.forecasting.xgboost, settings.seed)
    windows = windows_between(settings.start, settings.end or END)
    tasks = [
        plan_task(history, fold, forecaster, settings.forecasting, history.data_sha256(fold))
        for history in histories.values()
        for fold in plan_folds(history.sessions, windows, settings.forecasting)
        if fold.reason is None
    ]
    return sorted(tasks, key=lambda task: (-len(task.fold.train), task.name_parts))


def run_loop(
    histories: Mapping[str, TickerHistory],
    tasks: Sequence[FoldTask],
    settings: Settings,
    select: bool,
) -> list[np.ndarray]:
    """Fit and forecast fold after fold with `XGBRegressor`."""
    return [obvious_forecast(histories[task.ticker], task, settings, select) for task in tasks]


def obvious_forecast(
    history: TickerHistory, task: FoldTask, settings: Settings, select: bool
) -> np.ndarray:
    """Return one fold's forecasts as a first notebook would make them."""
    chosen = settings.forecasting.xgboost
    train, valid = history.sample(task.fold.train), history.sample(task.fold.valid)
    columns = np.arange(len(history.features))
    shared = {
        "learning_rate": chosen.learning_rate,
        "max_depth": chosen.max_depth,
        "random_state": settings.seed,
        # Named, because the package pins the default to one thread.
        "n_jobs": available_cores(),
    }
    if select:
        ranking = xgb.XGBRegressor(
            n_estimators=chosen.selection_rounds, importance_type="total_gain", **shared
        ).fit(train.values, train.target)
        columns = np.argsort(-ranking.feature_importances_)[: chosen.selected_features]
    model = xgb.XGBRegressor(
        n_estimators=chosen.max_rounds,
        early_stopping_rounds=chosen.early_stopping_rounds,
        **shared,
    ).fit(
        train.values[:, columns],
        train.target,
        eval_set=[(valid.values[:, columns], valid.target)],
        verbose=False,
    )
    return np.asarray(model.predict(history.values[task.fold.test.rows][:, columns]))


def fold_errors(
    histories: Mapping[str, TickerHistory],
    tasks: Sequence[FoldTask],
    predictions: Sequence[np.ndarray],
) -> np.ndarray:
    """Return the out-of-sample RMSE of each fold, over sessions whose outcome is known."""
    errors = []
    for task, prediction in zip(tasks, predictions, strict=True):
        outcome = histories[task.ticker].target[task.fold.test.rows]
        is_known = ~np.isnan(outcome)
        errors.append(rmse(prediction[is_known], outcome[is_known]))
    return np.array(errors)


def main() -> None:
    """Run ours and the loop in turn and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folds", type=int, default=0, help="folds drawn at random; 0: all")
    parser.add_argument("--select", action="store_true", help="the loop selects features too")
    options = parser.parse_args()
    settings = benchmark_settings()
    histories = load_histories(settings)
    every = plan_tasks(histories, settings)
    drawn = np.random.default_rng(settings.seed).permutation(len(every))
    tasks = [every[at] for at in sorted(drawn[: options.folds or len(every)])]
    print_conditions(PACKAGES)
    print(
        f"{settings.source} prices, {len(tasks)} of {len(every)} folds, "
        f"{len(MODEL_FEATURES)} features"
    )

    started = time.perf_counter()
    by_position = dict(run_tasks(fit_fold, histories, tasks, settings.workers))
    ours_s = time.perf_counter() - started
    ours = [by_position[at][0].prediction for at in range(len(tasks))]
    started = time.perf_counter()
    loop = run_loop(histories, tasks, settings, options.select)
    loop_s = time.perf_counter() - started

    ours_rmse, loop_rmse = (fold_errors(histories, tasks, one) for one in (ours, loop))
    kind = "selection and fit" if options.select else "fit only"
    print(
        f"ours, {available_cores()} processes: {ours_s:.1f} s, {ours_s / len(tasks):.3f} s a fold"
    )
    print(f"XGBRegressor loop, {kind}: {loop_s:.1f} s, {loop_s / len(tasks):.3f} s a fold")
    print(f"ratio {loop_s / ours_s:.1f} (target {TARGET_RATIO:.0f})")
    difference = ours_rmse - loop_rmse
    print(
        f"mean out-of-sample RMSE: ours {ours_rmse.mean():.5f}, loop {loop_rmse.mean():.5f}, "
        f"difference {difference.mean():+.5f} (standard error "
        f"{difference.std(ddof=1) / np.sqrt(len(difference)):.5f})"
    )


if __name__ == "__main__":
    main()
