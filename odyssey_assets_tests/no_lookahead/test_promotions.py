"""Decisions about who serves rest on nothing that was not known on the day they were taken."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.monitoring.promotion.evidence import KNOWN_SINCE, Evidence
from odyssey_assets.monitoring.promotion.judging import judge
from odyssey_assets.monitoring.promotion.occasion import Occasion
from odyssey_assets.settings import Settings
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    HORIZON,
    NOW,
    Courtroom,
    settings_of,
    sha_of,
)
from odyssey_assets_tests.monitoring.promotion.policy_bench import LEAD, OWN, PolicyBench

EARLIER = date(2023, 12, 29)
PROMOTED, WAITS = date(2024, 8, 30), date(2024, 11, 29)
FIT_DAYS = (date(2024, 8, 30), date(2024, 10, 31))
DAYS = [
    date(2024, 7, 8), date(2024, 8, 30), date(2024, 9, 17), date(2024, 10, 14),
    date(2024, 10, 31), date(2024, 12, 2),
]  # fmt: skip
TOLERANT = {"sharpe_tolerance": 10.0, "min_unseen_returns": 20, "rollback_sessions": 70}


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """Return two windows of a ticker and of a policy, each with challengers, some decaying."""
    court = Courtroom()
    court.serve("old", 0.5, after=EARLIER)
    court.serve("fold", 0.2)
    for at, (day, skill) in enumerate(zip(FIT_DAYS, (0.9, -0.5), strict=True)):
        unseen = court.session_before(day, 20 + HORIZON)
        court.challenge(f"new-{at}", skill, as_of=day, stand_in_as_of=unseen)
    court.decay("new-0", date(2024, 10, 14))
    plant_policies(PolicyBench(court))
    return court.evidence


def plant_policies(bench: PolicyBench) -> None:
    """Let one policy be promoted and decay, another be rejected, and a third one wait."""
    bench.plant(0.0)
    bench.serve(OWN, 0.0, until=PROMOTED)
    bench.serve("lucky", -LEAD, after=PROMOTED)
    bench.try_out(OWN, "predecessor", 0.0, PROMOTED)
    for name, lead, day, returns in (
        ("lucky", LEAD, PROMOTED, 20), ("poor", -3 * LEAD, FIT_DAYS[1], 20), ("new", LEAD, WAITS, 5)
    ):  # fmt: skip
        unseen = bench.court.session_before(day, returns + 1)
        bench.challenge(name, lead, as_of=day, stand_in_as_of=unseen)
    bench.decay("lucky", DAYS[-1])


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_of(tmp_path_factory.mktemp("home"), **TOLERANT)


def cut(evidence: Evidence, day: date) -> Evidence:
    """Return the tables as they were stored on a day: without the outcomes of later sessions."""
    known = {
        table: rows[rows[column] <= pd.Timestamp(day)].reset_index(drop=True)
        for table, column in KNOWN_SINCE.items()
        for rows in (getattr(evidence, table),)
    }
    last = known["labels"].index >= len(known["labels"]) - HORIZON
    known["labels"].loc[last, f"forward_return_{HORIZON}d"] = np.nan
    return replace(evidence, **known)


def scrambled(evidence: Evidence, day: date, seed: int) -> Evidence:
    """Return the tables with another future: every number of later rows, and later outcomes."""
    generator = np.random.default_rng(seed)
    altered = {}
    for table, column in KNOWN_SINCE.items():
        rows = getattr(evidence, table).copy()
        is_later = rows[column] > pd.Timestamp(day)
        for name in rows.columns[rows.dtypes == np.float64]:
            noise = generator.uniform(0.5, 2.0, int(is_later.sum()))
            rows.loc[is_later, name] = rows.loc[is_later, name] * noise
        for name in rows.columns[rows.dtypes == np.bool_]:
            rows.loc[is_later, name] = ~rows.loc[is_later, name]
        altered[table] = rows
    outcome = altered["labels"][f"forward_return_{HORIZON}d"]
    known = int((evidence.bars["date"] <= pd.Timestamp(day)).sum()) - HORIZON
    outcome.iloc[known:] = generator.normal(0, 1, len(outcome) - known)
    return replace(evidence, **altered)


def story(evidence: Evidence, settings: Settings, last: date) -> pd.DataFrame:
    """Return the ledger after a judgement on each of the days up to `last`."""
    for at, day in enumerate(day for day in DAYS if day <= last):
        occasion = Occasion(NOW + timedelta(days=at))
        rows = judge(evidence, day, occasion, settings)
        evidence = replace(evidence, ledger=pd.concat([evidence.ledger, rows], ignore_index=True))
    return evidence.ledger


def test_the_story_has_every_kind_of_decision(evidence: Evidence, settings: Settings) -> None:
    whole = story(evidence, settings, DAYS[-1])
    of_kind = whole.groupby("kind")["decision"].agg(set).to_dict()
    assert of_kind == {
        "forecaster": {"succeeded", "promoted", "rejected"},
        "policy": {"unproven", "promoted", "rejected", "rolled_back", "pending"},
    }
    assert sha_of("new-0") in set(whole["model_sha256"])


def test_every_table_says_something_after_the_first_day_and_before_the_last(
    evidence: Evidence,
) -> None:
    for table, column in KNOWN_SINCE.items():
        days = getattr(evidence, table)[column]
        assert days.min() <= pd.Timestamp(DAYS[-1])
        assert table in ("folds", "policies") or days.max() > pd.Timestamp(DAYS[0])


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_decisions_of_a_day_are_the_same_without_and_with_another_future(
    evidence: Evidence, settings: Settings, day: date
) -> None:
    expected = story(evidence, settings, day)
    pd.testing.assert_frame_equal(story(cut(evidence, day), settings, day), expected)
    for seed in range(2):
        altered = scrambled(evidence, day, seed)
        pd.testing.assert_frame_equal(story(altered, settings, day), expected)


def test_the_test_finds_a_judgement_that_looks_ahead(
    evidence: Evidence, settings: Settings, tmp_path: Path
) -> None:
    day = DAYS[1]
    ahead = settings_of(tmp_path, **TOLERANT)
    honest = judge(evidence, day, Occasion(NOW), settings)
    leaking = judge(evidence, day + timedelta(days=30), Occasion(NOW), ahead)
    assert not honest.equals(leaking)
