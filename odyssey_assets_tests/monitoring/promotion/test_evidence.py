"""Which sessions count: seen by neither side, the outcome known."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.monitoring.promotion.evidence import KNOWN_SINCE, ticker_evidence
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    BEFORE,
    HORIZON,
    LITTLE,
    TICKER,
    Courtroom,
    sha_of,
)
from odyssey_assets_tests.monitoring.promotion.policy_bench import OWN, PolicyBench, policy_sha

TODAY = date(2024, 10, 31)
FIT = date(2024, 9, 16)


@pytest.fixture(scope="module")
def court() -> Courtroom:
    court = Courtroom(today=TODAY)
    court.serve("fold", 0.5)
    court.try_out("fold", "fold", 0.5, BEFORE)
    court.challenge("new", 0.5, as_of=FIT)
    bench = PolicyBench(court)
    bench.plant(0.0)
    bench.serve()
    for day in (FIT, TODAY):
        bench.challenge(f"policy of {day}", 0.0, as_of=day)
        bench.decay(OWN, day)
        court.decay("fold", day)
    return court


def test_pair_has_exactly_the_sessions_that_neither_saw_and_whose_outcome_is_known(
    court: Courtroom,
) -> None:
    own = ticker_evidence(court.evidence.until(TODAY), TICKER, HORIZON)
    pair = own.pair(own.forecasts_of(sha_of("new")), own.forecasts_of(sha_of("fold")))
    sessions = court.sessions[court.sessions <= pd.Timestamp(TODAY)]
    expected = sessions[sessions > pd.Timestamp(FIT)][:-HORIZON]
    assert list(pair.sessions) == list(expected.to_numpy())
    bars = court.evidence.bars.set_index("date").loc[expected]
    assert list(pair.opens) == list(adjusted_bars(bars)["open"])
    labels = court.evidence.labels.set_index("date")[f"forward_return_{HORIZON}d"]
    assert list(pair.outcome) == list(labels.loc[expected])
    assert list(pair.challenger) == list(court.forecasts("new", 0.5, LITTLE).loc[expected])
    assert list(pair.incumbent) == list(court.forecasts("fold", 0.5, LITTLE).loc[expected])


def test_pair_can_be_cut_at_both_ends(court: Courtroom) -> None:
    own = ticker_evidence(court.evidence.until(TODAY), TICKER, HORIZON)
    new, fold = own.forecasts_of(sha_of("new")), own.forecasts_of(sha_of("fold"))
    whole = own.pair(new, fold)
    assert list(own.pair(new, fold, newest=7).sessions) == list(whole.sessions[-7:])
    after = whole.sessions[3].astype("datetime64[D]").item()
    assert list(own.pair(new, fold, after=after).sessions) == list(whole.sessions[4:])
    assert len(own.pair(new, fold, after=TODAY)) == 0


def test_forecast_of_a_session_that_the_model_had_seen_does_not_count(court: Courtroom) -> None:
    trials = court.evidence.trials.copy()
    is_new = trials["model_sha256"] == sha_of("new")
    seen_up_to = pd.Timestamp("2024-10-01")
    trials.loc[is_new, "trained_as_of"] = seen_up_to
    altered = Courtroom(today=TODAY)
    altered.evidence = type(court.evidence)(**{**vars(court.evidence), "trials": trials})
    own = ticker_evidence(altered.evidence.until(TODAY), TICKER, HORIZON)
    assert own.forecasts_of(sha_of("new")).index.min() > seen_up_to


def test_outcome_is_unknown_until_its_last_session_is_over(court: Courtroom) -> None:
    own = ticker_evidence(court.evidence.until(TODAY), TICKER, HORIZON)
    assert np.isnan(own.outcome[-HORIZON:]).all()
    assert not np.isnan(own.outcome[:-HORIZON]).any()
    assert own.as_of == own.last_forecast == TODAY


def test_evidence_of_a_day_has_no_later_row_but_the_whole_ledger(court: Courtroom) -> None:
    ledger = pd.DataFrame({"as_of": [pd.Timestamp("2030-01-02")]})
    evidence = type(court.evidence)(**{**vars(court.evidence), "ledger": ledger})
    known = evidence.until(FIT)
    for table, column in KNOWN_SINCE.items():
        rows = getattr(known, table)
        assert rows[column].max() <= pd.Timestamp(FIT)
        assert len(rows) > 0
        is_whole = table in ("challengers", "folds", "policies")
        assert is_whole or len(rows) < len(getattr(evidence, table))
    assert len(known.ledger) == 1


def test_evidence_names_every_model_there_is(court: Courtroom) -> None:
    named = {sha for rows in court.evidence.fitted for sha in rows["model_sha256"]}
    policies = {policy_sha(f"policy of {day}") for day in (FIT, TODAY)}
    assert named >= {sha_of("fold"), sha_of("new"), policy_sha(OWN), *policies}


def test_served_forecasts_are_those_of_the_forecaster_whoever_made_them(court: Courtroom) -> None:
    own = ticker_evidence(court.evidence.until(TODAY), TICKER, HORIZON)
    served = own.served("xgboost")
    predictions = court.evidence.predictions
    is_its = (predictions["model"] == "xgboost") & (predictions["date"] <= pd.Timestamp(TODAY))
    assert list(served) == list(predictions.loc[is_its].sort_values("date")["prediction"])
    assert own.served("nobody").empty
