"""The turn of the loop that `odyssey run` takes: findings retrain once, whatever is killed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.definitions import build_defs
from odyssey_assets.forecasting.tables import CHALLENGERS
from odyssey_assets.infrastructure.driver import JobOutcome, StepEvent, open_instance, run_job
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.partitions import range_tags
from odyssey_assets.infrastructure.refresh import REFRESH_MONITORING, RETRAIN
from odyssey_assets.infrastructure.run_tags import BATCH_TAG, CAUSE_TAG
from odyssey_assets.loop import REQUESTER, retrain_what_is_due
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.requests import Batch
from odyssey_assets.settings import Settings
from odyssey_assets_tests.monitoring.retraining.found_events import (
    findings,
    plan,
    policy_findings,
    promotion,
    promotions,
)
from odyssey_assets_tests.monitoring.retraining.watched_home import (
    WatchedHome,
    job_of,
    watched_home,
)
from odyssey_assets_tests.tiny_market import TICKERS, WINDOWS, tiny_settings, warehouse_of

OPS = ("fit_challengers", "train_policy_challengers", "judge")
CONFIG: dict[str, Any] = {"ops": {op: {"config": {}} for op in OPS}}
REQUESTED, FINISHED = ("requested", ""), ("finished", "failed")


@pytest.fixture(autouse=True)
def _no_home_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment afterwards be as it was: opening an instance names its home there."""
    for name in ("DAGSTER_HOME", "ODYSSEY_HOME"):
        monkeypatch.setenv(name, "")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[WatchedHome]:
    """Return a home whose instance is stored, and whose job `retrain` decides nothing."""
    settings = watched_home(tmp_path / "home").settings
    with open_instance(home_of(settings)) as instance:
        yield WatchedHome(settings, instance)


def turn(home: WatchedHome, *, fails: bool = False, **changes: Any) -> JobOutcome | None:
    """Take the turn after all runs of the home so far."""
    run_ids = [run.run_id for run in home.instance.get_runs() if run.job_name != RETRAIN]
    return retrain_what_is_due(
        dg.Definitions(jobs=[job_of(RETRAIN, fails=fails)]),
        home.instance,
        home.settings.model_copy(update=changes),
        home.warehouse,
        run_ids,
        lambda _: None,
    )


def retrain_runs(home: WatchedHome) -> list[dg.DagsterRun]:
    return list(home.instance.get_runs(dg.RunsFilter(job_name=RETRAIN)))


def ask(home: WatchedHome, *tickers: str) -> Batch:
    """Enter in the ledger that this requester asked for a retraining; return it."""
    wanted = plan(findings(*tickers), home.ledger, requester=REQUESTER)
    home.warehouse.append(RETRAINING_EVENTS, wanted.rows)
    [batch] = wanted.batches
    return batch


def begin(home: WatchedHome, batch: Batch) -> dg.DagsterRun:
    """Return a run of a batch that is under way."""
    job = job_of(RETRAIN)
    return home.instance.create_run_for_job(
        job,
        run_config=CONFIG,
        tags={BATCH_TAG: batch.run_key},
        status=dg.DagsterRunStatus.STARTED,
    )


def test_nothing_found_is_nothing_to_do(home: WatchedHome) -> None:
    home.check("drift")
    assert turn(home) is None
    assert home.ledger.empty
    assert retrain_runs(home) == []


def test_findings_of_a_run_retrain_in_one_run_and_are_settled(home: WatchedHome) -> None:
    home.check("drift", "AAPL", "SPY")
    home.check("decay", "HYG")
    outcome = turn(home)
    assert outcome is not None
    assert outcome.is_success
    [run] = retrain_runs(home)
    assert run.run_id == outcome.run_id
    ops: Any = run.run_config["ops"]
    assert ops["fit_challengers"]["config"]["tickers"] == ["AAPL", "HYG", "SPY"]
    [batch] = set(home.ledger["batch"])
    assert ops["judge"]["config"]["batch"] == batch
    assert run.tags[BATCH_TAG] == batch
    assert run.tags[CAUSE_TAG] == ops["judge"]["config"]["cause"]
    states = [("requested", ""), ("started", ""), ("finished", "failed")]
    assert home.states() == [
        (ticker, *state) for ticker in ("AAPL", "HYG", "SPY") for state in states
    ]
    reasons = home.ledger.loc[home.ledger["state"] == "finished", "reason"]
    assert all("left no decision" in reason for reason in reasons)


def test_policy_that_decayed_is_trained_in_the_run_of_the_tickers(home: WatchedHome) -> None:
    home.check("decay", "HYG")
    home.check_policies("ppo")
    assert turn(home) is not None
    [run] = retrain_runs(home)
    ops: Any = run.run_config["ops"]
    assert ops["fit_challengers"]["config"]["tickers"] == ["HYG"]
    assert ops["train_policy_challengers"]["config"]["policies"] == ["ppo"]
    states = [("requested", ""), ("started", ""), ("finished", "failed")]
    assert home.states() == [(each, *state) for each in ("HYG", "ppo") for state in states]
    assert turn(home) is None
    assert len(retrain_runs(home)) == 1


def test_training_of_a_policy_that_was_not_settled_gets_its_decision(home: WatchedHome) -> None:
    wanted = plan(policy_findings("ppo"), home.ledger, requester=REQUESTER)
    home.warehouse.append(RETRAINING_EVENTS, wanted.rows)
    job_of(RETRAIN).execute_in_process(
        run_config=CONFIG, instance=home.instance, tags={BATCH_TAG: wanted.batches[0].run_key}
    )
    now = datetime.now(UTC)
    decided = promotions(
        promotion("ppo", "promoted", now, kind="policy"), promotion("ppo", "rejected", now)
    )
    home.warehouse.append(PROMOTIONS, decided)
    assert turn(home) is None
    assert home.states() == [("ppo", *REQUESTED), ("ppo", "finished", "promoted")]


def test_turn_taken_twice_doubles_nothing(home: WatchedHome) -> None:
    home.check("drift", "AAPL")
    assert turn(home) is not None
    before = home.ledger
    assert turn(home) is None
    pd.testing.assert_frame_equal(home.ledger, before)
    assert len(retrain_runs(home)) == 1


def test_only_the_runs_that_are_named_count(home: WatchedHome) -> None:
    home.check("drift", "AAPL")
    found = retrain_what_is_due(
        dg.Definitions(jobs=[job_of(RETRAIN)]),
        home.instance,
        home.settings,
        home.warehouse,
        [],
        lambda _: None,
    )
    assert found is None
    assert home.ledger.empty


def test_request_whose_run_never_began_is_run_under_the_same_key(home: WatchedHome) -> None:
    batch = ask(home, "AAPL", "SPY")
    assert turn(home) is not None
    [run] = retrain_runs(home)
    assert run.tags[BATCH_TAG] == batch.run_key
    assert set(home.ledger["batch"]) == {batch.run_key}
    assert [state for _, state, _ in home.states()] == ["requested", "started", "finished"] * 2
    assert turn(home) is None
    assert len(retrain_runs(home)) == 1


def test_retraining_that_was_killed_is_settled_as_failed_and_asked_for_anew(
    home: WatchedHome,
) -> None:
    run = begin(home, ask(home, "AAPL"))
    home.instance.report_run_failed(run, "The process that ran it was killed.")
    assert turn(home) is None
    assert home.states() == [("AAPL", *REQUESTED), ("AAPL", *FINISHED)]
    [reason] = home.ledger.loc[home.ledger["state"] == "finished", "reason"]
    assert "cut short" in reason
    home.check("drift", "AAPL", value=0.2)
    assert turn(home) is not None, "the next finding asks again"
    assert len(retrain_runs(home)) == 2


def test_retraining_that_ended_before_it_was_settled_is_settled(home: WatchedHome) -> None:
    batch = ask(home, "AAPL")
    done = job_of(RETRAIN).execute_in_process(
        run_config=CONFIG, instance=home.instance, tags={BATCH_TAG: batch.run_key}
    )
    assert turn(home) is None
    finished = home.ledger[home.ledger["state"] == "finished"]
    assert list(finished["run_id"]) == [done.run_id]
    assert len(retrain_runs(home)) == 1


def test_retraining_under_way_is_left_alone(home: WatchedHome) -> None:
    begin(home, ask(home, "AAPL"))
    assert turn(home) is None
    assert home.states() == [("AAPL", *REQUESTED)]
    assert len(retrain_runs(home)) == 1


def test_retraining_that_fails_says_so_in_the_ledger(home: WatchedHome) -> None:
    home.check("drift", "AAPL")
    outcome = turn(home, fails=True)
    assert outcome is not None
    assert not outcome.is_success
    [reason] = home.ledger.loc[home.ledger["state"] == "finished", "reason"]
    assert "The disk is full." in reason


def test_without_automatic_retraining_a_person_decides(home: WatchedHome) -> None:
    home.check("drift", "AAPL")
    retraining = home.settings.retraining.model_copy(update={"is_automatic": False})
    assert turn(home, retraining=retraining) is None
    assert [state for _, state, _ in home.states()] == ["suppressed"]
    assert retrain_runs(home) == []


def test_broken_market_data_is_not_fetched_again_by_the_run_that_fetched_it(
    home: WatchedHome,
) -> None:
    home.check("data_quality", "AAPL")
    assert turn(home) is None
    assert home.ledger.empty


@pytest.fixture
def drifting(tiny_copy: Path) -> Settings:
    """Return the settings of a home in which so many false alarms are allowed that all drifts."""
    changes = {"retraining": {"is_automatic": True}, "drift": {"false_alarm_rate": 0.99}}
    return tiny_settings(tiny_copy, **changes)


def test_night_that_finds_drift_fits_and_judges_challengers(drifting: Settings) -> None:
    steps: list[StepEvent] = []
    warehouse, definitions = warehouse_of(drifting), build_defs(**dict(drifting))
    cells = range_tags(f"{WINDOWS[-1]}|{TICKERS[0]}", f"{WINDOWS[-1]}|{TICKERS[-1]}")
    with open_instance(home_of(drifting)) as instance:
        night = run_job(definitions, instance, REFRESH_MONITORING, cells, steps.append)
        assert night.is_success, night.errors
        arguments = (definitions, instance, drifting, warehouse, [night.run_id], steps.append)
        outcome = retrain_what_is_due(*arguments)
        assert outcome is not None
        assert outcome.is_success, outcome.errors
        assert retrain_what_is_due(*arguments) is None
    ledger = warehouse.read(RETRAINING_EVENTS)
    assert set(ledger["ticker"]) == set(TICKERS)
    assert sorted(ledger["state"]) == ["finished"] * 2 + ["requested"] * 2 + ["started"] * 2
    finished = ledger[ledger["state"] == "finished"].set_index("ticker")
    decided = warehouse.read(PROMOTIONS).dropna(subset="event_id").set_index("subject")
    assert set(finished["event_id"]) == set(decided["event_id"])
    assert finished["outcome"].to_dict() == decided["decision"].to_dict()
    challengers = warehouse.read(CHALLENGERS)
    assert set(challengers["requested_as_of"].dt.date) == {date(2022, 6, 30)}
    assert {"fit_challengers", "judge"} <= {step.step for step in steps if step.job == RETRAIN}
