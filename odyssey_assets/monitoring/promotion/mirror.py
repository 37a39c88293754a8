"""What MLflow's registry ought to show of the ledger: every model it mentions, and the aliases.

What it takes to bring the registry into line belongs to `infrastructure.model_registry`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from odyssey_assets.core.windows import Window
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.model_registry import IDENTITY, ModelRegistry, WantedVersion
from odyssey_assets.monitoring.promotion.champions import (
    Kind,
    VersionRef,
    in_order,
    serving_at_end,
)
from odyssey_assets.settings import Settings

CHAMPION, CHALLENGER = "champion", "challenger"
PREFIXES: Mapping[Kind, str] = {"forecaster": "odyssey-", "policy": "odyssey-policy-"}
LONGEST_WAIT_S = 10.0


def registry_of(settings: Settings) -> ModelRegistry:
    """Return the registry of a home.

    It waits for a locked database as long as the warehouse may, if a judgement can afford that.
    """
    home = home_of(settings)
    wait_s = min(LONGEST_WAIT_S, settings.warehouse.lock_timeout_s)
    return ModelRegistry(home.mlflow, home.models, wait_s)


def wanted_versions(
    ledger: pd.DataFrame, fitted: Sequence[pd.DataFrame] = ()
) -> tuple[WantedVersion, ...]:
    """Return every version that the registry should have, by subject and number.

    The champion is whoever serves the newest window, if it has earned its place; the challenger is
    the newest model that waits for its judgement. A subject whose serving model is unproven has no
    champion.

    Args:
        ledger: Rows of `monitoring.promotions`.
        fitted: Rows of folds, challengers and policies, for what the ledger does not say: MLflow
            run and training date.
    """
    details = _details(fitted)
    found: list[WantedVersion] = []
    for kind, prefix in PREFIXES.items():
        of_kind = ledger[ledger["kind"] == kind]
        for subject, rows in of_kind.groupby("subject", sort=True):
            found += _of_subject(kind, str(subject), f"{prefix}{subject}", in_order(rows), details)
    return tuple(found)


def _of_subject(
    kind: Kind,
    subject: str,
    registered_model: str,
    rows: pd.DataFrame,
    details: Mapping[str, Mapping[str, str]],
) -> list[WantedVersion]:
    aliases = _aliases(kind, subject, rows)
    last = rows.drop_duplicates("model_sha256", keep="last").sort_values("model_version")
    versions = []
    for row in last.to_dict("records"):
        model = VersionRef.of_row(row)
        known = dict(details.get(model.sha256, {}))
        run_id = known.pop("run_id", None)
        tags = {
            IDENTITY: model.sha256,
            "model_name": model.name,
            "ledger_version": str(row["model_version"]),
            "window": f"{row['window']:%Y-%m-%d}",
            "decision": str(row["decision"]),
            **known,
        }
        versions.append(
            WantedVersion(
                registered_model, model.name_parts, tags, run_id, aliases.get(model.sha256)
            )
        )
    return versions


def _aliases(kind: Kind, subject: str, rows: pd.DataFrame) -> dict[str, str]:
    """Return the alias of each model that has one, by its SHA-256."""
    last = rows.drop_duplicates("model_sha256", keep="last")
    waiting = last[last["decision"] == "pending"]
    aliases = {str(sha256): CHALLENGER for sha256 in waiting["model_sha256"].tail(1)}
    newest = Window(rows["window"].max().date())
    serving = serving_at_end(rows, subject, newest, kind)
    if serving is not None and serving.is_champion:
        aliases[serving.model.sha256] = CHAMPION
    return aliases


def _details(fitted: Sequence[pd.DataFrame]) -> dict[str, dict[str, str]]:
    details: dict[str, dict[str, str]] = {}
    for rows in fitted:
        for row in rows[rows["model_sha256"].notna()].to_dict("records"):
            details[str(row["model_sha256"])] = _detail(row)
    return details


def _detail(row: Mapping[Any, Any]) -> dict[str, str]:
    found = {}
    # A fold's row says when its validation ended, a challenger's what it has seen last of all.
    for name in ("valid_end", "trained_as_of"):
        if name in row and pd.notna(row[name]):
            found[name] = f"{row[name]:%Y-%m-%d}"
    if pd.notna(row.get("mlflow_run_id")):
        found["run_id"] = str(row["mlflow_run_id"])
    return found
