"""Seconds of a run that are not ours: the graph through Dagster, beside the same functions alone.

Run: `.venv/bin/python -m benchmarks.dagster_overhead`. Both sides start from an empty home, fetch
the embedded market, and store every table and model; the plain side calls the functions in order.
"""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measurement import print_conditions
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.definitions import SQL_PROJECT, TABLES, build_defs
from odyssey_assets.features.computation import compute_features
from odyssey_assets.features.labels import compute_labels
from odyssey_assets.features.tables import CLIP_THRESHOLDS, FEATURES_TABLE, LABELS
from odyssey_assets.forecasting.tables import FEATURE_IMPORTANCE, FOLDS, PREDICTIONS
from odyssey_assets.forecasting.training import forecast_windows
from odyssey_assets.headless import job_tags, with_fixed_break
from odyssey_assets.infrastructure.driver import StepEvent, open_instance, run_job
from odyssey_assets.infrastructure.home import home_of, load_settings, remember_universe
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.infrastructure.partitions import build_grid, last_session
from odyssey_assets.infrastructure.tracking import Tracker
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.catalog import build_source
from odyssey_assets.market_data.cleaning import clean_bars
from odyssey_assets.market_data.ingestion import ingest_bars, ingest_macro
from odyssey_assets.market_data.tables import BARS, MACRO, QUARANTINE, RAW_BARS
from odyssey_assets.settings import Settings


def settings_of(home: Path) -> Settings:
    """Return the settings of the embedded default in `home`."""
    return with_fixed_break(load_settings(home=home, source="simulated"))


def plain_seconds(settings: Settings) -> float:
    """Return the seconds that the pipeline's own functions take, up to the stored forecasts."""
    home = home_of(settings)
    home.create()
    began = time.perf_counter()
    warehouse = Warehouse(home, settings.warehouse)
    source, end, now = build_source(settings), last_session(settings), datetime.now(UTC)
    macro = ingest_macro(source, settings.macro_series, settings.start, end).rows
    warehouse.replace(MACRO, macro, [WHOLE_TABLE])
    raw = ingest_bars(source, settings.tickers, settings.start, end, now).rows
    warehouse.append(RAW_BARS, raw)
    cleaned = clean_bars(raw, settings.cleaning, source=settings.source, end=end, now=now)
    warehouse.replace(BARS, cleaned.bars, [WHOLE_TABLE])
    warehouse.replace(QUARANTINE, cleaned.quarantine, [WHOLE_TABLE])
    frames = compute_features(cleaned.bars, macro, settings)
    warehouse.replace(FEATURES_TABLE, frames.features, [WHOLE_TABLE])
    warehouse.replace(CLIP_THRESHOLDS, frames.clip_thresholds, [WHOLE_TABLE])
    labels = compute_labels(cleaned.bars, settings.labels)
    warehouse.replace(LABELS, labels, [WHOLE_TABLE])
    windows = build_grid(settings).window_list()
    forecasts = forecast_windows(
        frames.features,
        labels,
        cleaned.bars,
        dict.fromkeys(settings.tickers, windows),
        settings,
        ModelStore(home.models),
        Tracker(home.mlflow),
    )
    warehouse.replace(FOLDS, forecasts.folds, [WHOLE_TABLE])
    warehouse.replace(PREDICTIONS, forecasts.predictions, [WHOLE_TABLE])
    warehouse.replace(FEATURE_IMPORTANCE, forecasts.feature_importance, [WHOLE_TABLE])
    return time.perf_counter() - began


def dagster_seconds(settings: Settings) -> dict[str, float]:
    """Return the seconds of each refresh job through Dagster, and of their steps' bodies."""
    home = home_of(settings)
    instance = open_instance(home)
    remember_universe(settings)
    definitions = build_defs(home=settings.home)
    seconds: dict[str, float] = {}
    windows = build_grid(settings).window_list()
    for job, tags in job_tags(settings.tickers, windows).items():
        began = time.perf_counter()
        outcome = run_job(definitions, instance, job, tags, ignore)
        seconds[job] = time.perf_counter() - began
        if not outcome.is_success:
            raise SystemExit("\n".join(outcome.errors))
    return seconds


def ignore(event: StepEvent) -> None:
    """Take no notice of a step event."""
    del event


def main() -> None:
    """Print both sides and the difference."""
    print_conditions(["dagster", "duckdb", "pandas", "xgboost"])
    with tempfile.TemporaryDirectory() as folder:
        plain = plain_seconds(settings_of(Path(folder) / "plain"))
        jobs = dagster_seconds(settings_of(Path(folder) / "dagster"))
    for job, seconds in jobs.items():
        print(f"{job:<16} {seconds:7.1f} s")
    tables = jobs["refresh_macro"] + jobs["refresh_market"]
    print(f"tables through Dagster, checks and pictures included {tables:7.1f} s")
    print(f"the same functions alone                             {plain:7.1f} s")
    print(f"not ours                                             {tables - plain:7.1f} s")
    print(f"ratio                                                {tables / plain:7.2f}")
    print(f"({len(TABLES)} tables, SQL project {SQL_PROJECT.name} in refresh_marts)")


if __name__ == "__main__":
    main()
