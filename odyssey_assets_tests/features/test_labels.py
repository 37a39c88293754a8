import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.features.labels import compute_labels
from odyssey_assets.features.tables import HORIZONS_SESSIONS, LABELS
from odyssey_assets.settings_sections import LabelSettings
from odyssey_assets_tests.features.markets import PLAIN, SPLIT_DATE, small_market


@pytest.mark.parametrize("horizon", HORIZONS_SESSIONS)
def test_forward_return_matches_a_plain_loop(horizon: int) -> None:
    bars = small_market().bars
    labels = compute_labels(bars.sample(frac=1.0, random_state=1), LabelSettings())

    for ticker, rows in adjusted_bars(bars).groupby("ticker"):
        close = rows["close"].tolist()
        expected = [
            close[row + horizon] / close[row] - 1 if row + horizon < len(close) else np.nan
            for row in range(len(close))
        ]
        found = labels.loc[labels["ticker"] == ticker, f"forward_return_{horizon}d"]
        np.testing.assert_array_equal(found, expected)


def test_forward_return_across_a_split_and_dividend_is_the_holders_return() -> None:
    bars = small_market().bars
    plain = bars.loc[bars["ticker"] == PLAIN].reset_index(drop=True)
    row = int(plain.index[plain["date"] == pd.Timestamp(SPLIT_DATE)][0]) - 1
    before, split, ex_dividend = plain.loc[row], plain.loc[row + 1], plain.loc[row + 2]
    # One share becomes two; the dividend is put back into shares before it is paid out.
    first_day = 2.0 * split["close"] / before["close"]
    second_day = ex_dividend["close"] / (split["close"] - ex_dividend["dividend"])

    labels = compute_labels(plain, LabelSettings())

    assert labels.loc[row, "forward_return_1d"] == pytest.approx(first_day - 1, rel=1e-12)
    assert labels.loc[row + 1, "forward_return_1d"] == pytest.approx(second_day - 1, rel=1e-12)


@pytest.fixture(scope="module")
def six_bars() -> pd.DataFrame:
    bars = small_market().bars.iloc[:6]
    return bars.assign(total_return_factor=1.0, split_factor=1.0)


@given(move=st.floats(-0.05, 0.05), above=st.floats(0.0, 0.03), below=st.floats(-0.03, 0.0))
def test_direction_follows_the_thresholds(
    six_bars: pd.DataFrame, move: float, above: float, below: float
) -> None:
    bars = six_bars.assign(close=[100.0] * 5 + [100.0 * (1 + move)])
    settings = LabelSettings(bullish_above_return=above, bearish_below_return=below)

    labels = compute_labels(bars, settings)

    outcome = labels.loc[0, "forward_return_5d"]
    expected = "bullish" if outcome > above else "bearish" if outcome < below else "neutral"
    assert labels.loc[0, "direction_5d"] == expected
    assert labels.loc[1:, "direction_5d"].isna().all()


def test_labels_of_no_bars_are_an_empty_table() -> None:
    labels = compute_labels(small_market().bars.iloc[:0], LabelSettings())

    assert labels.empty
    assert tuple(labels.columns) == LABELS.column_names
