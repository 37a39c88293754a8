"""Decisions as rows: identity, numbers, order."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.promotion.champions import VersionRef
from odyssey_assets.monitoring.promotion.entries import Decision, entries_of
from odyssey_assets.monitoring.promotion.gate import Figures, Verdict

NOW = datetime(2024, 11, 1, 22, tzinfo=UTC)
PLAIN = Decision(
    kind="forecaster",
    subject="SPY",
    window=Window(date(2024, 7, 1)),
    as_of=date(2024, 11, 1),
    decision="pending",
    is_champion=False,
    model=VersionRef("xgboost/SPY/a", "a", "data"),
    reason="It waits.",
    cause="schedule",
    actor="gate",
)
DAYS = np.array(["2024-10-01", "2024-10-02"], dtype="datetime64[us]")
FULL = replace(
    PLAIN,
    decision="promoted",
    is_champion=True,
    serves_after=date(2024, 11, 1),
    event_id="event",
    predecessor=VersionRef("xgboost/SPY/b", "b"),
    held_against="b",
    verdict=Verdict("passed", "", DAYS, Figures(1.0, 0.1, 0.02), Figures(0.5, 0.0, 0.03), 0.7),
)


def written(*decisions: Decision, ledger: pd.DataFrame | None = None) -> pd.DataFrame:
    return entries_of(decisions, PROMOTIONS.empty() if ledger is None else ledger, "automatic", NOW)


def test_rows_fulfil_the_contract_with_and_without_figures() -> None:
    for decisions in ([PLAIN], [FULL], [PLAIN, FULL]):
        rows = written(*decisions)
        pd.testing.assert_frame_equal(
            PROMOTIONS.conform(rows), rows.sort_values("decision_id", ignore_index=True)
        )
    (plain,) = written(PLAIN).to_dict("records")
    assert pd.isna(plain["serves_after"])
    assert pd.isna(plain["unseen_sessions"])
    assert pd.isna(plain["challenger_rmse"])
    (full,) = written(FULL).to_dict("records")
    assert (full["unseen_sessions"], full["p_value_worse"]) == (2, 0.7)
    assert (full["first_unseen"], full["last_unseen"]) == tuple(map(pd.Timestamp, DAYS))
    assert (full["challenger_sharpe"], full["incumbent_rmse"]) == (1.0, 0.03)


def test_same_decision_is_written_once() -> None:
    first = written(PLAIN, PLAIN)
    assert len(first) == 1
    assert written(PLAIN, ledger=first).empty
    other_day = replace(PLAIN, as_of=date(2024, 11, 4))
    other_decision = replace(PLAIN, decision="rejected")
    assert len(written(PLAIN, other_day, other_decision, ledger=first)) == 2


def test_versions_count_the_subjects_models_in_order_of_their_first_mention() -> None:
    def of(model: str, subject: str, decision: str = "pending") -> Decision:
        model_ref = VersionRef(f"xgboost/{subject}/{model}", model)
        return replace(PLAIN, model=model_ref, subject=subject, decision=decision)

    first = written(of("a", "SPY"), of("z", "QQQ"), of("b", "SPY"), of("a", "SPY", "promoted"))
    assert list(first["model_version"]) == [1, 1, 2, 1]
    second = written(of("b", "SPY", "promoted"), of("c", "SPY"), ledger=first)
    assert list(second["model_version"]) == [2, 3]


def test_every_row_has_a_later_moment_than_all_before() -> None:
    first = written(PLAIN, FULL)
    assert first["recorded_at"].is_monotonic_increasing
    assert first["recorded_at"].is_unique
    assert first["recorded_at"].iloc[0] == pd.Timestamp("2024-11-01 22:00")
    later = replace(PLAIN, as_of=date(2024, 11, 4))
    earlier_clock = NOW - timedelta(days=30)
    (row,) = entries_of([later], first, "manual", earlier_clock).to_dict("records")
    assert row["recorded_at"] > first["recorded_at"].max()
    assert row["mode"] == "manual"


def test_moments_are_utc() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=-4)))
    naive = NOW.replace(tzinfo=None)
    for now in (local, naive):
        rows = entries_of([PLAIN], PROMOTIONS.empty(), "automatic", now)
        assert rows["recorded_at"].iloc[0] == pd.Timestamp("2024-11-01 22:00")
