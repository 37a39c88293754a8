"""Drift and forecast quality of the windows before one that opens, measured once.

What a home has stored of them is taken where it says the same: before the first window in which a
promoted model served, here or there, and of the models that served here. The rest is measured. What
follows from the past for a night belongs to `nightly_findings`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import Window
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.drift.measurement import measure_drift
from odyssey_assets.monitoring.drift.past_scores import PAST_COLUMNS, PastScores
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.promotion.champions import reigns_of
from odyssey_assets.monitoring.quality.rolling import measure_quality, promises
from odyssey_assets.monitoring.tables import DRIFT, FORECAST_QUALITY
from odyssey_assets.replay import History
from odyssey_assets.settings import Settings

# Longer than 60 known outcomes reach back: figures of a day need nothing before.
DAYS_REACHED_BACK = 200
QUALITY_KEY = ["ticker", "date", "model_sha256"]
JUDGED_COLUMNS = re.compile(r"is_.*_decayed|.*_(floor|ceiling)")
NEVER = pd.Timestamp("2200-01-01")


def past_drift(
    home: Warehouse,
    before: History,
    challengers: pd.DataFrame,
    reigns: Sequence[Reign],
    opening: Window,
    settings: Settings,
    store: ModelStore,
) -> PastScores:
    """Return the scores of all windows before the one that opens.

    Args:
        home: Of the real home: its figures.
        before: What was known before the window opened, forecasts by whoever served.
        challengers: Rows of `forecasting.challengers`.
        reigns: Of forecasters, in the order of decision.
        opening: The window.
        settings: Of the home.
        store: Holds the serving models.

    Raises:
        WarehouseError: The real home's warehouse cannot be read.
    """
    stored = home.read(DRIFT, (Slice(end=opening.start),), PAST_COLUMNS)
    untouched = stored[_is_untouched(stored, _first_reigns(home, reigns))]
    key = ["ticker", "window", "model_sha256"]
    # Looks at other numbers of sessions, by other settings, would be no help.
    looked_at = untouched.loc[untouched["sessions"] == settings.drift.min_sessions, key]
    measured = set(looked_at.drop_duplicates().itertuples(index=False, name=None))
    folds = before.folds
    own = folds[folds["model"] == settings.portfolio.forecast_model]
    lacking: dict[str, list[Window]] = {}
    trained = own.loc[own["status"] == "trained", key]
    for ticker, start, sha256 in trained.itertuples(index=False, name=None):
        if (ticker, start, sha256) not in measured:
            lacking.setdefault(str(ticker), []).append(Window(start.date()))
    if not lacking:
        return PastScores(untouched)
    added = measure_drift(
        before.features, folds, challengers, before.predictions, reigns, lacking, settings, store,
        untouched,
    ).drift  # fmt: skip
    return PastScores(pd.concat([untouched, added[list(PAST_COLUMNS)]], ignore_index=True))


def past_quality(
    home: Warehouse,
    before: History,
    challengers: pd.DataFrame,
    reigns: Sequence[Reign],
    opening: Window,
    settings: Settings,
) -> pd.DataFrame:
    """Return the figures of all sessions before the window that opens, without what is judged.

    Arguments as in `past_drift`.

    Raises:
        WarehouseError: The real home's warehouse cannot be read.
    """
    figures = [name for name in FORECAST_QUALITY.column_names if not JUDGED_COLUMNS.match(name)]
    stored = home.read(FORECAST_QUALITY, (Slice(end=opening.start),), figures)
    untouched = stored[_is_untouched(stored, _first_reigns(home, reigns))]
    made = before.predictions
    is_meant = (made["model"] == settings.portfolio.forecast_model) & (
        made["horizon"] == settings.forecasting.horizon_sessions
    )
    wanted = made.loc[is_meant, QUALITY_KEY]
    kept = wanted.merge(untouched, on=QUALITY_KEY)
    is_kept = pd.MultiIndex.from_frame(wanted).isin(pd.MultiIndex.from_frame(kept[QUALITY_KEY]))
    since = wanted[~is_kept].groupby("ticker")["date"].min()
    if since.empty:
        return kept
    added = measure_recent(before, challengers, since.min().date(), settings, list(since.index))
    is_older = kept["date"] < kept["ticker"].map(since).fillna(NEVER)
    is_new = added["date"] >= added["ticker"].map(since)
    return pd.concat([kept.loc[is_older, figures], added.loc[is_new, figures]], ignore_index=True)


def measure_recent(
    known: History,
    challengers: pd.DataFrame,
    since: date,
    settings: Settings,
    tickers: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return the figures of forecast quality of the sessions from a day on.

    Args:
        known: What was known, forecasts by whoever served.
        challengers: Rows of `forecasting.challengers`.
        since: First day wanted; some rows before it come along.
        settings: Of the home.
        tickers: Whose; None for all.
    """
    first = pd.Timestamp(since - timedelta(days=DAYS_REACHED_BACK))
    predictions, labels, bars = (
        rows.iloc[rows["date"].searchsorted(first) :]
        for rows in (known.predictions, known.labels, known.bars)
    )
    if tickers is not None:
        predictions = predictions[predictions["ticker"].isin(tickers)]
    return measure_quality(predictions, labels, bars, promises(known.folds, challengers), settings)


def _first_reigns(home: Warehouse, reigns: Sequence[Reign]) -> dict[str, pd.Timestamp]:
    """Return the first window of each ticker in which a promoted model served, here or there."""
    first: dict[str, pd.Timestamp] = {}
    for reign in (*reigns, *reigns_of(home.read(PROMOTIONS), "forecaster")):
        start = pd.Timestamp(reign.window.start)
        first[reign.subject] = min(first.get(reign.subject, start), start)
    return first


def _is_untouched(rows: pd.DataFrame, first_reigns: Mapping[str, pd.Timestamp]) -> pd.Series:
    limits = rows["ticker"].map(first_reigns).fillna(NEVER).astype("datetime64[us]")
    return rows["window"] < limits
