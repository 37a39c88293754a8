"""Reads the ledger of promotions: which models reign, who serves a session, which must be kept.

The order of the ledger is its `recorded_at`; rows arrive in any order. Who ought to serve belongs
to `judging`, what serving means for a forecast to `forecasting.serving`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, Self

import pandas as pd

from odyssey_assets.core.reigns import Reign, reign_at, reigns_in
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS

Kind = Literal["forecaster", "policy"]
REIGNING = ("promoted", "rolled_back")
OF_THE_WINDOW = ("succeeded", "unproven")
NAME_SEPARATOR = "/"


@dataclass(frozen=True)
class ChampionBook:
    """Knows from the stored ledger which models were put in the place of a window's own.

    Attributes:
        warehouse: Holds the ledger; one without it holds no reigns.
    """

    warehouse: Warehouse

    def reigns(self, kind: Kind) -> tuple[Reign, ...]:
        """Return all reigns of forecasters or of policies, in the order of their decision.

        Raises:
            WarehouseError: The warehouse cannot be read.
        """
        return reigns_of(self.warehouse.read(PROMOTIONS), kind)


@dataclass(frozen=True)
class VersionRef:
    """A model as the ledger names it.

    Attributes:
        name: Name in the store of signed models, parts by /.
        sha256: SHA-256 that the stored model must have.
        data_sha256: SHA-256 of what it learned from; None where nobody noted it.
    """

    name: str
    sha256: str
    data_sha256: str | None = None

    @property
    def name_parts(self) -> tuple[str, ...]:
        """Parts of its name in the model store."""
        return tuple(self.name.split(NAME_SEPARATOR))

    @classmethod
    def of_row(cls, row: Mapping[Any, Any]) -> Self:
        """Return the model that a row of folds, challengers, policies or promotions names."""
        data = row.get("data_sha256")
        return cls(
            str(row["model_name"]),
            str(row["model_sha256"]),
            None if data is None or pd.isna(data) else str(data),
        )


@dataclass(frozen=True)
class Serving:
    """Who serves a session, as the ledger has it.

    Attributes:
        model: The model.
        version: Its number among the subject's models.
        is_champion: Whether it has earned its place; a window's own model serves without too.
        decision: What put it there.
        serves_after: Last session before its reign; None for the window's own model.
    """

    model: VersionRef
    version: int
    is_champion: bool
    decision: str
    serves_after: date | None


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of the ledger in the order in which they were decided."""
    return rows.sort_values(["recorded_at", "model_version"], kind="stable", ignore_index=True)


def reigns_of(rows: pd.DataFrame, kind: Kind) -> tuple[Reign, ...]:
    """Return the reigns that rows of the ledger tell of, in the order of their decision."""
    is_reign = rows["decision"].isin(REIGNING) & rows["serves_after"].notna()
    chosen = in_order(rows[is_reign & (rows["kind"] == kind)])
    return tuple(
        Reign(
            subject=str(row["subject"]),
            window=Window(row["window"].date()),
            serves_after=row["serves_after"].date(),
            model_name=VersionRef.of_row(row).name_parts,
            model_sha256=str(row["model_sha256"]),
        )
        for row in chosen.to_dict("records")
    )


def champion_on(
    rows: pd.DataFrame, subject: str, day: date, kind: Kind = "forecaster"
) -> Serving | None:
    """Return who serves the session `day`; None where the ledger does not reach.

    A reign of the window that began before `day` serves, else the window's own model by the last
    word on it, whenever that was said: it forecasts from the window's first session on.

    Args:
        rows: Rows of `monitoring.promotions`.
        subject: Ticker, or name of a policy.
        day: The session.
        kind: Of the subject.
    """
    window = window_of(day)
    is_own = (rows["kind"] == kind) & (rows["subject"] == subject)
    own = in_order(rows[is_own & (rows["window"] == pd.Timestamp(window.start))])
    reign = reign_at(reigns_in(reigns_of(own, kind), subject, window), day)
    if reign is None:
        chosen = own[own["decision"].isin(OF_THE_WINDOW)]
    else:
        is_reign = own["decision"].isin(REIGNING)
        chosen = own[is_reign & (own["serves_after"] == pd.Timestamp(reign.serves_after))]
    return None if chosen.empty else _serving(chosen.iloc[-1].to_dict())


def serving_at_end(
    rows: pd.DataFrame, subject: str, window: Window, kind: Kind = "forecaster"
) -> Serving | None:
    """Return who serves the sessions of a window that are still to come, as far as is decided.

    Arguments and None as in `champion_on`.
    """
    return champion_on(rows, subject, window.end - timedelta(days=1), kind)


def _serving(row: Mapping[Any, Any]) -> Serving:
    after = row["serves_after"]
    return Serving(
        model=VersionRef.of_row(row),
        version=int(row["model_version"]),
        is_champion=bool(row["is_champion"]),
        decision=str(row["decision"]),
        serves_after=None if pd.isna(after) else after.date(),
    )
