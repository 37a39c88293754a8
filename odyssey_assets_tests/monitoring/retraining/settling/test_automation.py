"""Whatever was asked for is settled, whoever ran it and however it ended."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from dagster._core.storage.tags import WILL_RETRY_TAG

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.infrastructure.run_tags import CAUSE_TAG, SCHEDULE_TAG
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.retraining.automation import (
    ON_DRIFT,
    ON_FAILED_CHECK,
    ON_NEW_WINDOW,
)
from odyssey_assets.monitoring.retraining.requests import retrain_config
from odyssey_assets.monitoring.retraining.settling.automation import ON_RETRAINING
from odyssey_assets_tests.monitoring.retraining.found_events import (
    KNOWN,
    bar,
    promotion,
    promotions,
)
from odyssey_assets_tests.monitoring.retraining.watched_home import (
    WatchedHome,
    config_of,
    job_of,
    watched_home,
)


@pytest.fixture
def home(tmp_path: Path) -> WatchedHome:
    """Return a home in which nothing was found yet."""
    return watched_home(tmp_path / "home")


def store_bars(home: WatchedHome, *frames: pd.DataFrame) -> None:
    home.warehouse.replace(BARS, pd.concat(frames), (WHOLE_TABLE,))


def decide(home: WatchedHome, subject: str, decision: str, kind: str = "forecaster") -> None:
    rows = promotions(promotion(subject, decision, datetime.now(UTC), kind=kind))
    home.warehouse.append(PROMOTIONS, rows)


def test_retraining_that_ended_has_the_gates_outcome(home: WatchedHome) -> None:
    home.check("drift", "INTC", "HYG")
    (request,) = home.tick(ON_DRIFT).requests
    run_id = home.launch(request)
    decide(home, "INTC", "promoted")
    decide(home, "HYG", "rejected")
    home.tick(ON_RETRAINING)
    assert [entry for entry in home.states() if entry[1] == "finished"] == [
        ("HYG", "finished", "rejected"), ("INTC", "finished", "promoted"),
    ]  # fmt: skip
    assert set(home.ledger["state"]) == {"requested", "started", "finished"}
    assert set(home.ledger["run_id"].dropna()) == {run_id}
    before = home.ledger
    home.tick(ON_RETRAINING)
    pd.testing.assert_frame_equal(home.ledger, before)


def test_retraining_under_way_is_started_and_not_finished(home: WatchedHome) -> None:
    home.check("drift", "INTC")
    (request,) = home.tick(ON_DRIFT).requests
    home.instance.create_run_for_job(
        job_of("retrain"), run_config=dict(request.run_config), tags=dict(request.tags)
    )
    home.tick(ON_RETRAINING)
    assert home.states() == [("INTC", "requested", ""), ("INTC", "started", "")]


def test_request_without_a_run_is_left_to_whoever_asked(home: WatchedHome) -> None:
    home.check("drift", "INTC")
    home.tick(ON_DRIFT)
    home.tick(ON_RETRAINING)
    assert home.states() == [("INTC", "requested", "")]


def test_retraining_that_fails_says_why_and_may_be_tried_again(home: WatchedHome) -> None:
    home.check("drift", "INTC")
    (request,) = home.tick(ON_DRIFT).requests
    home.launch(request, fails=True)
    home.tick(ON_RETRAINING)
    assert home.states()[-1] == ("INTC", "finished", "failed")
    assert "The disk is full." in home.ledger["reason"].dropna().item()
    assert home.tick(ON_DRIFT).requests == ()
    home.check("drift", "INTC", as_of="2024-10-01")
    (again,) = home.tick(ON_DRIFT).requests
    assert again.run_key != request.run_key


def test_failure_that_dagster_will_repeat_is_waited_for(home: WatchedHome) -> None:
    home.check("drift", "INTC")
    (request,) = home.tick(ON_DRIFT).requests
    tags = {**request.tags, WILL_RETRY_TAG: "true"}
    home.launch(request.with_replaced_attrs(tags=tags), fails=True)
    home.tick(ON_RETRAINING)
    assert home.states()[-1] == ("INTC", "started", "")
    home.launch(request)
    decide(home, "INTC", "pending")
    home.tick(ON_RETRAINING)
    assert home.states()[-1] == ("INTC", "finished", "pending")


def test_unchanged_bars_settle_the_finding(home: WatchedHome) -> None:
    store_bars(home, bar("INTC", 1.0))
    home.check("data_quality", "INTC")
    (request,) = home.tick(ON_FAILED_CHECK).requests
    home.launch(request)
    store_bars(home, bar("INTC", 1.0), bar("INTC", 2.0, "2024-10-01"))
    home.tick(ON_RETRAINING)
    assert home.states()[-1] == ("INTC", "finished", "unchanged_data")
    assert home.tick(ON_FAILED_CHECK).requests == ()


def test_changed_bars_are_learned_from(home: WatchedHome) -> None:
    store_bars(home, bar("INTC", 1.0), bar("HYG", 1.0))
    home.check("data_quality", "INTC", "HYG")
    (request,) = home.tick(ON_FAILED_CHECK).requests
    home.launch(request)
    store_bars(home, bar("INTC", 2.0), bar("HYG", 1.0))
    home.tick(ON_RETRAINING)
    (retraining,) = home.tick(ON_FAILED_CHECK).requests
    assert config_of(retraining)["tickers"] == ["INTC"]
    assert config_of(retraining)["cause"] == "data_quality"
    home.launch(retraining)
    decide(home, "INTC", "promoted")
    home.tick(ON_RETRAINING)
    assert set(home.states()) == {
        ("HYG", "reingesting", ""), ("HYG", "finished", "unchanged_data"),
        ("INTC", "reingesting", ""), ("INTC", "requested", ""), ("INTC", "started", ""),
        ("INTC", "finished", "promoted"),
    }  # fmt: skip


def test_fetch_that_fails_teaches_nobody(home: WatchedHome) -> None:
    store_bars(home, bar("INTC", 1.0))
    home.check("data_quality", "INTC")
    (request,) = home.tick(ON_FAILED_CHECK).requests
    home.launch(request, fails=True)
    store_bars(home, bar("INTC", 2.0))
    home.tick(ON_RETRAINING)
    assert home.states()[-1] == ("INTC", "finished", "failed")
    assert home.tick(ON_FAILED_CHECK).requests == ()


@pytest.mark.parametrize("cause", ["schedule", "person"])
def test_retraining_that_no_finding_asked_for_is_entered_too(home: WatchedHome, cause: str) -> None:
    config = retrain_config(("HYG", "AAPL"), (), cause, None, "me")  # type: ignore[arg-type]
    decide(home, "HYG", "rejected")
    result = job_of("retrain").execute_in_process(
        instance=home.instance, run_config=config, tags={SCHEDULE_TAG: "monthly-2024-10"}
    )
    decide(home, "AAPL", "promoted")
    home.tick(ON_RETRAINING)
    ends = home.ledger[home.ledger["state"] == "finished"].set_index("ticker")
    assert ends.loc["AAPL", "outcome"] == "promoted"
    assert ends.loc["HYG", "outcome"] == "failed"
    assert set(home.ledger["cause"]) == {cause}
    assert set(home.ledger["batch"]) == {result.run_id}
    assert set(home.ledger["as_of"].dt.date) == {KNOWN}
    count = len(home.ledger)
    home.tick(ON_RETRAINING)
    assert len(home.ledger) == count


def test_retraining_of_nobody_is_no_event(home: WatchedHome) -> None:
    job_of("retrain").execute_in_process(instance=home.instance)
    home.tick(ON_RETRAINING)
    assert home.states() == []


def test_window_that_opened_is_entered_for_every_ticker(home: WatchedHome) -> None:
    (request,) = home.tick(ON_NEW_WINDOW).requests
    assert request.tags[CAUSE_TAG] == "new_window"
    home.launch(request)
    home.tick(ON_RETRAINING)
    assert [entry for entry in home.states() if entry[1] == "finished"] == [
        (ticker, "finished", "pending") for ticker in home.settings.tickers
    ]
    assert set(home.ledger["cause"]) == {"new_window"}


@pytest.mark.parametrize("decision", ["promoted", "rejected", "pending"])
def test_retraining_of_a_policy_has_the_gates_outcome(home: WatchedHome, decision: str) -> None:
    home.check("decay", "INTC")
    home.check_policies("ppo")
    (request,) = home.tick(ON_FAILED_CHECK).requests
    home.launch(request)
    decide(home, "INTC", "rejected")
    decide(home, "ppo", decision, "policy")
    decide(home, "ppo", "rejected")
    home.tick(ON_RETRAINING)
    ends = [entry for entry in home.states() if entry[1] == "finished"]
    assert ends == [("INTC", "finished", "rejected"), ("ppo", "finished", decision)]


def test_retraining_that_a_person_began_for_a_policy_only_is_entered(home: WatchedHome) -> None:
    config = retrain_config((), ("ppo",), "person", None, "me")
    result = job_of("retrain").execute_in_process(instance=home.instance, run_config=config)
    decide(home, "ppo", "promoted", "policy")
    home.tick(ON_RETRAINING)
    assert set(home.states()) == {
        ("ppo", "requested", ""), ("ppo", "started", ""), ("ppo", "finished", "promoted"),
    }  # fmt: skip
    assert set(home.ledger["cause"]) == {"person"}
    assert set(home.ledger["batch"]) == {result.run_id}
    count = len(home.ledger)
    home.tick(ON_RETRAINING)
    assert len(home.ledger) == count


def test_retraining_of_a_policy_that_fails_may_be_tried_again(home: WatchedHome) -> None:
    home.check_policies("ppo")
    (request,) = home.tick(ON_FAILED_CHECK).requests
    home.launch(request, fails=True)
    home.tick(ON_RETRAINING)
    assert home.states()[-1] == ("ppo", "finished", "failed")
    assert home.tick(ON_FAILED_CHECK).requests == ()
    home.check_policies("ppo", as_of="2024-10-01")
    (again,) = home.tick(ON_FAILED_CHECK).requests
    assert again.run_key != request.run_key
