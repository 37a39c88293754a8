import numpy as np
import pandas as pd
import pytest

from odyssey_assets.market_data.stale_bars import MIN_PAST_SESSIONS, reject_stale_bars
from odyssey_assets.settings_sections import CleaningSettings
from odyssey_assets_tests.market_data.raw_history import changed, flat, raw_history

SETTINGS = CleaningSettings()


def _judged(raw: pd.DataFrame, settings: CleaningSettings = SETTINGS) -> list[tuple[int, str]]:
    is_kept = np.ones(len(raw), dtype=bool)
    return [(found.row, found.reason) for found in reject_stale_bars(raw, is_kept, settings)]


def _quiet(count: int, range_bps: float) -> pd.DataFrame:
    """Return rows whose range is always `range_bps` of the close."""
    close = 100.0
    return raw_history(count).assign(
        open=close, close=close, low=close, high=close * (1 + range_bps * 1e-4)
    )


def test_flat_bar_of_a_ticker_that_moves_is_stale() -> None:
    raw = flat(raw_history(80), 70, volume=5e6)
    (finding,) = reject_stale_bars(raw, np.ones(80, dtype=bool), SETTINGS)
    assert (finding.row, finding.reason, finding.is_rejected) == (70, "stale_bar", True)
    usual = ((raw["high"] - raw["low"]) / raw["close"]).iloc[10:70].median() * 1e4
    assert f"usual range over the 60 sessions before is {usual:.1f} bps" in finding.detail
    assert "volume 5000000" in finding.detail


def test_flat_bar_without_volume_is_stale_first() -> None:
    assert _judged(flat(raw_history(80), 70, volume=0)) == [(70, "stale_bar")]


@pytest.mark.parametrize(
    ("range_bps", "expected"), [(2.0, []), (9.9, []), (10.1, [(70, "stale_bar")])]
)
def test_flat_bar_is_judged_by_the_usual_range_of_the_ticker(
    range_bps: float, expected: list[tuple[int, str]]
) -> None:
    assert _judged(flat(_quiet(80, range_bps), 70, volume=1e5)) == expected


def test_bar_without_volume_but_with_a_range_is_rejected_where_shares_usually_trade() -> None:
    raw = changed(raw_history(80), 70, volume=0.0)
    (finding,) = reject_stale_bars(raw, np.ones(80, dtype=bool), SETTINGS)
    assert (finding.row, finding.reason) == (70, "zero_volume")
    assert f"{raw['volume'].iloc[10:70].median():.0f}" in finding.detail


def test_bar_without_volume_is_honest_where_nothing_usually_trades() -> None:
    assert _judged(raw_history(80).assign(volume=0.0)) == []


@pytest.mark.parametrize("count", [MIN_PAST_SESSIONS - 1, MIN_PAST_SESSIONS])
def test_flat_bar_with_too_little_past_is_not_judged(count: int) -> None:
    found = _judged(flat(raw_history(40), count, volume=0))
    assert found == ([] if count < MIN_PAST_SESSIONS else [(count, "stale_bar")])


def test_run_of_stale_bars_is_rejected_to_its_end() -> None:
    raw = raw_history(200)
    for row in range(80, 180):
        raw = flat(raw, row, volume=0)
    assert _judged(raw) == [(row, "stale_bar") for row in range(80, 180)]


def test_usual_range_is_that_of_the_ticker_and_not_of_its_neighbour() -> None:
    wild, quiet = raw_history(80, "AAA"), _quiet(80, 2.0).assign(ticker="BBB")
    raw = pd.concat([wild, flat(quiet, 3, volume=1e5)], ignore_index=True)
    assert _judged(raw) == []


def test_usual_range_looks_back_only_over_the_lookback() -> None:
    raw = raw_history(80)
    raw.loc[60:69, ["open", "high", "low", "close"]] = 100.0
    settings = CleaningSettings(stale_lookback_sessions=5)
    is_kept = np.ones(80, dtype=bool)
    found = [finding.row for finding in reject_stale_bars(raw, is_kept, settings)]
    assert found == list(range(60, 70))
    raw.loc[60:69, "high"] = 100.05
    assert _judged(flat(raw, 70, volume=1e5), settings) == []
    assert _judged(flat(raw, 70, volume=1e5)) == [(70, "stale_bar")]


def test_rows_rejected_before_do_not_count_as_past() -> None:
    raw = flat(raw_history(80), 70, volume=1e5)
    is_kept = np.ones(80, dtype=bool)
    is_kept[:66] = False
    assert reject_stale_bars(raw, is_kept, SETTINGS) == []
    is_kept[70] = False
    assert reject_stale_bars(raw, is_kept, SETTINGS) == []
