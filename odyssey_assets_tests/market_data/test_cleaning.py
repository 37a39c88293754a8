from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.market_data.catalog import build_source
from odyssey_assets.market_data.cleaning import CleanedBars, clean_bars
from odyssey_assets.market_data.ingestion import ingest_bars
from odyssey_assets.market_data.tables import BARS, QUARANTINE, RAW_BARS
from odyssey_assets.settings import build_settings
from odyssey_assets.settings_sections import CleaningSettings
from odyssey_assets_tests.market_data.raw_history import (
    NOW,
    SOURCE,
    again,
    changed,
    cleaned,
    flat,
    raw_history,
    split_from,
)


def _with_twin(raw: pd.DataFrame, row: int, **values: float) -> pd.DataFrame:
    """Return `raw` with one row delivered twice, the second time with other values."""
    twin = raw.iloc[[row]].assign(**values)
    twin["row_sha256"] += f" {sorted(values)}"
    return pd.concat([raw, twin], ignore_index=True)


SMALL = CleaningSettings(anomaly_min_sessions=20, max_fill_sessions=2)

Spoiler = Callable[[pd.DataFrame, int], pd.DataFrame]
SPOILERS: dict[str, Spoiler] = {
    "stale": lambda raw, row: flat(raw, row, volume=1e6),
    "idle": lambda raw, row: changed(raw, row, volume=0.0),
    "inverted": lambda raw, row: changed(raw, row, high=1.0, low=2.0),
    "worthless": lambda raw, row: changed(raw, row, open=0.0),
    "missing": lambda raw, row: changed(raw, row, close=np.nan),
    "unreadable": lambda raw, row: changed(raw, row, defect="unreadable_number", content="{}"),
    "undated": lambda raw, row: changed(raw, row, defect="unreadable_date", content="{}"),
    "weekend": lambda raw, row: changed(raw, row, date=pd.Timestamp("2015-01-31"), dividend=0.4),
    "dividend": lambda raw, row: changed(raw, row, dividend=1.5),
    "huge_dividend": lambda raw, row: changed(raw, row, dividend=90.0),
    "negative_dividend": lambda raw, row: changed(raw, row, dividend=-1.0),
    "split": lambda raw, row: split_from(raw, row, 2.0),
    "inexact_split": lambda raw, row: split_from(raw, row, 3.00001),
    "false_split": lambda raw, row: changed(raw, row, split_ratio=4.0),
    "stale_split": lambda raw, row: flat(split_from(raw, row, 0.5), row, volume=0.0),
    "jump": lambda raw, row: changed(raw, row, close=300.0, high=310.0),
    "restated": lambda raw, row: pd.concat(
        [raw, again(raw.iloc[[row]], "2024-12-31 23:00", volume=7e5)], ignore_index=True
    ),
    "contradicted": lambda raw, row: _with_twin(raw, row, dividend=0.3),
    "half_split": lambda raw, row: _with_twin(raw, row, split_ratio=0.5),
    "lost": lambda raw, row: raw.drop(index=row).reset_index(drop=True),
}
_SPOILED = st.lists(
    st.lists(st.tuples(st.integers(1, 85), st.sampled_from(sorted(SPOILERS))), max_size=8),
    min_size=3,
    max_size=3,
)


def _spoiled(spoilers: list[list[tuple[int, str]]]) -> pd.DataFrame:
    """Return three tickers, each spoiled in its own way."""
    histories = []
    for ticker, own in zip(("AAA", "BBB", "CCC"), spoilers, strict=True):
        raw = raw_history(100, ticker)
        for row, name in own:
            raw = SPOILERS[name](raw, row)
        histories.append(raw)
    joined = pd.concat(histories, ignore_index=True)
    return joined.drop_duplicates(list(RAW_BARS.grain), keep="last", ignore_index=True)


def _equal_bits(one: pd.DataFrame, two: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        one.reset_index(drop=True), two.reset_index(drop=True), check_exact=True
    )


def _up_to(frame: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    return frame[frame["date"] <= day]


@settings(max_examples=30, deadline=None)
@given(spoilers=_SPOILED)
def test_clean_bars_keeps_every_promise_whatever_is_delivered(
    spoilers: list[list[tuple[int, str]]],
) -> None:
    raw = _spoiled(spoilers)
    result = cleaned(raw, settings=SMALL)

    _assert_bars_are_possible(result.bars)
    _assert_each_newest_row_is_a_bar_or_rejected(raw, result)
    for _, bars in result.bars.groupby("ticker"):
        _assert_factors_follow_from(bars)


def _assert_bars_are_possible(bars: pd.DataFrame) -> None:
    BARS.conform(bars)
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert (bars["low"] > 0).all()
    assert (bars["volume"] >= 0).all()
    assert (bars.loc[bars["is_filled"], "volume"] == 0).all()
    assert set(bars["date"]) <= set(raw_history(100)["date"])


def _assert_each_newest_row_is_a_bar_or_rejected(raw: pd.DataFrame, result: CleanedBars) -> None:
    undated = raw["defect"] == "unreadable_date"
    dated = raw[~undated]
    newest = dated.groupby(["ticker", "date"])["ingested_at"].transform("max")
    counting = pd.concat([raw[undated], dated[dated["ingested_at"] == newest]])
    QUARANTINE.conform(result.quarantine)
    rejected = result.quarantine[result.quarantine["is_rejected"]]
    assert set(rejected["row_sha256"]) <= set(counting["row_sha256"])
    good = counting[~counting["row_sha256"].isin(rejected["row_sha256"])]
    traded = result.bars[~result.bars["is_filled"]]
    days = good[["ticker", "date"]].sort_values(["ticker", "date"])
    _equal_bits(days, traded[["ticker", "date"]])


def _assert_factors_follow_from(bars: pd.DataFrame) -> None:
    previous = bars["close"].shift() / bars["split_ratio"]
    step = (bars["split_ratio"] / (1 - bars["dividend"] / previous)).iloc[1:]
    assert (bars[["split_factor", "total_return_factor"]].iloc[0] == 1.0).all()
    np.testing.assert_allclose(bars["total_return_factor"].iloc[1:], step.cumprod(), rtol=1e-12)
    splits = bars["split_ratio"].iloc[1:].cumprod()
    np.testing.assert_allclose(bars["split_factor"].iloc[1:], splits, rtol=1e-12)


@settings(max_examples=15, deadline=None)
@given(spoilers=_SPOILED, cut=st.integers(1, 99), seed=st.integers(0, 99))
def test_bars_up_to_a_day_are_the_same_bits_when_the_future_is_cut_or_scrambled(
    spoilers: list[list[tuple[int, str]]], cut: int, seed: int
) -> None:
    raw = _spoiled(spoilers)
    day = raw_history(100)["date"].iloc[cut]
    whole = cleaned(raw, settings=SMALL)

    history = cleaned(_up_to(raw, day), end=day.date(), settings=SMALL)
    _equal_bits(_up_to(whole.bars, day), history.bars)
    _equal_bits(_up_to(whole.quarantine, day), history.quarantine)

    scrambled = cleaned(_scrambled(raw, day, seed), settings=SMALL)
    _equal_bits(_up_to(whole.bars, day), _up_to(scrambled.bars, day))
    _equal_bits(_up_to(whole.quarantine, day), _up_to(scrambled.quarantine, day))


def _scrambled(raw: pd.DataFrame, day: pd.Timestamp, seed: int) -> pd.DataFrame:
    """Return `raw` with other prices and actions after `day`."""
    random = np.random.default_rng(seed)
    result = raw.copy()
    later = result["date"] > day
    count = int(later.sum())
    for name in ("open", "high", "low", "close", "volume", "dividend"):
        result.loc[later, name] = random.permutation(result.loc[later, name].to_numpy())
    result.loc[later, "split_ratio"] = random.choice([0.5, 1.0, 2.0, -1.0], count)
    return result


@settings(max_examples=10, deadline=None)
@given(spoilers=_SPOILED, seed=st.integers(0, 99))
def test_clean_bars_depends_neither_on_row_order_nor_on_other_tickers(
    spoilers: list[list[tuple[int, str]]], seed: int
) -> None:
    raw = _spoiled(spoilers)
    end = raw["date"].max().date()
    together = cleaned(raw.sample(frac=1, random_state=seed), end, SMALL)
    alone = cleaned(raw[raw["ticker"] == "BBB"], end, SMALL)

    _equal_bits(alone.bars, together.bars[together.bars["ticker"] == "BBB"])
    quarantine = together.quarantine
    _equal_bits(alone.quarantine, quarantine[quarantine["ticker"] == "BBB"])


def test_clean_bars_of_honest_rows_keeps_all_of_them_as_delivered() -> None:
    raw = raw_history(300)
    result = cleaned(raw)

    columns = ["ticker", "date", "open", "high", "low", "close", "volume"]
    _equal_bits(result.bars[columns], raw[columns])
    assert result.quarantine.empty
    assert result.gaps.empty
    assert not result.bars[["is_filled", "is_anomalous"]].any(axis=None)


def test_clean_bars_without_rows_returns_empty_frames_of_the_contracts() -> None:
    result = clean_bars(RAW_BARS.empty(), CleaningSettings(), SOURCE, date(2020, 1, 2), now=NOW)
    _equal_bits(result.bars, BARS.empty())
    _equal_bits(result.quarantine, QUARANTINE.empty())
    assert list(result.gaps.columns) == ["ticker", "start", "end", "sessions", "is_filled"]


def test_clean_bars_of_a_ticker_without_a_good_row_keeps_the_others() -> None:
    bad = raw_history(10, "BAD").assign(close=-1.0)
    result = cleaned(pd.concat([bad, raw_history(10)]))
    assert result.bars["ticker"].unique().tolist() == ["AAA"]
    assert result.quarantine["reason"].tolist() == ["non_positive_price"] * 10


def test_clean_bars_uses_only_rows_of_the_named_source() -> None:
    raw = pd.concat([raw_history(10), raw_history(10, "BBB").assign(source="yfinance")])
    assert cleaned(raw).bars["ticker"].unique().tolist() == ["AAA"]


def test_clean_bars_as_of_a_moment_gives_the_bars_known_then() -> None:
    first = raw_history(30)
    restated = again(first.iloc[[10]], "2025-03-01 00:00", volume=5.0)
    now_known = cleaned(pd.concat([first, restated]))
    then_known = cleaned(pd.concat([first, restated]), as_of=datetime(2025, 2, 28, tzinfo=UTC))
    assert now_known.bars["volume"].iloc[10] == 5.0
    _equal_bits(then_known.bars, cleaned(first).bars)


def test_clean_bars_of_a_vintage_from_before_and_one_from_after_a_split_are_the_same_bits() -> None:
    before = split_from(raw_history(60), 40, 4.0).round(
        {"open": 4, "high": 4, "low": 4, "close": 4}
    )
    before = changed(before, 20, dividend=0.52)
    known = before["split_ratio"].where(before.index > 39, 1.0)
    adjustment = np.where(before.index < 40, 4.0, 1.0)
    assert known.iloc[40] == 4.0
    delivered_later = again(
        before,
        "2025-02-01 00:00",
        split_adjustment=adjustment,
        volume=before["volume"] * adjustment,
        dividend=before["dividend"] / adjustment,
        **{name: before[name] / adjustment for name in ("open", "high", "low", "close")},
    )
    _equal_bits(cleaned(before).bars, cleaned(delivered_later).bars)
    _equal_bits(cleaned(before).bars, cleaned(pd.concat([before, delivered_later])).bars)


def test_clean_bars_leaves_out_rows_after_the_last_session_expected() -> None:
    raw = raw_history(30)
    end = raw["date"].iloc[20].date()
    result = cleaned(raw, end=end)
    assert len(result.bars) == 21
    assert result.quarantine.empty


def test_filled_session_repeats_the_close_on_the_split_basis_of_a_rejected_row() -> None:
    raw = changed(split_from(raw_history(30), 20, 2.0), 20, open=-1.0)
    bars = cleaned(raw).bars
    before, filled, after = (bars.iloc[row] for row in (19, 20, 21))
    assert filled["is_filled"]
    assert filled["close"] == before["close"] / 2
    assert filled["split_ratio"] == 2.0
    assert filled["total_return_factor"] == 2.0
    assert abs(after["close"] * 2 / before["close"] - 1) < 0.1


def test_dividend_of_a_rejected_row_acts_on_the_bar_that_stands_in_for_it() -> None:
    raw = changed(raw_history(30), 20, dividend=1.25, volume=-1.0)
    result = cleaned(raw)
    filled = result.bars.iloc[20]
    assert filled["is_filled"]
    assert filled["dividend"] == 1.25
    expected = 1 / (1 - 1.25 / result.bars["close"].iloc[19])
    assert filled["total_return_factor"] == pytest.approx(expected, rel=1e-15)


def test_dividend_inside_a_long_gap_acts_on_the_first_bar_after_it() -> None:
    raw = changed(raw_history(40), 15, dividend=2.0)
    for row in range(10, 20):
        raw = changed(raw, row, high=1.0, low=2.0)
    result = cleaned(raw)
    bars = result.bars.set_index("date")
    assert result.gaps[["sessions", "is_filled"]].to_numpy().tolist() == [[10, False]]
    assert len(bars) == 40 - 5
    assert bars["dividend"][raw["date"][20]] == 2.0
    assert (bars["total_return_factor"][: raw["date"][19]] == 1.0).all()


@pytest.fixture(scope="module")
def simulated() -> tuple[pd.DataFrame, date]:
    end = date(2014, 6, 30)
    choice = build_settings(source="simulated", start=date(2010, 1, 1), end=end)
    rows = ingest_bars(build_source(choice), choice.tickers, choice.start, end, NOW).rows
    return rows, end


def _clean_simulated(raw: pd.DataFrame, end: date) -> CleanedBars:
    return clean_bars(raw, CleaningSettings(), "simulated", end, now=NOW)


def test_clean_bars_of_the_simulated_market_keeps_every_row(
    simulated: tuple[pd.DataFrame, date],
) -> None:
    raw, end = simulated
    result = _clean_simulated(raw, end)
    assert result.quarantine.empty
    assert result.gaps.empty
    assert len(result.bars) == len(raw)
    assert result.bars["is_simulated"].all()


@pytest.mark.parametrize("cut", [date(2011, 3, 31), date(2012, 7, 2), date(2013, 12, 24)])
def test_bars_of_the_simulated_market_do_not_see_their_future(
    simulated: tuple[pd.DataFrame, date], cut: date
) -> None:
    raw, end = simulated
    day = pd.Timestamp(cut)
    whole = _clean_simulated(raw, end).bars
    _equal_bits(_up_to(whole, day), _clean_simulated(_up_to(raw, day), cut).bars)
    scrambled = _clean_simulated(_scrambled(raw, day, seed=1), end).bars
    _equal_bits(_up_to(whole, day), _up_to(scrambled, day))
