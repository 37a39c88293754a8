import numpy as np
import pandas as pd
import pytest

from odyssey_assets.features.library import momentum
from odyssey_assets.features.series import Columns, TickerBars
from odyssey_assets.features.spec import FeatureSpec
from odyssey_assets_tests.features.library.conformance import (
    Oracle,
    as_frame,
    assert_matches,
    wilder_mean,
)


def rsi_oracle(window: int) -> Oracle:
    def rsi(frame: pd.DataFrame) -> pd.Series:
        change = frame.close.diff()
        gain = wilder_mean(change.clip(lower=0), window)
        loss = wilder_mean(-change.clip(upper=0), window)
        return 100 * gain / (gain + loss)

    return rsi


def ema_from(values: pd.Series, window: int, first: int) -> pd.Series:
    """Exponential mean whose value at row `first` is the mean of the `window` rows up to it."""
    started = values.copy()
    started.iloc[:first] = np.nan
    started.iloc[first] = values.iloc[first - window + 1 : first + 1].mean()
    return started.ewm(span=window, adjust=False).mean()


def macd(frame: pd.DataFrame) -> pd.Series:
    return ema_from(frame.close, 12, first=25) - ema_from(frame.close, 26, first=25)


def macd_signal(frame: pd.DataFrame) -> pd.Series:
    return ema_from(macd(frame), 9, first=33)


def roc_oracle(window: int) -> Oracle:
    return lambda frame: frame.close.pct_change(window)


def mom_oracle(window: int) -> Oracle:
    return lambda frame: frame.close.diff(window)


def fast_k(frame: pd.DataFrame) -> pd.Series:
    high, low = frame.high.rolling(14).max(), frame.low.rolling(14).min()
    return 100 * (frame.close - low) / (high - low)


def slow_k(frame: pd.DataFrame) -> pd.Series:
    return fast_k(frame).rolling(3).mean().where(frame.index >= 17)


def slow_d(frame: pd.DataFrame) -> pd.Series:
    return fast_k(frame).rolling(3).mean().rolling(3).mean()


def cci(frame: pd.DataFrame) -> pd.Series:
    typical = (frame.high + frame.low + frame.close) / 3
    window = typical.rolling(20)
    deviation = window.apply(lambda values: np.abs(values - values.mean()).mean(), raw=True)
    return (typical - window.mean()) / (0.015 * deviation)


def smoothed_sum(values: pd.Series) -> pd.Series:
    """Wilder's running sum over 14 sessions, started from the first 13 changes."""
    result = pd.Series(np.nan, index=values.index)
    total = values.iloc[1:14].sum()
    for row in range(14, len(values)):
        total += values[row] - total / 14
        result[row] = total
    return result


def adx(frame: pd.DataFrame) -> pd.Series:
    up, down = frame.high.diff(), -frame.low.diff()
    plus = smoothed_sum(up.where((up > down) & (up > 0), 0.0))
    minus = smoothed_sum(down.where((down > up) & (down > 0), 0.0))
    return wilder_mean(100 * (plus - minus).abs() / (plus + minus), 14)


def mfi(frame: pd.DataFrame) -> pd.Series:
    typical = (frame.high + frame.low + frame.close) / 3
    flow, change = typical * frame.volume, typical.diff()
    positive = flow.where(change > 0, 0.0).where(change.notna()).rolling(14).sum()
    negative = flow.where(change < 0, 0.0).where(change.notna()).rolling(14).sum()
    return 100 * positive / (positive + negative)


ORACLES: dict[str, Oracle] = {
    **{f"rsi_{n}": rsi_oracle(n) for n in (7, 14, 21)},
    "macd": lambda frame: macd(frame).where(frame.index >= 33),
    "macd_signal": macd_signal,
    "macd_histogram": lambda frame: macd(frame) - macd_signal(frame),
    **{f"roc_{n}": roc_oracle(n) for n in (5, 10, 20)},
    **{f"mom_{n}": mom_oracle(n) for n in (5, 10, 20)},
    "williams_r_14": lambda frame: fast_k(frame) - 100,
    "stochastic_k_14": slow_k,
    "stochastic_d_14": slow_d,
    "cci_20": cci,
    "adx_14": adx,
    "mfi_14": mfi,
}


@pytest.fixture(scope="module")
def columns(bars: TickerBars) -> Columns:
    return momentum.compute(bars)


@pytest.mark.parametrize("spec", momentum.SPECS, ids=lambda spec: spec.name)
def test_momentum_feature_on_random_walk_matches_oracle(
    spec: FeatureSpec, bars: TickerBars, columns: Columns
) -> None:
    assert_matches(columns, spec, ORACLES[spec.name](as_frame(bars)))


def test_momentum_compute_returns_exactly_the_declared(columns: Columns) -> None:
    assert set(columns) == {spec.name for spec in momentum.SPECS}
