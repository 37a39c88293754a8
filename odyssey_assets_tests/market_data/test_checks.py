"""Whether stale tickers are found, and only those: lags in sessions, fills, no bars at all."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.market_data.checks import newest_bars
from odyssey_assets.market_data.tables import BARS
from odyssey_assets_tests.tiny_market import (
    TICKERS,
    WINDOWS,
    TinyHome,
    evaluate,
    found,
    tiny_settings,
    warehouse_of,
)

CHECK = ("market_data/bars", "bars_are_fresh")


def last_bars(bars: pd.DataFrame, ticker: str, count: int) -> pd.Index:
    return bars.index[bars["ticker"] == ticker][-count:]


def test_fresh_bars_pass(tiny_home: TinyHome) -> None:
    evaluation = evaluate(tiny_settings(tiny_home.root), *CHECK)
    assert evaluation.passed
    assert found(evaluation)["tickers_checked"] == len(TICKERS)
    assert found(evaluation)["failed_partitions"] == []


@pytest.mark.parametrize(("missing", "is_fresh"), [(3, True), (4, False)])
@pytest.mark.parametrize("is_filled", [True, False])
def test_ticker_that_lags_more_than_allowed_is_named_and_the_other_is_not(
    missing: int, is_fresh: bool, is_filled: bool, tiny_copy: Path
) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    bars = warehouse.read(BARS)
    lost = last_bars(bars, "AAPL", missing)
    if is_filled:
        bars.loc[lost, "is_filled"] = True
    else:
        bars = bars.drop(index=lost)
    warehouse.replace(BARS, bars, (WHOLE_TABLE,))
    evaluation = evaluate(settings, *CHECK)
    assert evaluation.passed is is_fresh
    assert found(evaluation)["failed_partitions"] == (
        []
        if is_fresh
        else [{"ticker": "AAPL", "window": WINDOWS[-1], "value": missing, "threshold": 3}]
    )


def test_all_tickers_are_stale_when_sessions_passed_without_a_run(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy, end=date(2022, 7, 15))
    evaluation = evaluate(settings, *CHECK, last="2022-07-01|SPY")
    assert not evaluation.passed
    failed = found(evaluation)["failed_partitions"]
    assert {cell["ticker"]: cell["value"] for cell in failed} == dict.fromkeys(TICKERS, 10)


def test_ticker_without_any_bar_is_stale_without_a_lag(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    bars = warehouse.read(BARS)
    warehouse.replace(BARS, bars[bars["ticker"] == "SPY"], (WHOLE_TABLE,))
    (failed,) = found(evaluate(settings, *CHECK))["failed_partitions"]
    assert (failed["ticker"], failed["value"]) == ("AAPL", None)


def test_run_over_old_windows_says_nothing_about_freshness(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse_of(settings).replace(BARS, BARS.empty(), (WHOLE_TABLE,))
    evaluation = evaluate(settings, *CHECK, last=f"{WINDOWS[1]}|SPY")
    assert evaluation.passed
    assert found(evaluation)["tickers_checked"] == 0


def test_newest_bars_are_of_the_named_tickers_only(tiny_home: TinyHome) -> None:
    warehouse = warehouse_of(tiny_settings(tiny_home.root))
    assert newest_bars(warehouse, []) == {}
    assert newest_bars(warehouse, ["SPY", "QQQ"]) == {"SPY": pd.Timestamp("2022-06-30")}
