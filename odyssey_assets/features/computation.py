"""All features of a universe from its bars and macro series.

Pure and causal: a row dated t uses rows up to t only, and recursive features start at the ticker's
first session, so the rows of an increment equal those of a full rebuild bit for bit. The formulas
are in `library`. This module compiles kernels and fits regimes: asset bodies import it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.features.catalog import FEATURES
from odyssey_assets.features.clipping import ClippedReturns
from odyssey_assets.features.library import (
    cross_asset,
    momentum,
    price,
    regime,
    returns,
    volatility,
    volume,
)
from odyssey_assets.features.market_state import build_market_state
from odyssey_assets.features.panel import Panel, build_panel
from odyssey_assets.features.series import Columns, MarketState, TickerBars
from odyssey_assets.features.tables import CLIP_THRESHOLDS, FEATURES_TABLE
from odyssey_assets.settings import Settings

BAR_FAMILIES = (price, momentum, volatility, volume, returns)


@dataclass(frozen=True)
class FeatureFrames:
    """The computed tables.

    Attributes:
        features: Rows of `features.features`.
        clip_thresholds: Rows of `features.clip_thresholds`, one a row of `features`.
    """

    features: pd.DataFrame
    clip_thresholds: pd.DataFrame


def compute_features(
    bars: pd.DataFrame,
    macro: pd.DataFrame,
    settings: Settings,
    tickers: Sequence[str] | None = None,
) -> FeatureFrames:
    """Compute all features over whole histories.

    Args:
        bars: Rows of `market_data.bars` of all tickers of the universe, from their first session:
            proxy and breadth are taken from them.
        macro: Rows of `market_data.macro`.
        settings: Proxy, macro series, clip and fill limit.
        tickers: Tickers to compute features for; None is all that have bars.

    Returns:
        One row a ticker and session of `bars`, sorted by ticker and date, known at its close.

    Raises:
        ContractError: A bar is dated on a day on which New York does not trade.
    """
    if bars.empty:
        return FeatureFrames(FEATURES_TABLE.empty(), CLIP_THRESHOLDS.empty())
    panel = build_panel(bars)
    market = build_market_state(panel, macro, settings)
    of_market = regime.compute(market)
    chosen = [name for name in panel.spans if tickers is None or name in set(tickers)]
    keys = _keys(panel, chosen)
    block = np.empty((len(FEATURES), len(keys)))
    clips: list[ClippedReturns] = []
    start = 0
    for ticker in chosen:
        history, clipped = panel.ticker_bars(ticker, settings.features)
        end = start + history.close.size
        _write(block[:, start:end], history, market, of_market)
        clips.append(clipped)
        start = end
    names = [spec.name for spec in FEATURES]
    features = pd.DataFrame(block.T, columns=names, copy=False)
    return FeatureFrames(_with_keys(keys, features), _with_keys(keys, _thresholds(clips)))


def _write(block: np.ndarray, bars: TickerBars, market: MarketState, of_market: Columns) -> None:
    rows = {spec.name: row for spec, row in zip(FEATURES, block, strict=True)}
    # Family by family, so that what was computed is still in the cache when it is stored.
    for family in BAR_FAMILIES:
        columns = family.compute(bars)
        for spec in family.SPECS:
            rows[spec.name][:] = columns[spec.name]
    columns = cross_asset.compute(bars, market)
    for spec in cross_asset.SPECS:
        rows[spec.name][:] = columns[spec.name]
    for spec in regime.SPECS:
        rows[spec.name][:] = of_market[spec.name][bars.sessions]


def _keys(panel: Panel, chosen: Sequence[str]) -> pd.DataFrame:
    if len(chosen) == len(panel.spans):
        return panel.keys
    return panel.keys.loc[panel.keys["ticker"].isin(chosen)].reset_index(drop=True)


def _with_keys(keys: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    values.insert(0, "ticker", keys["ticker"])
    values.insert(1, "date", keys["date"])
    return values


def _thresholds(clips: Sequence[ClippedReturns]) -> pd.DataFrame:
    if not clips:
        return CLIP_THRESHOLDS.empty().drop(columns=["ticker", "date"])
    bounds = np.concatenate([[c.log_return, c.lower, c.upper] for c in clips], axis=1)
    names = ["log_return", "lower_log_return", "upper_log_return"]
    frame = pd.DataFrame(bounds.T, columns=names, copy=False)
    frame["is_clipped"] = np.concatenate([clip.is_clipped for clip in clips])
    return frame
