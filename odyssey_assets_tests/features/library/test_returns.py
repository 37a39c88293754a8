import numpy as np
import pandas as pd
import pytest

from odyssey_assets.features.library import returns
from odyssey_assets.features.series import Columns, TickerBars
from odyssey_assets.features.spec import FeatureSpec
from odyssey_assets_tests.features.library.conformance import (
    Oracle,
    as_frame,
    assert_matches,
)


def simple(frame: pd.DataFrame) -> pd.Series:
    return frame.close.pct_change()


def clipped(frame: pd.DataFrame) -> pd.Series:
    log_return = np.log(frame.close).diff()
    past = log_return.shift(1).expanding(min_periods=252)
    lower, upper = past.mean() - 3 * past.std(), past.mean() + 3 * past.std()
    return log_return.where(~(log_return < lower), lower).where(~(log_return > upper), upper)


def return_oracle(window: int) -> Oracle:
    return lambda frame: frame.close / frame.close.shift(window) - 1


def std_oracle(window: int) -> Oracle:
    return lambda frame: simple(frame).rolling(window).std()


def sharpe_oracle(window: int) -> Oracle:
    return lambda frame: (
        simple(frame).rolling(window).mean() / simple(frame).rolling(window).std() * np.sqrt(252)
    )


def cumulative_oracle(window: int) -> Oracle:
    return lambda frame: np.exp(clipped(frame).rolling(window).sum()) - 1


ORACLES: dict[str, Oracle] = {
    **{f"return_{n}d": return_oracle(n) for n in (1, 5, 10, 20, 60, 252)},
    "overnight_return_1d": lambda frame: frame.open / frame.close.shift(1) - 1,
    **{f"return_std_{n}": std_oracle(n) for n in (20, 60)},
    **{f"sharpe_{n}": sharpe_oracle(n) for n in (20, 60)},
    **{f"cumulative_return_{n}": cumulative_oracle(n) for n in (20, 60)},
    "demeaned_return_60": lambda frame: simple(frame) - simple(frame).rolling(60).mean(),
    "drawdown_252": lambda frame: frame.close / frame.close.rolling(252).max() - 1,
}


@pytest.fixture(scope="module")
def columns(bars: TickerBars) -> Columns:
    return returns.compute(bars)


@pytest.mark.parametrize("spec", returns.SPECS, ids=lambda spec: spec.name)
def test_return_feature_on_random_walk_matches_oracle(
    spec: FeatureSpec, bars: TickerBars, columns: Columns
) -> None:
    assert_matches(columns, spec, ORACLES[spec.name](as_frame(bars)))


def test_returns_compute_returns_exactly_the_declared(columns: Columns) -> None:
    assert set(columns) == {spec.name for spec in returns.SPECS}


def test_cumulative_return_after_a_jump_is_clipped(bars: TickerBars, columns: Columns) -> None:
    is_clipped = bars.clipped_log_return != bars.log_return
    rows = np.flatnonzero(is_clipped & ~np.isnan(bars.log_return))

    assert rows.size > 0
    assert rows.min() > 252
    assert (columns["cumulative_return_20"][rows] != columns["return_20d"][rows]).all()
