"""The sensors that ask for models: nothing missed, nothing asked for twice."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.forecasting.tables import FOLDS
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.partitions import RANGE_END_TAG, RANGE_START_TAG
from odyssey_assets.infrastructure.run_tags import (
    BARS_BEFORE_TAG,
    BATCH_TAG,
    CAUSE_TAG,
    REINGEST_TAG,
)
from odyssey_assets.monitoring.ledgers import RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.automation import (
    ON_DRIFT,
    ON_FAILED_CHECK,
    ON_NEW_WINDOW,
)
from odyssey_assets.monitoring.retraining.bars import parsed
from odyssey_assets.monitoring.retraining.settlement import unsettled_batches
from odyssey_assets.settings_sections import PortfolioSettings
from odyssey_assets_tests.monitoring.retraining.found_events import (
    ASSETS,
    KNOWN,
    WINDOW,
    failure,
    findings,
    plan,
    policy_failure,
)
from odyssey_assets_tests.monitoring.retraining.watched_home import (
    TICKERS,
    WatchedHome,
    config_of,
    job_of,
    watched_home,
)

HOLD = """
import sys
from pathlib import Path
from odyssey_assets.infrastructure.run_lock import hold_run_lock
with hold_run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another_process(path: Path) -> Iterator[None]:
    """Hold the run lock until the end of the block, as `odyssey run` would."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield
        process.communicate()


@pytest.fixture
def home(tmp_path: Path) -> WatchedHome:
    """Return a home in which nothing was found yet."""
    return watched_home(tmp_path / "home")


def fold(ticker: str) -> dict[str, object]:
    row: dict[str, object] = {column.name: None for column in FOLDS.columns if column.is_nullable}
    counts = ("train_rows", "valid_rows", "test_rows", "scored_rows", "feature_count")
    return row | dict.fromkeys(counts, 0) | {
        "ticker": ticker, "window": pd.Timestamp(WINDOW), "model": "xgboost",
        "status": "skipped", "horizon_sessions": 5,
    }  # fmt: skip


def store_folds(home: WatchedHome, *tickers: str) -> None:
    rows = pd.DataFrame([fold(ticker) for ticker in tickers], columns=FOLDS.column_names)
    home.warehouse.replace(FOLDS, rows, (WHOLE_TABLE,))


def test_drift_asks_for_one_run_for_all_tickers_concerned(home: WatchedHome) -> None:
    home.check("drift", "INTC", "HYG")
    tick = home.tick(ON_DRIFT)
    (request,) = tick.requests
    assert request.job_name == "retrain"
    assert config_of(request) == {
        "tickers": ["HYG", "INTC"], "policies": [], "as_of": None, "cause": "drift",
        "actor": "gate", "batch": request.run_key,
    }  # fmt: skip
    assert (request.tags[BATCH_TAG], request.tags[CAUSE_TAG]) == (request.run_key, "drift")
    assert home.states() == [("HYG", "requested", ""), ("INTC", "requested", "")]


def test_sensors_mind_their_own_causes(home: WatchedHome) -> None:
    home.check("drift", "INTC")
    assert home.tick(ON_FAILED_CHECK).requests == ()
    home.check("decay", "HYG")
    (request,) = home.tick(ON_FAILED_CHECK).requests
    assert config_of(request)["tickers"] == ["HYG"]
    assert home.states() == [("HYG", "requested", "")]


def test_check_that_passes_asks_for_nothing(home: WatchedHome) -> None:
    home.check("drift")
    tick = home.tick(ON_DRIFT)
    assert tick.requests == ()
    assert tick.skipped == "1 results of checks, 0 findings, nothing due."
    assert home.states() == []


def test_daemon_killed_between_the_ledger_and_the_run_asks_again(home: WatchedHome) -> None:
    home.check("drift", "INTC")
    killed = home.tick(ON_DRIFT)  # Neither its request nor its cursor survived.
    again = home.tick(ON_DRIFT)
    assert [each.run_key for each in again.requests] == [each.run_key for each in killed.requests]
    home.launch(again.requests[0])
    assert home.tick(ON_DRIFT).requests == ()
    assert home.states() == [("INTC", "requested", "")]


def test_daemon_killed_after_its_cursor_was_kept_asks_again(home: WatchedHome) -> None:
    home.check("drift", "INTC")
    killed = home.tick(ON_DRIFT)
    again = home.tick(ON_DRIFT, killed.cursor)
    assert [each.run_key for each in again.requests] == [each.run_key for each in killed.requests]


def test_old_cursor_fires_nothing_twice(home: WatchedHome) -> None:
    home.check("drift", "INTC")
    first = home.tick(ON_DRIFT)
    home.launch(first.requests[0])
    home.check("drift", "HYG")
    second = home.tick(ON_DRIFT, first.cursor)
    assert [config_of(each)["tickers"] for each in second.requests] == [["HYG"]]
    home.launch(second.requests[0])
    for cursor in (None, first.cursor, second.cursor, "999999 wiped"):
        assert home.tick(ON_DRIFT, cursor).requests == ()
    assert len(home.ledger) == 2


def test_repeated_check_of_the_same_night_is_the_same_finding(home: WatchedHome) -> None:
    home.check("drift", "INTC")
    first = home.tick(ON_DRIFT)
    home.launch(first.requests[0])
    home.check("drift", "INTC")
    assert home.tick(ON_DRIFT, first.cursor).requests == ()
    assert len(home.ledger) == 1


def test_two_sensors_for_one_ticker_retrain_it_once(home: WatchedHome) -> None:
    home.check("drift", "INTC")
    home.check("decay", "INTC")
    (request,) = home.tick(ON_DRIFT).requests
    home.launch(request)
    assert home.tick(ON_FAILED_CHECK).requests == ()
    assert sorted(home.states()) == [
        ("INTC", "requested", ""), ("INTC", "suppressed", "cooling_down"),
    ]  # fmt: skip


def test_only_one_sensor_takes_over_what_a_killed_run_command_asked_for(home: WatchedHome) -> None:
    asked = plan(findings("INTC"), home.ledger, requester="run")
    home.warehouse.append(RETRAINING_EVENTS, asked.rows)
    assert home.tick(ON_FAILED_CHECK).requests == ()
    (request,) = home.tick(ON_DRIFT).requests
    assert request.run_key == asked.batches[0].run_key


def test_sensors_wait_while_the_run_command_is_at_work(home: WatchedHome) -> None:
    home.check("drift", "INTC")
    home.check("decay", "HYG")
    sensors = (ON_DRIFT, ON_FAILED_CHECK, ON_NEW_WINDOW)
    with held_by_another_process(home_of(home.settings).run_lock):
        for name in sensors:
            tick = home.tick(name, "3 cursor")
            assert (tick.requests, tick.cursor) == ((), "3 cursor")
            assert "odyssey run" in str(tick.skipped)
        assert home.states() == []
    assert [len(home.tick(name).requests) for name in sensors] == [1, 1, 1]


def test_ticker_that_the_universe_no_longer_holds_is_not_retrained(home: WatchedHome) -> None:
    home.check("drift", "GONE", "INTC")
    (request,) = home.tick(ON_DRIFT).requests
    assert config_of(request)["tickers"] == ["INTC"]


def test_broken_data_is_fetched_again_over_the_cells_concerned(home: WatchedHome) -> None:
    home.check("data_quality", "HYG", "INTC", window="2023-07-01")
    (request,) = home.tick(ON_FAILED_CHECK).requests
    assert request.job_name == "refresh_market"
    assert request.tags[RANGE_START_TAG] == "2023-07-01|HYG"
    assert request.tags[RANGE_END_TAG] == "2024-07-01|INTC"
    assert request.tags[REINGEST_TAG] == request.run_key
    assert set(parsed(request.tags[BARS_BEFORE_TAG]).hashes) == {"HYG", "INTC"}
    assert home.states() == [("HYG", "reingesting", ""), ("INTC", "reingesting", "")]
    again = home.tick(ON_FAILED_CHECK)
    assert [each.run_key for each in again.requests] == [request.run_key]
    home.launch(request)
    assert home.tick(ON_FAILED_CHECK).requests == ()
    assert unsettled_batches(home.ledger) == ()


def test_broken_data_without_a_ticker_is_noted_only(home: WatchedHome) -> None:
    home.check("data_quality", None)
    assert home.tick(ON_FAILED_CHECK).requests == ()
    assert home.states() == [("*", "suppressed", "")]


def test_window_that_opened_trains_the_tickers_that_have_no_fold(home: WatchedHome) -> None:
    store_folds(home, "AAPL", "SPY")
    (request,) = home.tick(ON_NEW_WINDOW).requests
    assert request.run_key == f"on_new_window-{WINDOW}-{KNOWN}"
    assert request.tags[RANGE_START_TAG] == f"{WINDOW}|HYG"
    assert request.tags[RANGE_END_TAG] == f"{WINDOW}|INTC"
    assert request.tags[CAUSE_TAG] == "new_window"


def test_window_with_all_its_folds_is_left_alone(home: WatchedHome) -> None:
    store_folds(home, *TICKERS)
    assert home.tick(ON_NEW_WINDOW).requests == ()


def test_window_that_a_run_may_bring_is_waited_for(home: WatchedHome) -> None:
    home.instance.create_run_for_job(job_of("refresh_macro"))
    tick = home.tick(ON_NEW_WINDOW)
    assert tick.requests == ()
    assert "under way" in str(tick.skipped)


def test_home_that_no_run_has_filled_opens_no_window(tmp_path: Path) -> None:
    home = watched_home(tmp_path / "home")
    home_of(home.settings).universe.unlink()
    assert home.tick(ON_NEW_WINDOW).requests == ()


def test_findings_of_an_earlier_window_come_too_late(home: WatchedHome) -> None:
    home.check("drift", "INTC", window="2024-01-01", as_of="2024-06-28")
    assert home.tick(ON_DRIFT).requests == ()
    later = (KNOWN + timedelta(days=1)).isoformat()
    home.check("drift", "INTC", as_of=later)
    assert len(home.tick(ON_DRIFT).requests) == 1


def test_policy_that_decayed_asks_for_its_training(home: WatchedHome) -> None:
    home.check_policies()
    assert home.tick(ON_FAILED_CHECK).requests == (), "the check passed"
    home.check_policies("ppo")
    assert home.tick(ON_DRIFT).requests == (), "decay is the other sensor's"
    tick = home.tick(ON_FAILED_CHECK)
    (request,) = tick.requests
    assert request.job_name == "retrain"
    assert config_of(request) == {
        "tickers": [], "policies": ["ppo"], "as_of": None, "cause": "decay", "actor": "gate",
        "batch": request.run_key,
    }  # fmt: skip
    assert (request.tags[BATCH_TAG], request.tags[CAUSE_TAG]) == (request.run_key, "decay")
    assert home.states() == [("ppo", "requested", "")]
    home.launch(request)
    for cursor in (None, tick.cursor):
        assert home.tick(ON_FAILED_CHECK, cursor).requests == ()


def test_tickers_and_a_policy_that_decayed_are_one_run(home: WatchedHome) -> None:
    home.check("decay", "INTC", "HYG")
    home.check_policies("ppo")
    (request,) = home.tick(ON_FAILED_CHECK).requests
    assert config_of(request)["tickers"] == ["HYG", "INTC"]
    assert config_of(request)["policies"] == ["ppo"]
    assert home.states() == [(each, "requested", "") for each in ("HYG", "INTC", "ppo")]


RULES_ONLY = {"portfolio": PortfolioSettings(policies=("equal_weight", "momentum"))}


def test_policy_that_the_settings_name_no_longer_is_not_retrained(home: WatchedHome) -> None:
    home.check_policies("ppo", "momentum")
    rules = WatchedHome(home.settings.model_copy(update=RULES_ONLY), home.instance)
    assert rules.tick(ON_FAILED_CHECK).requests == ()
    assert rules.states() == []
    (request,) = home.tick(ON_FAILED_CHECK).requests
    assert config_of(request)["policies"] == ["ppo"], "rules have nothing to learn"


def test_request_for_a_policy_that_was_removed_meanwhile_trains_nobody(home: WatchedHome) -> None:
    home.check("decay", "INTC")
    home.check_policies("ppo")
    killed = home.tick(ON_FAILED_CHECK)
    rules = WatchedHome(home.settings.model_copy(update=RULES_ONLY), home.instance)
    (request,) = rules.tick(ON_FAILED_CHECK, killed.cursor).requests
    assert request.run_key == killed.requests[0].run_key
    assert config_of(request)["tickers"] == ["INTC"]
    assert config_of(request)["policies"] == []


def test_data_of_a_policy_are_never_fetched_again(home: WatchedHome) -> None:
    home.evaluate(*ASSETS["data_quality"], "ERROR", [policy_failure("ppo"), failure("ppo")])
    assert home.tick(ON_FAILED_CHECK).requests == ()
    assert home.states() == []
