"""Scores of earlier windows as they are stored, so that a night does not work them out again.

Which of them a window is compared with belongs to `measurement`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from odyssey_assets.monitoring.drift.looks import Look
from odyssey_assets.monitoring.drift.panel import COLUMNS
from odyssey_assets.monitoring.tables import METHODS

PAST_COLUMNS = (
    "ticker", "window", "as_of", "feature", "method", "sessions", "score", "model_sha256",
)  # fmt: skip


class PastScores:
    """Stored scores by ticker, day and model.

    Args:
        drift: Rows of `monitoring.drift`, at least `PAST_COLUMNS`, in any order; None: no row.
    """

    def __init__(self, drift: pd.DataFrame | None) -> None:
        self._scores: dict[tuple[str, object, int, str], np.ndarray] = {}
        if drift is None or drift.empty:
            return
        feature = pd.Index(COLUMNS).get_indexer(drift["feature"])
        method = pd.Index(METHODS).get_indexer(drift["method"])
        is_known = (feature >= 0) & (method >= 0)
        rows, feature, method = drift[is_known], feature[is_known], method[is_known]
        grouped = rows.groupby(["ticker", "as_of", "sessions", "model_sha256"], sort=False)
        group = grouped.ngroup().to_numpy()
        block = np.full((grouped.ngroups, len(COLUMNS), len(METHODS)), np.nan)
        counts = np.bincount(group, minlength=grouped.ngroups)
        block[group, feature, method] = rows["score"].to_numpy(dtype=np.float64)
        complete = len(COLUMNS) * len(METHODS)
        first = np.unique(group, return_index=True)[1]
        for at, row in enumerate(rows.iloc[first].itertuples(index=False)):
            if counts[at] == complete:
                key = (str(row.ticker), row.as_of.date(), int(row.sessions), str(row.model_sha256))
                self._scores[key] = block[at]

    def of(self, ticker: str, looks: Sequence[Look]) -> list[tuple[Look, np.ndarray]] | None:
        """Return the scores of these looks, shape (columns, methods) each; None if any lacks."""
        found = []
        for look in looks:
            key = (ticker, look.as_of, look.sessions, look.model.model_sha256)
            if key not in self._scores:
                return None
            found.append((look, self._scores[key]))
        return found
