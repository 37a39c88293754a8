import pandas as pd
import pytest

from odyssey_assets.features.library import price
from odyssey_assets.features.series import Columns, TickerBars
from odyssey_assets.features.spec import FeatureSpec
from odyssey_assets_tests.features.library.conformance import (
    Oracle,
    as_frame,
    assert_matches,
)


def ema(values: pd.Series, window: int) -> pd.Series:
    started = values.copy()
    started.iloc[: window - 1] = float("nan")
    started.iloc[window - 1] = values.iloc[:window].mean()
    return started.ewm(span=window, adjust=False).mean()


def band(frame: pd.DataFrame, width: float) -> pd.Series:
    window = frame.close.rolling(20)
    return window.mean() + width * window.apply(lambda closes: closes.std(ddof=0), raw=True)


def band_position(frame: pd.DataFrame) -> pd.Series:
    position = (frame.close - band(frame, -2)) / (band(frame, 2) - band(frame, -2))
    return position.where(frame.close.rolling(20).max() > frame.close.rolling(20).min(), 0.5).where(
        position.notna()
    )


def vwap(frame: pd.DataFrame) -> pd.Series:
    typical = (frame.high + frame.low + frame.close) / 3
    return (typical * frame.volume).rolling(20).sum() / frame.volume.rolling(20).sum()


def mid(frame: pd.DataFrame, window: int) -> pd.Series:
    return (frame.high.rolling(window).max() + frame.low.rolling(window).min()) / 2


def cloud(frame: pd.DataFrame) -> pd.Series:
    return ((mid(frame, 9) + mid(frame, 26)) / 2 + mid(frame, 52)) / 2


def sma_oracle(window: int) -> Oracle:
    return lambda frame: frame.close.rolling(window).mean()


def close_to_sma_oracle(window: int) -> Oracle:
    return lambda frame: frame.close / frame.close.rolling(window).mean() - 1


ORACLES: dict[str, Oracle] = {
    **{f"sma_{n}": sma_oracle(n) for n in (5, 10, 20, 50, 200)},
    **{f"close_to_sma_{n}": close_to_sma_oracle(n) for n in (5, 10, 20, 50, 200)},
    "ema_12": lambda frame: ema(frame.close, 12),
    "ema_26": lambda frame: ema(frame.close, 26),
    "bb_upper_20": lambda frame: band(frame, 2),
    "bb_middle_20": lambda frame: band(frame, 0),
    "bb_lower_20": lambda frame: band(frame, -2),
    "bb_width_20": lambda frame: (band(frame, 2) - band(frame, -2)) / band(frame, 0),
    "bb_position_20": band_position,
    "vwap_20": vwap,
    "close_to_vwap_20": lambda frame: frame.close / vwap(frame) - 1,
    "ichimoku_conversion_to_base": lambda frame: mid(frame, 9) / mid(frame, 26) - 1,
    "close_to_ichimoku_cloud": lambda frame: frame.close / cloud(frame) - 1,
}


@pytest.fixture(scope="module")
def columns(bars: TickerBars) -> Columns:
    return price.compute(bars)


@pytest.mark.parametrize("spec", price.SPECS, ids=lambda spec: spec.name)
def test_price_feature_on_random_walk_matches_oracle(
    spec: FeatureSpec, bars: TickerBars, columns: Columns
) -> None:
    assert_matches(columns, spec, ORACLES[spec.name](as_frame(bars)))


def test_price_compute_returns_exactly_the_declared(columns: Columns) -> None:
    assert set(columns) == {spec.name for spec in price.SPECS}
