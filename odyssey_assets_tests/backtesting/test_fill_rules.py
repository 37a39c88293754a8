import pandas as pd
import pytest

from odyssey_assets.backtesting.fill_rules import impossible_fills
from odyssey_assets.backtesting.tables import TRADES
from odyssey_assets.market_data.tables import BARS, QUARANTINE
from odyssey_assets_tests.backtesting.replays import market_panel, replayed, roll
from odyssey_assets_tests.features.markets import GAPPY, small_market

MARKET = small_market()


@pytest.fixture(scope="module")
def trades() -> pd.DataFrame:
    panel = market_panel()
    return replayed(roll("one", panel, first=150, every=1).weights, panel).trades


def rejected(fill: pd.Series, *, is_rejected: bool = True) -> pd.DataFrame:
    rows = [
        {
            "ticker": fill["ticker"], "date": fill["date"], "source": "test", "reason": reason,
            "row_sha256": reason, "is_rejected": is_rejected, "detail": "", "content": "",
            "quarantined_at": fill["date"],
        }
        for reason in ("stale_bar", "zero_volume")
    ]  # fmt: skip
    return QUARANTINE.conform(pd.DataFrame(rows))


def bars_with(fill: pd.Series, **changes: object) -> pd.DataFrame:
    bars = MARKET.bars.copy()
    is_own = (bars["ticker"] == fill["ticker"]) & (bars["date"] == fill["date"])
    bars.loc[is_own, list(changes)] = list(changes.values())
    return bars


def bars_without(fill: pd.Series) -> pd.DataFrame:
    bars = MARKET.bars
    return bars[(bars["ticker"] != fill["ticker"]) | (bars["date"] != fill["date"])]


def test_fills_of_the_engine_break_no_rule(trades: pd.DataFrame) -> None:
    bars = MARKET.bars
    assert impossible_fills(trades, bars, QUARANTINE.empty()).empty
    # Around sessions that were filled or are missing it did trade the ticker.
    filled = bars.loc[bars["is_filled"], "date"]
    around = trades[trades["ticker"] == GAPPY]["date"]
    assert around.between(filled.min() - pd.Timedelta(days=30), filled.max()).any()


def test_fill_on_a_filled_bar_is_found(trades: pd.DataFrame) -> None:
    fill = trades.iloc[20]
    found = impossible_fills(trades, bars_with(fill, is_filled=True), QUARANTINE.empty())

    assert found["rule"].tolist() == ["no fill on a filled bar"]
    assert found["ticker"].tolist() == [fill["ticker"]]
    assert found["date"].tolist() == [fill["date"]]
    assert found["value"].tolist() == [fill["traded_value"]]


def test_fill_on_a_session_without_a_bar_is_found(trades: pd.DataFrame) -> None:
    fill = trades.iloc[21]
    found = impossible_fills(trades, bars_without(fill), QUARANTINE.empty())

    assert found["rule"].tolist() == ["no fill without a bar"]
    assert found["date"].tolist() == [fill["date"]]


def test_fill_without_volume_is_found(trades: pd.DataFrame) -> None:
    fill = trades.iloc[22]
    found = impossible_fills(trades, bars_with(fill, volume=0.0), QUARANTINE.empty())

    assert found["rule"].tolist() == ["no fill without volume"]


def test_fill_on_a_quarantined_bar_is_found_once(trades: pd.DataFrame) -> None:
    fill = trades.iloc[23]
    for bars in (bars_without(fill), bars_with(fill, is_filled=True)):
        found = impossible_fills(trades, bars, rejected(fill))
        assert found["rule"].tolist() == ["no fill on a quarantined bar"]
        assert found["ticker"].tolist() == [fill["ticker"]]


def test_fill_on_a_good_bar_beside_a_rejected_row_is_allowed(trades: pd.DataFrame) -> None:
    assert impossible_fills(trades, MARKET.bars, rejected(trades.iloc[24])).empty


def test_repaired_row_is_no_quarantined_bar(trades: pd.DataFrame) -> None:
    fill = trades.iloc[25]
    found = impossible_fills(trades, bars_without(fill), rejected(fill, is_rejected=False))

    assert found["rule"].tolist() == ["no fill without a bar"]


def test_fill_at_another_price_than_the_open_is_found(trades: pd.DataFrame) -> None:
    fill = trades.iloc[26]
    found = impossible_fills(
        trades, bars_with(fill, open=fill["price"] * 1.0001), QUARANTINE.empty()
    )

    assert found["rule"].tolist() == ["fills at the open as traded"]
    assert found["value"].tolist() == [fill["price"]]
    assert found["expected"].tolist() == [pytest.approx(fill["price"] * 1.0001)]


def test_fill_on_the_session_that_decided_it_is_found(trades: pd.DataFrame) -> None:
    altered = trades.copy()
    altered.loc[27, "decided_on"] = altered.loc[27, "date"]
    found = impossible_fills(altered, MARKET.bars, QUARANTINE.empty())

    assert found["rule"].tolist() == ["decided at least a day before the fill"]
    assert found["value"].tolist() == [0.0]


def test_without_fills_nothing_is_found() -> None:
    assert impossible_fills(TRADES.empty(), MARKET.bars, QUARANTINE.empty()).empty
    assert impossible_fills(TRADES.empty(), BARS.empty(), QUARANTINE.empty()).empty


def test_without_bars_every_fill_is_found(trades: pd.DataFrame) -> None:
    found = impossible_fills(trades, BARS.empty(), QUARANTINE.empty())
    assert len(found) == len(trades)
