"""What is left when `odyssey run` is killed, interrupted or started twice.

A home holds a finished market from which one ticker was taken away. Runs that would bring it back
are cut short: every table then holds its old or its new state, never something between, people
read what was published before, and the next run ends where an undisturbed one does.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from odyssey_assets.definitions import TABLES
from odyssey_assets_tests.end_to_end.small_market import (
    ODYSSEY,
    TICKERS,
    environment,
    odyssey,
    open_warehouse,
    table_hashes,
)

MISSING = "MSFT"
LONG_AGO = date(1900, 1, 1)
TRAINING_STARTS_WITHIN_S = 60


@pytest.fixture(scope="module")
def unfinished_home(finished_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the finished home without a ticker's rows and models, published so."""
    home = tmp_path_factory.mktemp("unfinished") / "home"
    shutil.copytree(finished_home, home, ignore=shutil.ignore_patterns(MISSING))
    warehouse = open_warehouse(home)
    kept = tuple(ticker for ticker in TICKERS if ticker != MISSING)
    for table in TABLES:
        if not table.is_append_only and table.ticker_column:
            warehouse.prune(table, kept, LONG_AGO, None)
    warehouse.publish()
    return home


@contextmanager
def started_run(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Start `odyssey run` as the leader of a group of processes; kill what is left at the end."""
    process = subprocess.Popen(
        [ODYSSEY, "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(home, PYTHONUNBUFFERED="1", ODYSSEY_WORKERS="2"),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for_step(process: subprocess.Popen[str], step: str) -> None:
    """Read what a run says until the step is done."""
    assert process.stdout is not None
    assert any(line.startswith(f"done {step} ") for line in process.stdout)


def wait_for_models(home: Path) -> None:
    """Wait until training has stored the first model of the missing ticker."""
    deadline = time.monotonic() + TRAINING_STARTS_WITHIN_S
    while not any((home / "models").glob(f"*/{MISSING}/**/model.bin")):
        assert time.monotonic() < deadline, "no model was stored"
        time.sleep(0.005)


def published_tickers(home: Path) -> set[str]:
    """Return who is in the published forecasts, as an analyst sees it."""
    with duckdb.connect(str(home / "published" / "odyssey.duckdb"), read_only=True) as connection:
        rows = connection.execute("select distinct ticker from forecasting.predictions").fetchall()
    return {ticker for (ticker,) in rows}


def test_runs_that_are_cut_short_leave_old_or_new_tables_and_the_next_one_finishes(
    unfinished_home: Path, finished_home: Path
) -> None:
    home = unfinished_home
    before, after = table_hashes(home), table_hashes(finished_home)
    changed = {name for name in before if before[name] != after[name]}
    assert "forecasting.predictions" in changed
    published = (home / "published" / "odyssey.duckdb").read_bytes()

    def check_state(*stored: str) -> None:
        found = table_hashes(home)
        assert all(found[name] in (before[name], after[name]) for name in before)
        assert all(found[name] == after[name] for name in stored)
        assert found["forecasting.predictions"] == before["forecasting.predictions"]
        assert (home / "published" / "odyssey.duckdb").read_bytes() == published
        assert published_tickers(home) == set(TICKERS) - {MISSING}

    with started_run(home) as killed:
        wait_for_step(killed, "clean_bars")
        killed.send_signal(signal.SIGKILL)
        assert killed.wait(timeout=30) == -signal.SIGKILL
    check_state("market_data.bars")

    with started_run(home) as interrupted:
        wait_for_step(interrupted, "market_data.macro")
        second = odyssey(home, "run", is_success=False)
        assert f"process {interrupted.pid}" in second.stderr
        assert second.stderr.count("\n") == 1
        assert second.stdout == ""
        wait_for_models(home)
        os.killpg(interrupted.pid, signal.SIGINT)
        _, said = interrupted.communicate(timeout=60)
    assert interrupted.returncode == 130, said
    assert "Interrupted." in said
    assert "Run again to go on." in said
    assert "Traceback" not in said
    check_state("market_data.bars", "features.features", "features.labels")

    odyssey(home, "run")
    assert table_hashes(home) == after
    assert published_tickers(home) == set(TICKERS)
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        statuses = {run.status for run in instance.get_runs()}
    assert statuses <= {
        dg.DagsterRunStatus.SUCCESS,
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.CANCELED,
    }
