import numpy as np
import pandas as pd
import pytest

from odyssey_assets.features.library import volatility
from odyssey_assets.features.series import Columns, TickerBars
from odyssey_assets.features.spec import FeatureSpec
from odyssey_assets_tests.features.library.conformance import (
    Oracle,
    as_frame,
    assert_matches,
    wilder_mean,
)


def atr(frame: pd.DataFrame, window: int) -> pd.Series:
    before = frame.close.shift(1)
    spans = [frame.high - frame.low, (frame.high - before).abs(), (frame.low - before).abs()]
    true_range = pd.concat(spans, axis=1).max(axis=1).where(before.notna())
    return wilder_mean(true_range, window)


def atr_oracle(window: int) -> Oracle:
    return lambda frame: atr(frame, window)


def realized(frame: pd.DataFrame, window: int) -> pd.Series:
    return np.log(frame.close).diff().rolling(window).std() * np.sqrt(252)


def parkinson(frame: pd.DataFrame) -> pd.Series:
    square = np.log(frame.high / frame.low) ** 2
    return np.sqrt(252 * square.rolling(20).mean() / (4 * np.log(2)))


def garman_klass(frame: pd.DataFrame) -> pd.Series:
    square = np.log(frame.high / frame.low) ** 2
    body = np.log(frame.close / frame.open) ** 2
    return np.sqrt(252 * (0.5 * square - (2 * np.log(2) - 1) * body).rolling(20).mean())


def yang_zhang(frame: pd.DataFrame) -> pd.Series:
    overnight = np.log(frame.open / frame.close.shift(1))
    up, down = np.log(frame.high / frame.open), np.log(frame.low / frame.open)
    body = np.log(frame.close / frame.open)
    rogers_satchell = (up * (up - body) + down * (down - body)).rolling(20).mean()
    weight = 0.34 / (1.34 + 21 / 19)
    variance = overnight.rolling(20).var() + weight * body.rolling(20).var()
    return np.sqrt(252 * (variance + (1 - weight) * rogers_satchell))


def downside(frame: pd.DataFrame) -> pd.Series:
    square = frame.close.pct_change().clip(upper=0) ** 2
    return np.sqrt(252 * square.rolling(20).mean())


ORACLES: dict[str, Oracle] = {
    **{f"atr_{n}": atr_oracle(n) for n in (7, 14, 21)},
    "natr_14": lambda frame: atr(frame, 14) / frame.close,
    "realized_vol_20": lambda frame: realized(frame, 20),
    "realized_vol_60": lambda frame: realized(frame, 60),
    "vol_of_vol_20": lambda frame: realized(frame, 20).rolling(20).std(),
    "parkinson_vol_20": parkinson,
    "garman_klass_vol_20": garman_klass,
    "yang_zhang_vol_20": yang_zhang,
    "downside_vol_20": downside,
    "vol_ratio_20_60": lambda frame: realized(frame, 20) / realized(frame, 60) - 1,
}


@pytest.fixture(scope="module")
def columns(bars: TickerBars) -> Columns:
    return volatility.compute(bars)


@pytest.mark.parametrize("spec", volatility.SPECS, ids=lambda spec: spec.name)
def test_volatility_feature_on_random_walk_matches_oracle(
    spec: FeatureSpec, bars: TickerBars, columns: Columns
) -> None:
    assert_matches(columns, spec, ORACLES[spec.name](as_frame(bars)))


def test_volatility_compute_returns_exactly_the_declared(columns: Columns) -> None:
    assert set(columns) == {spec.name for spec in volatility.SPECS}
