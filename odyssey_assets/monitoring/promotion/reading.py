"""Reads from the warehouse what a judgement looks at: the newest windows, and the ledgers whole."""

from datetime import date

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import window_of
from odyssey_assets.features.tables import LABELS
from odyssey_assets.forecasting.tables import CHALLENGERS, FOLDS, PREDICTIONS, TRIALS
from odyssey_assets.infrastructure.partitions import last_session
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.promotion.evidence import Evidence
from odyssey_assets.monitoring.tables import FORECAST_QUALITY, POLICY_QUALITY
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS, POLICY_TRIALS
from odyssey_assets.settings import Settings

WINDOWS_READ = 4
"""The newest window, and enough before it for 252 sessions of a policy."""


def read_evidence(warehouse: Warehouse, settings: Settings) -> Evidence:
    """Return the stored tables of the newest windows; one that is not stored has no rows.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    newest = window_of(last_session(settings))
    recent = (Slice(start=newest.shift(1 - WINDOWS_READ).start),)
    return Evidence(
        ledger=warehouse.read(PROMOTIONS),
        challengers=warehouse.read(CHALLENGERS),
        trials=warehouse.read(TRIALS, recent),
        predictions=warehouse.read(PREDICTIONS, recent),
        labels=warehouse.read(LABELS, recent),
        bars=warehouse.read(BARS, recent),
        folds=warehouse.read(FOLDS),
        quality=warehouse.read(FORECAST_QUALITY, recent),
        policies=warehouse.read(POLICIES),
        policy_challengers=warehouse.read(POLICY_CHALLENGERS),
        policy_trials=warehouse.read(POLICY_TRIALS),
        policy_quality=warehouse.read(POLICY_QUALITY, recent),
        daily=warehouse.read(DAILY, recent),
    )


def last_stored_session(evidence: Evidence) -> date | None:
    """Return the last session of which any ticker has a bar; None where none is stored."""
    newest = evidence.bars["date"].max()
    return None if evidence.bars.empty else newest.date()
