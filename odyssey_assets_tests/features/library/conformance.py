"""How a family's features are held against oracles: same values, same nulls, whole history.

An oracle is a formula written here in pandas or plain loops, independent of TA-Lib and of the
compiled kernels.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.features.panel import build_panel
from odyssey_assets.features.series import Columns, TickerBars
from odyssey_assets.features.spec import FeatureSpec
from odyssey_assets_tests.features.markets import END, PLAIN, START, market_settings, ticker_bars

Oracle = Callable[[pd.DataFrame], pd.Series]


def oracle_bars() -> TickerBars:
    """Return one ticker's adjusted bars with sessions that did not trade."""
    bars = ticker_bars(PLAIN, sessions_between(START, END), np.random.default_rng(11))
    idle = bars.index[320:330]
    bars.loc[idle, "volume"] = 0.0
    bars.loc[idle, ["open", "high", "low", "close"]] = bars.loc[idle[0] - 1, "close"]
    history, _ = build_panel(bars).ticker_bars(PLAIN, market_settings().features)
    return history


def as_frame(bars: TickerBars) -> pd.DataFrame:
    """Return the bars as the oracles take them."""
    names = ("open", "high", "low", "close", "volume")
    return pd.DataFrame({name: getattr(bars, name) for name in names})


def assert_matches(columns: Columns, spec: FeatureSpec, expected: pd.Series) -> None:
    """Hold one computed column against its oracle, nulls included."""
    found = columns[spec.name]
    assert np.isnan(found[: spec.lookback - 1]).all()
    assert not np.isnan(found[spec.lookback - 1])
    scale = float(np.nanmax(np.abs(expected)))
    np.testing.assert_allclose(
        found, expected.to_numpy(), rtol=1e-9, atol=1e-12 * scale, equal_nan=True
    )


def wilder_mean(values: pd.Series, window: int) -> pd.Series:
    """Return Wilder's mean, started from the plain mean of the first `window` known values."""
    result = pd.Series(np.nan, index=values.index)
    known = values.dropna()
    mean = known.iloc[:window].mean()
    result[known.index[window - 1]] = mean
    for row in known.index[window:]:
        mean += (values[row] - mean) / window
        result[row] = mean
    return result
