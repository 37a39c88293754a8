"""A home's stored history as it was known at the close of a day, for the loop in accelerated time.

Features, bars and the window's own models depend on nothing later than their date, so cutting the
stored tables gives what a nightly run would have had. Labels are masked until their last session
is over. What the loop does with it belongs to `simulate`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.collaborators import ModelStore, StoredModel
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.core.windows import window_of
from odyssey_assets.errors import SettingsError
from odyssey_assets.features.tables import FEATURES_TABLE, LABELS
from odyssey_assets.forecasting.tables import FOLDS, PREDICTIONS, TRIALS
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS

MADE_BY_A_MODEL = ("prediction", "lower", "upper", "model_sha256", "trained_as_of")
# How a window's model did, which nobody knew while it served.
TOLD_BY_THE_END = (
    "test_end", "test_rows", "scored_rows", "rmse", "r2", "direction_accuracy",
    "information_coefficient", "hit_rate", "sharpe", "interval_coverage",
)  # fmt: skip
REPLAYED = (FEATURES_TABLE, LABELS, BARS, FOLDS, PREDICTIONS)


@dataclass(frozen=True)
class History:
    """Stored rows of the tables that the loop looks at, each in order of its days.

    In that order a cut at a day copies nothing.

    Attributes:
        features: `features.features`.
        labels: `features.labels`.
        bars: `market_data.bars`.
        folds: `forecasting.folds`, without what only the end of a window tells.
        predictions: `forecasting.predictions` of the windows' own models.
    """

    features: pd.DataFrame
    labels: pd.DataFrame
    bars: pd.DataFrame
    folds: pd.DataFrame
    predictions: pd.DataFrame

    @cached_property
    def sessions(self) -> Sequence[date]:
        """Every session of the market, ascending."""
        days = np.unique(self.bars["date"].to_numpy()).astype("datetime64[D]")
        return [day.item() for day in days]

    def session_before(self, day: date) -> date:
        """Return the last session before `day`; the first day there is where none is stored."""
        earlier = [session for session in self.sessions if session < day]
        return earlier[-1] if earlier else date.min

    def until(self, day: date) -> "History":
        """Return what was known at the close of `day`."""
        folds = self.folds["window"] <= pd.Timestamp(window_of(day).start)
        return History(
            features=_up_to(day, self.features),
            labels=_without_open_outcomes(_up_to(day, self.labels)),
            bars=_up_to(day, self.bars),
            folds=self.folds[folds],
            predictions=_up_to(day, self.predictions),
        )

    def served(self, trials: pd.DataFrame, reigns: Iterable[Reign]) -> "History":
        """Return the history in which reigning models made the forecasts that they serve.

        Args:
            trials: Rows of `forecasting.trials`: what every version says of its window.
            reigns: Of forecasters, in the order of decision.
        """
        ruling = list(reigns)
        if not ruling:
            return self
        opening = pd.Timestamp(min(reign.window.start for reign in ruling))
        first = self.predictions["date"].searchsorted(opening)
        rows = self.predictions.iloc[first:].set_index(["ticker", "date", "model"], drop=False)
        for reign in ruling:
            is_its = (trials["model_sha256"] == reign.model_sha256) & (
                trials["ticker"] == reign.subject
            )
            is_served = (trials["date"] > pd.Timestamp(reign.serves_after)) & (
                trials["window"] == pd.Timestamp(reign.window.start)
            )
            made = trials[is_its & is_served].set_index(["ticker", "date", "model"])
            both = made.index.intersection(rows.index)
            rows.loc[both, list(MADE_BY_A_MODEL)] = made.loc[both, list(MADE_BY_A_MODEL)]
        parts = [self.predictions.iloc[:first], rows]
        return replace(self, predictions=pd.concat(parts, ignore_index=True))


def read_history(warehouse: Warehouse) -> History:
    """Return what a home has stored.

    Only forecasts of the windows' own models are taken, from the trials where another model served:
    whoever was promoted in the home itself has no part in what is simulated.

    Raises:
        SettingsError: Nothing was forecast yet.
        WarehouseError: The warehouse cannot be read.
    """
    frames = {contract.name: warehouse.read(contract) for contract in REPLAYED}
    folds = frames.pop("folds")
    own = _own_forecasts(frames.pop("predictions"), folds, warehouse.read(TRIALS))
    if own.empty:
        raise SettingsError(
            f"{warehouse.home.root} holds no forecasts to go through. Run `odyssey run` first."
        )
    features, labels, bars, predictions = (
        rows.sort_values(["date", "ticker"], kind="stable", ignore_index=True)
        for rows in (*frames.values(), own)
    )
    known = folds.drop(columns=list(TOLD_BY_THE_END))
    return History(features, labels, bars, known, predictions)


def _own_forecasts(
    predictions: pd.DataFrame, folds: pd.DataFrame, trials: pd.DataFrame
) -> pd.DataFrame:
    """Return the forecasts with those of reigning models replaced by the windows' own."""
    is_own = predictions["model_sha256"].isin(folds["model_sha256"])
    if is_own.all():
        return predictions
    key = ["ticker", "date", "model"]
    tried = trials[trials["model_sha256"].isin(folds["model_sha256"])]
    others = predictions[~is_own].drop(columns=list(MADE_BY_A_MODEL))
    restored = others.merge(tried[[*key, *MADE_BY_A_MODEL]], on=key)[list(predictions.columns)]
    return pd.concat([predictions[is_own], restored], ignore_index=True)


@dataclass(frozen=True)
class LayeredStore:
    """A model store that writes to one place and reads from two.

    Attributes:
        upper: Where models are written, and looked for first.
        lower: Never written.
    """

    upper: ModelStore
    lower: ModelStore

    def find(self, name_parts: Sequence[str]) -> StoredModel | None:
        """Return the verified model of that name; None if neither store has it.

        Raises:
            ModelError: It is there and has been altered.
        """
        return self.upper.find(name_parts) or self.lower.find(name_parts)

    def save(
        self,
        name_parts: Sequence[str],
        payload: bytes,
        content: Mapping[str, object],
        provenance: Mapping[str, object],
    ) -> StoredModel:
        """Keep a model in the upper store.

        Raises:
            ModelError: It cannot be written.
        """
        return self.upper.save(name_parts, payload, content, provenance)

    def names(self, prefix: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return the names in either store that begin with these parts, in order."""
        return tuple(sorted({*self.upper.names(prefix), *self.lower.names(prefix)}))

    def remove(self, name_parts: Sequence[str]) -> None:
        """Remove a model from the upper store, if it is there."""
        self.upper.remove(name_parts)


@dataclass(frozen=True)
class Books:
    """The tables of a simulation: written through to its warehouse, read from memory.

    Attributes:
        warehouse: Its own; nobody else writes to it.
    """

    warehouse: Warehouse
    _kept: dict[str, pd.DataFrame] = field(default_factory=dict)

    def read(self, contract: TableContract) -> pd.DataFrame:
        """Return all rows of a ledger.

        Raises:
            WarehouseError: The warehouse cannot be read.
        """
        name = contract.qualified_name
        if name not in self._kept:
            self._kept[name] = self.warehouse.read(contract)
        return self._kept[name]

    def append(self, contract: TableContract, rows: pd.DataFrame) -> None:
        """Add rows to a ledger.

        Raises:
            ContractError: They are none of this ledger.
            WarehouseError: They cannot be written.
        """
        if len(rows):
            self.warehouse.append(contract, rows)
            self._kept.pop(contract.qualified_name, None)

    def replace(self, contract: TableContract, rows: pd.DataFrame) -> None:
        """Put rows in the place of all that a table holds, which is no ledger.

        Raises:
            ContractError: They are none of this table, or it only grows.
            WarehouseError: They cannot be written.
        """
        if len(rows) or len(self.read(contract)):
            self.warehouse.replace(contract, rows, (WHOLE_TABLE,))
            self._kept.pop(contract.qualified_name, None)


def _up_to(day: date, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows up to a day, which are the first ones."""
    return rows.iloc[: rows["date"].searchsorted(pd.Timestamp(day), side="right")]


def _without_open_outcomes(labels: pd.DataFrame) -> pd.DataFrame:
    """Return labels without those whose last session is not over: a ticker's last `h` rows."""
    left = labels.groupby("ticker").cumcount(ascending=False).to_numpy()
    masked = {
        name: labels[name].mask(left < horizon)
        for name in LABELS.column_names
        if name not in LABELS.grain
        for horizon in (int(name.rsplit("_", 1)[1].removesuffix("d")),)
    }
    return labels.assign(**masked)
