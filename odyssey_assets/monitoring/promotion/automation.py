"""The jobs by which a person promotes a model or rolls back to one, from the UI or the command."""

import getpass
from datetime import UTC, datetime

import dagster as dg
import pandas as pd
from pydantic import Field

from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.settings import Settings

PROMOTE, ROLLBACK = "promote", "rollback"
PROMOTE_OP, ROLLBACK_OP = "promote_version", "roll_back_version"
OP_OF_JOB = {PROMOTE: PROMOTE_OP, ROLLBACK: ROLLBACK_OP}


class VersionRequest(dg.Config):
    """Whose version is to serve, and who wants it."""

    subject: str = Field(description="ticker, or name of a policy")
    to: int | None = Field(None, description="version; null: the one waiting, or the one before")
    actor: str = Field("", description="your name; empty: who runs the process")


def promotion_jobs() -> list[dg.JobDefinition]:
    """Return the jobs `promote` and `rollback`."""

    @dg.op(name=PROMOTE_OP, description="Put a version in the place of the one that serves.")
    def promote_version(
        context: dg.OpExecutionContext,
        config: VersionRequest,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> None:
        _fulfil("promote", context, config, settings, warehouse)

    @dg.op(name=ROLLBACK_OP, description="Let a version serve again that served before.")
    def roll_back_version(
        context: dg.OpExecutionContext,
        config: VersionRequest,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> None:
        _fulfil("rollback", context, config, settings, warehouse)

    @dg.job(
        name=PROMOTE,
        description="A person decides: the challenger that waits, or a version named, serves now.",
    )
    def promote() -> None:
        promote_version()

    @dg.job(
        name=ROLLBACK,
        description="A person decides: the version before, or the one named, serves again.",
    )
    def rollback() -> None:
        roll_back_version()

    return [promote, rollback]


def _fulfil(
    act: str,
    context: dg.OpExecutionContext,
    config: VersionRequest,
    settings: Settings,
    warehouse: Warehouse,
) -> None:
    """Write the decision to the ledger, then bring MLflow's registry into line with it."""
    from odyssey_assets.infrastructure.model_store import ModelStore
    from odyssey_assets.monitoring.promotion.mirror import registry_of, wanted_versions
    from odyssey_assets.monitoring.promotion.reading import read_evidence
    from odyssey_assets.monitoring.promotion.rollback import Wish, entry_of_wish

    evidence = read_evidence(warehouse, settings)
    wish = Wish(
        "promote" if act == PROMOTE else "rollback",
        config.subject,
        config.to,
        config.actor or getpass.getuser(),
        datetime.now(UTC),
    )
    row = entry_of_wish(wish, evidence, ModelStore(home_of(settings).models), settings)
    warehouse.append(PROMOTIONS, row)
    ledger = pd.concat([evidence.ledger, row], ignore_index=True)
    problems = registry_of(settings).sync(wanted_versions(ledger, evidence.fitted))
    for problem in problems:
        context.log.warning(problem)
    context.add_output_metadata(
        {
            "decision": str(row["reason"].iloc[0]),
            "serves_after": f"{row['serves_after'].iloc[0]:%Y-%m-%d}",
            "registry_problems": problems,
        }
    )
