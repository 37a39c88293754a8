"""What a window is held against: the rows its serving model learned from, in ascending order.

Features are those rows; forecasts have no training rows, so theirs are the ticker's out-of-sample
forecasts of earlier windows. Ordered once a model and kept beside it, signed, so that a night reads
them instead of ordering them again. A stored reference that has been altered, or belongs to other
data, is made anew from the rows. Who serves belongs to `monitoring.drift.serving_models`.
"""

import io
import logging
import zipfile
from dataclasses import dataclass

import numpy as np

from odyssey_assets.core.collaborators import ModelStore, StoredModel
from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.core.windows import Window
from odyssey_assets.errors import ModelError
from odyssey_assets.monitoring.drift.panel import COLUMNS, TickerPanel
from odyssey_assets.monitoring.drift.scores import SortedColumns
from odyssey_assets.monitoring.drift.serving_models import ServingModel

PREFIX = "drift-reference"
FORMAT = 1
MIN_FORECASTS = 63
"""Earlier forecasts that new ones can be held against, three months."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReferenceShelf:
    """Keeps the references of one ticker's running windows in the store of signed models.

    Attributes:
        store: The store; None keeps nothing.
        ticker: The ticker.
        kept: Windows whose references are kept; those of others are removed when one is added.
    """

    store: ModelStore | None
    ticker: str
    kept: tuple[Window, ...]

    def reference(self, panel: TickerPanel, model: ServingModel) -> SortedColumns:
        """Return the reference of a model, recalled where it is kept and whole."""
        if self.store is None or model.window not in self.kept:
            return build_reference(panel, model)
        identity = _identity(panel, model)
        name = (PREFIX, self.ticker, model.window.key, hash_mapping(identity)[:16])
        try:
            stored = self.store.find(name)
            if stored is not None:
                return _read(stored, identity)
        except ModelError as error:
            _log.warning("The drift reference %s is made anew: %s", "/".join(name), error)
            self.store.remove(name)
        built = build_reference(panel, model)
        self._remove_others(self.store)
        self.store.save(name, _payload(built), identity, {})
        return built

    def _remove_others(self, store: ModelStore) -> None:
        kept = {window.key for window in self.kept}
        for name in store.names((PREFIX, self.ticker)):
            if name[2] not in kept:
                store.remove(name)


def build_reference(panel: TickerPanel, model: ServingModel) -> SortedColumns:
    """Return the values that a model learned from, column by column in ascending order.

    Args:
        panel: The ticker's rows; its last column holds the forecasts.
        model: Says which rows the model learned from.

    Returns:
        As many columns as the panel has; the forecasts' is empty below `MIN_FORECASTS` rows.
    """
    learned = panel.rows_between(model.train_start, model.train_end)
    forecasts = panel.forecasts_before(model.window.start)
    values = np.full((max(len(learned), len(forecasts)), len(COLUMNS)), np.nan)
    values[: len(learned), :-1] = panel.table[learned.start : learned.stop, :-1]
    if len(forecasts) >= MIN_FORECASTS:
        values[: len(forecasts), -1] = forecasts
    return SortedColumns.of(values)


def _identity(panel: TickerPanel, model: ServingModel) -> dict[str, object]:
    return {
        "format": FORMAT,
        "ticker": panel.ticker,
        "window": model.window.key,
        "model_sha256": model.model_sha256,
        "data_sha256": model.data_sha256,
        "train_start": str(model.train_start),
        "train_end": str(model.train_end),
        "forecasts_sha256": panel.forecasts_sha256(model.window.start),
        "columns": list(COLUMNS),
    }


def _payload(reference: SortedColumns) -> bytes:
    written = io.BytesIO()
    np.savez(written, ascending=reference.ascending, counts=reference.counts)
    return written.getvalue()


def _read(stored: StoredModel, identity: dict[str, object]) -> SortedColumns:
    """Return the reference in a verified file.

    Raises:
        ModelError: It is no reference, or another one.
    """
    if dict(stored.content) != identity:
        raise ModelError("its content is that of another reference")
    try:
        with np.load(io.BytesIO(stored.payload), allow_pickle=False) as arrays:
            return SortedColumns(arrays["ascending"], arrays["counts"])
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"its payload cannot be read: {error}") from error
