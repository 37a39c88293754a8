import numpy as np
import pandas as pd

from odyssey_assets.core.adjustment import adjusted_bars


def _bars() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ticker": ["AAA", "AAA", "BBB"],
            "open": [10.0, 5.5, 7.0],
            "high": [11.0, 6.0, 7.0],
            "low": [9.0, 5.0, 7.0],
            "close": [10.0, 5.0, 7.0],
            "volume": [100.0, 220.0, 5.0],
            "split_factor": [1.0, 2.0, 1.0],
            "total_return_factor": [1.0, 2.5, 1.0],
        }
    )


def test_adjusted_bars_scale_prices_by_total_return_and_volume_by_splits() -> None:
    adjusted = adjusted_bars(_bars())
    assert adjusted["open"].tolist() == [10.0, 13.75, 7.0]
    assert adjusted["high"].tolist() == [11.0, 15.0, 7.0]
    assert adjusted["low"].tolist() == [9.0, 12.5, 7.0]
    assert adjusted["close"].tolist() == [10.0, 12.5, 7.0]
    assert adjusted["volume"].tolist() == [100.0, 110.0, 5.0]


def test_adjusted_bars_keep_other_columns_and_leave_the_input_alone() -> None:
    bars = _bars().set_index(np.array([4, 7, 9]))
    before = bars.copy()
    adjusted = adjusted_bars(bars)
    pd.testing.assert_frame_equal(bars, before)
    assert list(adjusted.columns) == list(bars.columns)
    assert adjusted.index.tolist() == [4, 7, 9]
    assert adjusted["ticker"].tolist() == ["AAA", "AAA", "BBB"]
