import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.features.catalog import FEATURES
from odyssey_assets.features.computation import compute_features
from odyssey_assets.features.labels import compute_labels
from odyssey_assets.features.tables import CLIP_THRESHOLDS, HORIZONS_SESSIONS
from odyssey_assets_tests.features.markets import market_settings, small_market
from odyssey_assets_tests.no_lookahead.harness import (
    ROWS,
    Market,
    cut,
    leaking_columns,
    random_days,
    scrambled,
)

CANARIES = ("canary_next_close", "canary_whole_sample_mean", "canary_backfilled")
WINDOW_BOUNDARIES = (pd.Timestamp("2012-06-29"), pd.Timestamp("2012-12-31"))


@pytest.fixture(scope="module")
def market() -> Market:
    return small_market()


@pytest.fixture(scope="module")
def days(market: Market) -> list[pd.Timestamp]:
    return [*random_days(market.bars["date"], count=6, seed=1), *WINDOW_BOUNDARIES]


def features_with_canaries(market: Market) -> pd.DataFrame:
    features = compute_features(market.bars, market.macro, market_settings()).features
    close = market.bars["close"]
    canaries = (
        close.groupby(market.bars["ticker"]).shift(-1),
        close - close.mean(),
        features["sma_200"].groupby(features["ticker"]).bfill(),
    )
    return features.assign(**dict(zip(CANARIES, canaries, strict=True)))


@pytest.fixture(scope="module")
def leaks(market: Market, days: list[pd.Timestamp]) -> dict[str, str]:
    return leaking_columns(features_with_canaries, market, days)


@pytest.mark.parametrize("name", [ROWS, *(spec.name for spec in FEATURES)])
def test_feature_on_cut_and_scrambled_history_keeps_every_bit(
    name: str, leaks: dict[str, str]
) -> None:
    assert name not in leaks, f"{name} changed when history was {leaks[name]}"


@pytest.mark.parametrize("name", CANARIES)
def test_canary_that_leaks_is_caught(name: str, leaks: dict[str, str]) -> None:
    assert name in leaks


def test_every_feature_has_values_where_history_was_cut(
    market: Market, days: list[pd.Timestamp]
) -> None:
    features = compute_features(market.bars, market.macro, market_settings()).features
    at_cuts = features.loc[features["date"].isin(days)]

    assert at_cuts.notna().any().all()


def test_scrambled_future_changes_every_feature(market: Market) -> None:
    day = pd.Timestamp("2012-03-15")
    other = scrambled(market, day, seed=0)
    whole = compute_features(market.bars, market.macro, market_settings()).features
    found = compute_features(other.bars, other.macro, market_settings()).features

    merged = whole.merge(found, on=["ticker", "date"], suffixes=("", "_other"))
    later = merged.loc[merged["date"] > day]

    unchanged = [
        spec.name for spec in FEATURES if later[spec.name].equals(later[f"{spec.name}_other"])
    ]
    assert unchanged == []


def test_clip_thresholds_on_cut_and_scrambled_history_keep_every_bit(
    market: Market, days: list[pd.Timestamp]
) -> None:
    def thresholds(market: Market) -> pd.DataFrame:
        return compute_features(market.bars, market.macro, market_settings()).clip_thresholds

    assert leaking_columns(thresholds, market, days) == {}
    assert set(thresholds(market).columns) == set(CLIP_THRESHOLDS.column_names)
    assert thresholds(market)["is_clipped"].any()


@pytest.mark.parametrize("horizon", HORIZONS_SESSIONS)
def test_label_on_cut_history_is_null_exactly_until_known(
    market: Market, days: list[pd.Timestamp], horizon: int
) -> None:
    name = f"forward_return_{horizon}d"
    whole = compute_labels(market.bars, market_settings().labels)
    for day in days:
        known = compute_labels(cut(market, day).bars, market_settings().labels)
        expected = whole.loc[whole["date"] <= day].reset_index(drop=True)
        sessions_left = known.groupby("ticker").cumcount(ascending=False)
        is_known = sessions_left >= horizon

        assert (known[name].notna() == is_known).all()
        assert hash_frame(known.loc[is_known, [name]]) == hash_frame(expected.loc[is_known, [name]])
        if horizon == 5:
            assert (known["direction_5d"].notna() == is_known).all()
            assert known.loc[is_known, "direction_5d"].equals(
                expected.loc[is_known, "direction_5d"]
            )


def test_known_labels_on_scrambled_future_keep_every_bit(
    market: Market, days: list[pd.Timestamp]
) -> None:
    whole = compute_labels(market.bars, market_settings().labels)
    for seed, day in enumerate(days):
        other = compute_labels(scrambled(market, day, seed).bars, market_settings().labels)
        past, other_past = (
            frame.loc[frame["date"] <= day].reset_index(drop=True) for frame in (whole, other)
        )
        sessions_left = past.groupby("ticker").cumcount(ascending=False).to_numpy()
        for horizon in HORIZONS_SESSIONS:
            columns = [f"forward_return_{horizon}d"]
            is_known = np.asarray(sessions_left >= horizon)
            assert hash_frame(past.loc[is_known, columns]) == hash_frame(
                other_past.loc[is_known, columns]
            )
