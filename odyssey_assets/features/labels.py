"""What happened after each close: forward returns and the class of the default horizon.

For training and scoring only. A label is null until its last session is known, and the labels that
are known never change.
"""

import numpy as np
import pandas as pd

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.features.tables import HORIZONS_SESSIONS, LABELS
from odyssey_assets.settings_sections import LabelSettings

DIRECTION_HORIZON = 5


def compute_labels(bars: pd.DataFrame, settings: LabelSettings) -> pd.DataFrame:
    """Return rows of `features.labels`, one a bar, sorted by ticker and date.

    Args:
        bars: Rows of `market_data.bars`; horizons count the ticker's own rows.
        settings: Where the direction classes begin; a return on a threshold is neutral.
    """
    ordered = bars.sort_values(["ticker", "date"], kind="stable", ignore_index=True)
    close = adjusted_bars(ordered)["close"]
    closes = close.groupby(ordered["ticker"], sort=False)
    returns = {
        f"forward_return_{horizon}d": closes.shift(-horizon) / close - 1.0
        for horizon in HORIZONS_SESSIONS
    }
    direction = _directions(returns[f"forward_return_{DIRECTION_HORIZON}d"], settings)
    labels = ordered[["ticker", "date"]].assign(**returns, direction_5d=direction)
    return LABELS.conform(labels)


def _directions(forward_return: pd.Series, settings: LabelSettings) -> pd.Series:
    direction = pd.Series(np.nan, index=forward_return.index, dtype="str")
    direction[forward_return.notna()] = "neutral"
    direction[forward_return > settings.bullish_above_return] = "bullish"
    direction[forward_return < settings.bearish_below_return] = "bearish"
    return direction
