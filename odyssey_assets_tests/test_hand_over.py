"""`odyssey promote` and `odyssey rollback`: what they leave in ledger, registry and instance."""

import getpass
import subprocess
import sys
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from odyssey_assets.infrastructure.driver import open_instance
from odyssey_assets_tests.monitoring.promotion.courthouse import Courthouse, courthouse
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    HORIZON,
    TICKER,
    Courtroom,
    name_of,
    sha_of,
)
from odyssey_assets_tests.tiny_market import invoke

TODAY = date(2024, 10, 31)


@pytest.fixture
def house(tmp_path: Path) -> Courthouse:
    """Return a home whose window is served by a promoted model, version 2; 1 is its own."""
    court = Courtroom(today=TODAY)
    court.serve("fold", 0.0)
    unseen = court.session_before(TODAY, 20 + HORIZON)
    court.challenge("new", 0.9, as_of=TODAY, stand_in_as_of=unseen)
    built = courthouse(court, tmp_path)
    court.judge(built.settings)
    built = courthouse(court, tmp_path / "judged")
    built.store_models("fold", "new")
    return built


def ask(house: Courthouse, *arguments: str) -> tuple[int, str]:
    result = invoke(
        house.home.root,
        *arguments,
        ODYSSEY_TICKERS=TICKER,
        ODYSSEY_START="2023-07-03",
        ODYSSEY_END=TODAY.isoformat(),
        ODYSSEY_PROXY=TICKER,
        ODYSSEY_FORECASTING__MODELS='["xgboost"]',
        ODYSSEY_SIMULATED__BREAK_START="2024-07-01",
    )
    return result.exit_code, result.output


def test_rollback_and_promotion_are_runs_that_write_ledger_and_registry(house: Courthouse) -> None:
    status, output = ask(house, "rollback", TICKER)
    assert status == 0, output
    assert f"{TICKER}: version 1 ({name_of('fold')}) serves sessions after 2024-10-31" in output
    assert "next `odyssey run`" in output
    row = house.ledger.iloc[-1]
    assert (row["decision"], row["model_sha256"]) == ("rolled_back", sha_of("fold"))
    assert row["actor"] == getpass.getuser()
    assert house.aliases(f"odyssey-{TICKER}") == {"champion": name_of("fold")}
    status, output = ask(house, "promote", TICKER, "--to", "2")
    assert status == 0, output
    assert house.aliases(f"odyssey-{TICKER}") == {"champion": name_of("new")}
    assert list(house.ledger["decision"]) == ["unproven", "promoted", "rolled_back", "promoted"]
    runs = open_instance(house.home).get_runs()
    assert [(run.job_name, run.status) for run in runs] == [
        ("promote", dg.DagsterRunStatus.SUCCESS),
        ("rollback", dg.DagsterRunStatus.SUCCESS),
    ]


def test_refusals_are_one_line_and_leave_everything_as_it_was(house: Courthouse) -> None:
    before = house.ledger
    for arguments, said in (
        (("promote", TICKER), "No challenger of AAPL waits"),
        (("rollback", "GOOG"), "knows no 'GOOG'"),
        (("rollback", TICKER, "--to", "2"), "serves already"),
    ):
        status, output = ask(house, *arguments)
        assert status == 1
        assert said in output
        assert "Traceback" not in output
        assert "promote_version" not in output
    assert house.ledger.equals(before)


def test_hand_over_beside_a_run_is_refused(house: Courthouse) -> None:
    code = (
        "import sys, fasteners\n"
        f"lock = fasteners.InterProcessLock({str(house.home.run_lock)!r})\n"
        "lock.acquire()\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        status, output = ask(house, "rollback", TICKER)
        other.communicate()
    assert status == 1
    assert "Another `odyssey run` is at work" in output
    assert ask(house, "rollback", TICKER)[0] == 0
