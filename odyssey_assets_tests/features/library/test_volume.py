import numpy as np
import pandas as pd
import pytest

from odyssey_assets.features.library import volume
from odyssey_assets.features.series import Columns, TickerBars
from odyssey_assets.features.spec import FeatureSpec
from odyssey_assets_tests.features.library.conformance import (
    Oracle,
    as_frame,
    assert_matches,
)


def obv(frame: pd.DataFrame) -> pd.Series:
    signed = np.sign(frame.close.diff()) * frame.volume
    signed.iloc[0] = frame.volume.iloc[0]
    return signed.cumsum()


def money_flow(frame: pd.DataFrame) -> pd.Series:
    size = frame.high - frame.low
    position = (frame.close - frame.low) - (frame.high - frame.close)
    return (position / size).where(size > 0, 0.0) * frame.volume


def trend(frame: pd.DataFrame) -> pd.Series:
    window = frame.volume.rolling(5)
    slope = window.apply(lambda values: np.polyfit(np.arange(5), values, 1)[0], raw=True)
    mean = window.mean()
    return (slope / mean).where(mean > 0)


def weighted_momentum(frame: pd.DataFrame) -> pd.Series:
    weighted = (frame.close.pct_change() * frame.volume).rolling(20).sum()
    return weighted / frame.volume.rolling(20).sum()


def amihud(frame: pd.DataFrame) -> pd.Series:
    traded = (frame.close * frame.volume).where(frame.volume > 0)
    impact = frame.close.pct_change().abs() / traded * 1e9
    mean = impact.rolling(20, min_periods=1).mean()
    return mean.where(frame.index >= 20)


ORACLES: dict[str, Oracle] = {
    "obv": obv,
    "obv_sma_20": lambda frame: obv(frame).rolling(20).mean(),
    "volume_to_sma_20": lambda frame: frame.volume / frame.volume.rolling(20).mean() - 1,
    "volume_trend_5": trend,
    "volume_zscore_20": lambda frame: (
        (frame.volume - frame.volume.rolling(20).mean()) / frame.volume.rolling(20).std()
    ),
    "accumulation_distribution": lambda frame: money_flow(frame).cumsum(),
    "chaikin_money_flow_20": lambda frame: (
        money_flow(frame).rolling(20).sum() / frame.volume.rolling(20).sum()
    ),
    "volume_weighted_momentum_20": weighted_momentum,
    "amihud_illiquidity_20": amihud,
}


@pytest.fixture(scope="module")
def columns(bars: TickerBars) -> Columns:
    return volume.compute(bars)


@pytest.mark.parametrize("spec", volume.SPECS, ids=lambda spec: spec.name)
def test_volume_feature_on_random_walk_matches_oracle(
    spec: FeatureSpec, bars: TickerBars, columns: Columns
) -> None:
    assert_matches(columns, spec, ORACLES[spec.name](as_frame(bars)))


def test_volume_compute_returns_exactly_the_declared(columns: Columns) -> None:
    assert set(columns) == {spec.name for spec in volume.SPECS}
