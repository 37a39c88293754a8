"""The ledger of promotions as an asset: every judgement adds to it, nothing takes away from it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import dagster as dg
import pandas as pd
from pydantic import Field

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.features.tables import LABELS
from odyssey_assets.forecasting.tables import CHALLENGERS, FOLDS, PREDICTIONS, TRIALS
from odyssey_assets.infrastructure.io_manager import asset_outs
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.tables import FORECAST_QUALITY, POLICY_QUALITY
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS, POLICY_TRIALS
from odyssey_assets.settings import Settings

if TYPE_CHECKING:
    from odyssey_assets.monitoring.promotion.evidence import Evidence

GROUP = "monitoring"
EVIDENCE = (
    CHALLENGERS, TRIALS, FOLDS, PREDICTIONS, LABELS, BARS, FORECAST_QUALITY, POLICIES,
    POLICY_CHALLENGERS, POLICY_TRIALS, POLICY_QUALITY, DAILY,
)  # fmt: skip
SHOWN = {
    "subject": "Subject", "decision": "Decision", "model_version": "Version",
    "serves_after": "Serves after", "unseen_sessions": "Sessions", "actor": "By",
    "cause": "Cause", "reason": "Reason",
}  # fmt: skip


class JudgementRequest(dg.Config):
    """What led to a judgement."""

    batch: str | None = Field(None, description="run key of a retraining; null: none")
    cause: Literal["drift", "decay", "data_quality", "new_window", "schedule", "person"] = Field(
        "schedule", description="why models were fitted"
    )
    actor: str = Field("gate", description="who decides")


def promotion_assets() -> list[dg.AssetsDefinition]:
    """Return the assets of the ledger."""
    return [_promotions()]


def _promotions() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="judge",
        outs=asset_outs((PROMOTIONS,), ["python", "duckdb", "mlflow"]),
        deps=[list(contract.key) for contract in EVIDENCE],
        group_name=GROUP,
    )
    def judge(
        context: dg.AssetExecutionContext,
        config: JudgementRequest,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> pd.DataFrame:
        from odyssey_assets.monitoring.promotion.judging import judge
        from odyssey_assets.monitoring.promotion.occasion import Occasion
        from odyssey_assets.monitoring.promotion.reading import last_stored_session, read_evidence

        evidence = read_evidence(warehouse, settings)
        today = last_stored_session(evidence)
        if today is None:
            context.log.info("No bar is stored: there is nothing to judge.")
            return PROMOTIONS.empty()
        events = _events(warehouse.read(RETRAINING_EVENTS), config.batch)
        occasion = Occasion(datetime.now(UTC), config.cause, config.actor, events)
        rows = judge(evidence, today, occasion, settings)
        problems = _mirror(evidence, rows, settings)
        for problem in problems:
            context.log.warning(problem)
        context.add_output_metadata(
            {"decisions": _in_words(rows), "registry_problems": problems},
        )
        return rows

    return judge


def _events(rows: pd.DataFrame, batch: str | None) -> dict[str, str]:
    """Return the event of each ticker of a batch; of several the first that was found."""
    if batch is None:
        return {}
    own = rows[rows["batch"] == batch].sort_values(["recorded_at", "event_id"])
    first = own.drop_duplicates("ticker")
    return dict(zip(first["ticker"], first["event_id"], strict=True))


def _mirror(evidence: "Evidence", rows: pd.DataFrame, settings: Settings) -> list[str]:
    """Bring MLflow's registry into line with the ledger and the rows that it is about to gain.

    Should these not get stored after all, the next judgement mends the registry.
    """
    from odyssey_assets.monitoring.promotion.mirror import registry_of, wanted_versions

    ledger = pd.concat([evidence.ledger, rows], ignore_index=True)
    return registry_of(settings).sync(wanted_versions(ledger, evidence.fitted))


def _in_words(rows: pd.DataFrame) -> dg.MetadataValue:
    """Return a table of the decisions for people."""
    if rows.empty:
        return dg.MetadataValue.md("Nothing was decided: nobody is new, and nobody can be judged.")
    shown = rows[list(SHOWN)].astype(object)
    shown["serves_after"] = rows["serves_after"].dt.strftime("%Y-%m-%d")
    cells = shown.where(shown.notna(), "").astype(str)
    lines = [
        "| " + " | ".join(SHOWN.values()) + " |",
        "|" + " --- |" * len(SHOWN),
        *("| " + " | ".join(row).replace("\n", " ") + " |" for row in cells.to_numpy()),
    ]
    return dg.MetadataValue.md("\n".join(lines))
