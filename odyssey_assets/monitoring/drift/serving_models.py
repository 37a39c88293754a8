"""Which model serves which sessions of a window, and what it learned from.

A window is served by the model that was fitted before it opened, or by those that reign in it from
a session on. What reigns are belongs to `core.reigns`, how they come about to
`monitoring.promotion`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.reigns import Reign, reigns_in
from odyssey_assets.core.windows import Window
from odyssey_assets.errors import ModelError
from odyssey_assets.features.catalog import MODEL_FEATURES


@dataclass(frozen=True)
class ServingModel:
    """A model and the sessions of one window that it serves.

    Attributes:
        window: The window.
        name: Its name in the store, parts by /.
        model_sha256: SHA-256 of the stored model.
        data_sha256: SHA-256 of what it learned from.
        train_start: First session learned from.
        train_end: Last session learned from.
        sees_from: First day of the window whose data it has not seen.
        serves_from: First day of the window that it serves.
        serves_to: Last day that it serves.
    """

    window: Window
    name: str
    model_sha256: str
    data_sha256: str
    train_start: date
    train_end: date
    sees_from: date
    serves_from: date
    serves_to: date


@dataclass(frozen=True)
class Regency:
    """Who serves a window of a ticker.

    Attributes:
        models: One after the other; none where no model serves.
        reason: Why none serves, for people; None where one does.
    """

    models: tuple[ServingModel, ...]
    reason: str | None = None


class ServingRecord:
    """Looks up who serves in the stored tables.

    Args:
        folds: Rows of `forecasting.folds`.
        challengers: Rows of `forecasting.challengers`.
        reigns: In the order of decision.
        model: Forecaster that is looked at.
        store: Knows the features that a model was given; None: those that models are given now.
    """

    def __init__(
        self,
        folds: pd.DataFrame,
        challengers: pd.DataFrame,
        reigns: Sequence[Reign],
        model: str,
        store: ModelStore | None,
    ) -> None:
        own = folds[folds["model"] == model]
        self._folds = {
            (str(row["ticker"]), row["window"].date()): row for row in own.to_dict("records")
        }
        self._versions = {
            str(row["model_sha256"]): row
            for row in (
                *own[own["status"] == "trained"].to_dict("records"),
                *challengers[challengers["model"] == model].to_dict("records"),
            )
        }
        self._reigns = [reign for reign in reigns if reign.model_name[0] == model]
        self._store = store

    def windows(self, ticker: str) -> tuple[Window, ...]:
        """Return the windows of a ticker that a model of their own serves, oldest first."""
        return tuple(
            Window(start)
            for (name, start), row in sorted(self._folds.items())
            if name == ticker and row["status"] == "trained"
        )

    def regency(self, ticker: str, window: Window) -> Regency:
        """Return who serves a window, the window's own model first."""
        own = self._folds.get((ticker, window.start))
        ruling = reigns_in(self._reigns, ticker, window)
        last = window.end - timedelta(days=1)
        ends = [*(reign.serves_after for reign in ruling), last]
        models = []
        if own is not None and own["status"] == "trained":
            models.append(_model(own, window, window.start, ends[0]))
        for reign, end in zip(ruling, ends[1:], strict=True):
            row = self._versions.get(reign.model_sha256)
            if row is not None:
                models.append(_model(row, window, reign.serves_after + timedelta(days=1), end))
        if models:
            return Regency(tuple(models))
        return Regency((), "no fold is stored" if own is None else str(own["reason"]))

    def inputs(self, model: ServingModel) -> frozenset[str]:
        """Return the names of the features that a model was given to learn from.

        All of them, not only those its selection kept: what the others say has changed too when
        the selection no longer holds. Where its file is missing or altered, those that models are
        given now.
        """
        return self._named(model, "input_features")

    def kept(self, model: ServingModel) -> frozenset[str]:
        """Return the names of the features that a model's own selection kept.

        Those it was given, where its file is missing or altered.
        """
        return self._named(model, "features")

    def _named(self, model: ServingModel, entry: str) -> frozenset[str]:
        if self._store is None:
            return frozenset(MODEL_FEATURES)
        try:
            stored = self._store.find(model.name.split("/"))
        except ModelError:
            stored = None
        if stored is None:
            return frozenset(MODEL_FEATURES)
        named = stored.content[entry]
        return frozenset(named if isinstance(named, list) else MODEL_FEATURES)


def _model(row: dict[str, object], window: Window, first: date, last: date) -> ServingModel:
    """Return the model of a row of folds or challengers, as it serves from `first` to `last`."""
    trained_as_of = row.get("trained_as_of")
    seen = window.start if trained_as_of is None else _day(trained_as_of) + timedelta(days=1)
    return ServingModel(
        window=window,
        name=str(row["model_name"]),
        model_sha256=str(row["model_sha256"]),
        data_sha256=str(row["data_sha256"]),
        train_start=_day(row["train_start"]),
        train_end=_day(row["train_end"]),
        sees_from=max(seen, window.start),
        serves_from=first,
        serves_to=last,
    )


def _day(value: object) -> date:
    return pd.Timestamp(value).date()
