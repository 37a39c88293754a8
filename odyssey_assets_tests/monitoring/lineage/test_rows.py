"""What stood behind a weight: against rows made by hand, and hashes made with struct."""

import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.monitoring.ledgers import LINEAGE
from odyssey_assets.monitoring.lineage.rows import (
    FEATURE_NAMES,
    HASHED,
    Evidence,
    feature_hashes,
    lineage_rows,
)
from odyssey_assets_tests.market_data.raw_history import again, cleaned, raw_history
from odyssey_assets_tests.monitoring.lineage.evidence import (
    DAY,
    NOW,
    SEEN,
    features,
    small_evidence,
)

QUIET_NAN = bytes.fromhex("000000000000f87f")


def _rows(evidence: Evidence, moment: datetime = NOW) -> pd.DataFrame:
    return LINEAGE.conform(lineage_rows(evidence, "xgboost", 5, moment))


def _of(rows: pd.DataFrame, policy: str, ticker: str = "AAA") -> dict[str, Any]:
    [row] = rows[(rows["policy"] == policy) & (rows["ticker"] == ticker)].to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_feature_hash_is_that_of_the_documented_bytes() -> None:
    frame = features()
    values = [float(value) for value in frame.loc[0, list(FEATURE_NAMES)]]
    content = b"".join(
        QUIET_NAN if value != value else struct.pack("<d", value) for value in values
    )
    assert len(content) == 8 * 94
    assert feature_hashes(frame)[0] == sha256(b"AAA 2024-01-02" + content).hexdigest()


def test_feature_hash_ignores_how_null_and_zero_are_written() -> None:
    frame = features()
    other = frame.copy()
    signalling = np.frombuffer(bytes.fromhex("010000000000f4ff"), dtype="<f8")[0]
    other.loc[0, FEATURE_NAMES[1]] = signalling
    other.loc[0, FEATURE_NAMES[0]] = -0.0
    assert frame.loc[0, FEATURE_NAMES[0]] == 0.0
    assert feature_hashes(other) == feature_hashes(frame)


@given(st.integers(0, len(FEATURE_NAMES) - 1), st.sampled_from([1, -1]))
def test_feature_hash_sees_the_last_bit_of_every_feature(column: int, direction: int) -> None:
    frame = features().tail(1)
    value = frame[FEATURE_NAMES[column]].to_numpy()
    moved = frame.assign(**{FEATURE_NAMES[column]: np.nextafter(value, direction * np.inf)})
    assert feature_hashes(moved) != feature_hashes(frame)


@pytest.mark.parametrize(("column", "value"), [("ticker", "AAB"), ("date", SEEN)])
def test_feature_hash_sees_whose_row_it_is(column: str, value: object) -> None:
    assert feature_hashes(features().assign(**{column: value})) != feature_hashes(features())


def test_lineage_holds_what_each_decision_stood_on() -> None:
    rows = _rows(small_evidence())
    assert sorted(zip(rows["policy"], rows["ticker"], strict=True)) == [
        ("equal_weight", "AAA"), ("ppo", "AAA"), ("ppo", "BBB"),
    ]  # fmt: skip
    assert (rows["date"] == DAY).all(), "the next day decided nothing"
    found = _of(rows, "ppo")
    expected = {
        "target_weight": 0.2, "policy_sha256": "p1", "forecast_model": "xgboost",
        "prediction": 0.01, "forecast_sha256": "m1", "trained_as_of": SEEN,
        "features_sha256": feature_hashes(features())[0], "bar_row_sha256": "restated",
        "bar_ingested_at": pd.Timestamp("2024-01-04 01:00"), "response_sha256": "second answer",
        "recorded_at": pd.Timestamp(NOW),
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_named_vintage_is_the_one_that_cleaning_made_the_bar_of() -> None:
    first = raw_history(120)
    later = again(first.loc[20:60], "2025-01-01 22:00", close=first["close"] * 1.001)
    broken = again(first.loc[[30, 70]], "2025-01-02 22:00", volume=-1.0)
    raw = pd.concat([first, later, broken], ignore_index=True)
    bars = cleaned(raw).bars
    assert bars["is_filled"].sum() == 2
    weights = bars[["ticker", "date"]].assign(
        policy="ppo", is_decision=True, target_weight=0.1, model_sha256="p"
    )
    empty = small_evidence()
    evidence = Evidence(weights, empty.predictions, empty.features, bars, raw)
    rows = _rows(evidence).merge(bars, on=["ticker", "date"])
    assert (rows["bar_row_sha256"].isna() == rows["is_filled"]).all()
    named = rows.merge(
        raw, left_on=["bar_row_sha256"], right_on=["row_sha256"], suffixes=("", "_sent")
    )
    assert len(named) == len(bars) - 2
    gap = (named["close"] - named["close_sent"]).abs()
    assert (gap < 1e-4).all(), "cleaning rounds; answers lie 0.1 apart"
    assert (named["bar_ingested_at"] == named["ingested_at"]).all()
    assert named["ingested_at"].nunique() == 2, "some bars are of the later answer"


def test_lineage_of_a_rule_names_no_policy_model() -> None:
    assert pd.isna(_of(_rows(small_evidence()), "equal_weight")["policy_sha256"])


def test_lineage_is_null_where_nothing_was_forecast_computed_or_delivered() -> None:
    row = _of(_rows(small_evidence()), "ppo", "BBB")
    absent = (
        "forecast_model", "prediction", "forecast_sha256", "trained_as_of", "features_sha256",
        "bar_row_sha256", "bar_ingested_at", "response_sha256",
    )  # fmt: skip
    assert all(pd.isna(row[name]) for name in absent), "it has a filled bar and nothing else"


def test_lineage_hash_is_that_of_the_documented_text() -> None:
    row = _of(_rows(small_evidence()), "ppo")
    texts = [
        "ppo", "AAA", "2024-01-02", "0.2", "p1", "xgboost", "0.01", "m1", "2023-12-29",
        row["features_sha256"], "restated",
    ]  # fmt: skip
    assert row["lineage_sha256"] == sha256("\n".join(texts).encode()).hexdigest()
    assert len(texts) == len(HASHED)


def test_lineage_hash_depends_on_content_and_not_on_moments_or_order() -> None:
    evidence = small_evidence()
    before = set(_rows(evidence)["lineage_sha256"])
    backwards = Evidence(*(frame.iloc[::-1] for frame in vars(evidence).values()))
    assert set(_rows(backwards, NOW + timedelta(days=9))["lineage_sha256"]) == before


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("weights", "target_weight", 0.15),
        ("weights", "model_sha256", "p2"),
        ("predictions", "prediction", 0.011),
        ("predictions", "model_sha256", "m2"),
        ("predictions", "trained_as_of", pd.Timestamp("2023-12-28")),
        ("features", FEATURE_NAMES[5], 1.5),
        ("raw_bars", "row_sha256", "restated again"),
    ],
)
def test_lineage_of_a_restated_past_is_another_row(table: str, column: str, value: object) -> None:
    evidence = small_evidence()
    changed = replace(evidence, **{table: getattr(evidence, table).assign(**{column: value})})
    before, after = _of(_rows(evidence), "ppo"), _of(_rows(changed), "ppo")
    assert before["lineage_sha256"] != after["lineage_sha256"]


def test_lineage_of_nothing_is_nothing() -> None:
    evidence = small_evidence()
    assert _rows(Evidence(*(frame.iloc[:0] for frame in vars(evidence).values()))).empty
    bare = Evidence(evidence.weights, *(f.iloc[:0] for f in list(vars(evidence).values())[1:]))
    assert len(_rows(bare)) == 3


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2024, 1, 4, 23, 0, tzinfo=UTC),
        datetime(2024, 1, 4, 18, 0, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_lineage_is_recorded_in_utc(moment: datetime) -> None:
    assert (_rows(small_evidence(), moment)["recorded_at"] == pd.Timestamp(NOW)).all()
