from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.features.catalog import FEATURES
from odyssey_assets.features.computation import compute_features
from odyssey_assets.features.spec import FeatureSpec
from odyssey_assets.features.tables import CLIP_THRESHOLDS, FEATURES_TABLE
from odyssey_assets_tests.features.markets import (
    DIVIDEND_DATE,
    END,
    LATE,
    PLAIN,
    PROXY,
    SPLIT_DATE,
    START,
    market_settings,
    small_market,
    ticker_bars,
)
from odyssey_assets_tests.no_lookahead.harness import Market, cut

Oddity = Literal["flat", "idle", "jump", "tiny", "huge", "trend", "random"]
ODDITIES: tuple[Oddity, ...] = ("flat", "idle", "jump", "tiny", "huge", "trend", "random")
NOT_AT_LOOKBACK = {"regime", "regime_duration", "regime_strength"}
"""Known from the first window on with enough sessions behind it."""


@pytest.fixture(scope="module")
def market() -> Market:
    return small_market()


@pytest.fixture(scope="module")
def features(market: Market) -> pd.DataFrame:
    return compute_features(market.bars, market.macro, market_settings()).features


def test_frames_fulfil_their_contracts(market: Market) -> None:
    frames = compute_features(market.bars, market.macro, market_settings())

    for contract, frame in (
        (FEATURES_TABLE, frames.features),
        (CLIP_THRESHOLDS, frames.clip_thresholds),
    ):
        pd.testing.assert_frame_equal(contract.conform(frame), frame)
        pd.testing.assert_frame_equal(frame[["ticker", "date"]], market.bars[["ticker", "date"]])


@pytest.mark.parametrize("spec", FEATURES, ids=lambda spec: spec.name)
@pytest.mark.parametrize("ticker", [PLAIN, PROXY])
def test_first_value_comes_when_the_lookback_is_filled(
    spec: FeatureSpec, ticker: str, features: pd.DataFrame
) -> None:
    values = features.loc[features["ticker"] == ticker, spec.name].to_numpy()
    first = int(np.argmax(~np.isnan(values)))

    if spec.name in NOT_AT_LOOKBACK:
        assert first >= spec.lookback - 1
    else:
        assert first == spec.lookback - 1
    assert not np.isnan(values[first:]).any()


def test_ten_increments_across_split_dividend_and_window_equal_one_backfill(
    market: Market, features: pd.DataFrame
) -> None:
    last_days = sessions_between(START, END)[-10:]
    assert last_days[0] < pd.Timestamp("2013-01-01") < pd.Timestamp(SPLIT_DATE)
    assert pd.Timestamp(DIVIDEND_DATE) < last_days[-1]

    for day in last_days:
        known = cut(market, day)
        found = compute_features(known.bars, known.macro, market_settings()).features
        today = found.loc[found["date"] == day].reset_index(drop=True)
        expected = features.loc[features["date"] == day].reset_index(drop=True)
        assert hash_frame(today) == hash_frame(expected)


def test_subset_of_tickers_equals_their_rows_of_the_whole(
    market: Market, features: pd.DataFrame
) -> None:
    frames = compute_features(market.bars, market.macro, market_settings(), [LATE, PLAIN, "ABSENT"])
    expected = features.loc[features["ticker"].isin([LATE, PLAIN])].reset_index(drop=True)

    assert hash_frame(frames.features) == hash_frame(expected)
    assert frames.clip_thresholds["ticker"].tolist() == expected["ticker"].tolist()


def test_no_ticker_chosen_gives_empty_tables(market: Market) -> None:
    frames = compute_features(market.bars, market.macro, market_settings(), [])

    assert FEATURES_TABLE.conform(frames.features).empty
    assert CLIP_THRESHOLDS.conform(frames.clip_thresholds).empty


def test_no_bars_give_empty_tables(market: Market) -> None:
    frames = compute_features(market.bars.iloc[:0], market.macro, market_settings())

    assert frames.features.empty
    assert tuple(frames.features.columns) == FEATURES_TABLE.column_names
    assert frames.clip_thresholds.empty


def test_shuffled_input_gives_the_same_bits(market: Market, features: pd.DataFrame) -> None:
    bars = market.bars.sample(frac=1.0, random_state=5)
    macro = market.macro.sample(frac=1.0, random_state=6)

    found = compute_features(bars, macro, market_settings()).features

    assert hash_frame(found) == hash_frame(features)


def test_late_listing_starts_null_and_fills_by_its_own_rows(features: pd.DataFrame) -> None:
    late = features.loc[features["ticker"] == LATE].reset_index(drop=True)

    for spec in FEATURES:
        if spec.group != "regime":
            assert late[spec.name].first_valid_index() == spec.lookback - 1


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_ticker_with_few_rows_has_nulls_and_no_failure(rows: int, market: Market) -> None:
    calendar = sessions_between(START, END)
    young = ticker_bars("YOUNG", calendar[-rows:], np.random.default_rng(0))
    bars = pd.concat([market.bars, young], ignore_index=True)

    found = compute_features(bars, market.macro, market_settings(), ["YOUNG"]).features

    for spec in FEATURES:
        if spec.group != "regime":
            assert found[spec.name].notna().sum() == max(0, rows - spec.lookback + 1)


def test_single_ticker_universe_without_macro_has_what_it_can(market: Market) -> None:
    bars = market.bars.loc[market.bars["ticker"] == PLAIN].reset_index(drop=True)
    found = compute_features(bars, market.macro.iloc[:0], market_settings()).features

    assert (found["market_breadth"].dropna().isin([0.0, 1.0])).all()
    for spec in FEATURES:
        has_values = found[spec.name].notna().any()
        assert has_values == (not {"proxy", "macro"} & set(spec.inputs))


def odd_bars(oddity: Oddity, seed: int) -> pd.DataFrame:
    """Return bars of 330 sessions of which the middle is odd."""
    bars = ticker_bars(PLAIN, sessions_between(START, END)[:330], np.random.default_rng(seed))
    prices = ["open", "high", "low", "close"]
    middle = bars.index[100:200]
    if oddity in ("flat", "idle"):
        bars.loc[middle, prices] = bars.loc[99, "close"]
        bars.loc[middle, "total_return_factor"] = bars.loc[99, "total_return_factor"]
    if oddity == "idle":
        bars.loc[middle, "volume"] = 0.0
    if oddity == "jump":
        bars.loc[150:, prices] *= 1e4
    if oddity in ("tiny", "huge"):
        bars.loc[:, prices] *= 1e-6 if oddity == "tiny" else 1e7
        bars.loc[:, "volume"] *= 1e-3 if oddity == "tiny" else 1e6
    if oddity == "trend":
        bars.loc[:, "close"] = 1.5 ** np.arange(len(bars), dtype=np.float64)
        bars.loc[:, "open"] = bars.loc[:, "high"] = bars.loc[:, "low"] = bars["close"]
    return bars


@given(st.sampled_from(ODDITIES), st.integers(0, 10_000))
@settings(deadline=None, max_examples=30)
def test_features_of_odd_bars_stay_finite_and_in_range(oddity: Oddity, seed: int) -> None:
    bars = odd_bars(oddity, seed)
    macro = small_market().macro
    found = compute_features(bars, macro, market_settings(proxy=PLAIN)).features

    assert not np.isinf(found.drop(columns=["ticker", "date"]).to_numpy()).any()
    for spec in FEATURES:
        values = found[spec.name].dropna()
        assert spec.minimum is None or (values >= spec.minimum).all(), spec.name
        assert spec.maximum is None or (values <= spec.maximum).all(), spec.name


def test_flat_and_idle_bars_give_neutral_or_null_features() -> None:
    bars = odd_bars("idle", seed=1)
    row = compute_features(bars, small_market().macro, market_settings()).features.loc[199]

    neutral = {
        "bb_position_20": 0.5, "realized_vol_20": 0.0, "return_std_60": 0.0, "cci_20": 0.0,
        "williams_r_14": 0.0, "stochastic_k_14": 0.0, "mfi_14": 0.0, "parkinson_vol_20": 0.0,
        "return_20d": 0.0, "demeaned_return_60": 0.0,
    }  # fmt: skip
    null = (
        "vwap_20", "close_to_vwap_20", "sharpe_20", "sharpe_60", "vol_ratio_20_60",
        "volume_to_sma_20", "volume_trend_5", "volume_zscore_20", "chaikin_money_flow_20",
        "volume_weighted_momentum_20", "amihud_illiquidity_20",
    )  # fmt: skip
    assert row[list(neutral)].to_dict() == pytest.approx(neutral, abs=1e-9)
    assert row[list(null)].isna().all()
